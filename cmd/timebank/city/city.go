// Package city invents a small Chinese city district for the demo and for tests: who takes part, a sheet
// of posted shifts as a district office exports it, with real-life dirt in it, and the answer key that
// says what must become of each row. The same seed gives the same bytes.
//
// All people are invented. Identity numbers begin with 999999, an area that does not exist, and telephone
// numbers with 1990000, a block without subscribers; neither can be anybody's.
package city

import (
	"fmt"
	"math/rand/v2"
)

// City is who takes part.
type City struct {
	Organizations []Organization
	Volunteers    []Volunteer
	Partner       Party
	Auditor       Party
	Story         Story
}

// Party is somebody with a name and an outside id.
type Party struct{ Ref, Name string }

// Organization posts hours.
type Organization struct {
	Party
	Kind                    string
	Street, Community, Grid string
}

// District is where the city is.
const District = "清河市云泽区"

// Volunteer helps.
type Volunteer struct {
	Party
	Born     string // ISO date
	Guardian string // Ref of an adult volunteer, or empty
	Roles    []string
	Home     int // index of the organization where most of the service is
	Phone    string
	Identity string
}

// Story names the people whose story the demo tells.
type Story struct {
	Elder string // has saved enough credit
	Poor  string // an elder who has saved half an hour
	Young string // has a youth record, and a guardian
}

var organizations = []Organization{
	{Party{"ORG-01", "云泽区助老志愿服务队"}, "social_organization", "青桐街道", "", ""},
	{Party{"ORG-02", "青桐街道社工站"}, "community_centre", "青桐街道", "", ""},
	{Party{"ORG-03", "银杏社区居民志愿队"}, "community_team", "银杏街道", "银杏社区", "第三网格"},
	{Party{"ORG-04", "临江街道党群服务中心"}, "community_centre", "临江街道", "", ""},
	{Party{"ORG-05", "望湖社区邻里互助队"}, "community_team", "望湖街道", "望湖社区", "第一网格"},
	{Party{"ORG-06", "云泽区人民医院医务社工部"}, "hospital", "南苑街道", "", ""},
	{Party{"ORG-07", "云泽区心理援助专业队"}, "professional_team", "南苑街道", "", ""},
	{Party{"ORG-08", "清河市第二中学青年志愿者协会"}, "school_team", "北桥街道", "", ""},
	{Party{"ORG-09", "文昌街道法律援助服务队"}, "professional_team", "文昌街道", "", ""},
	{Party{"ORG-10", "新安社区便民维修队"}, "community_team", "新安街道", "新安社区", "第二网格"},
	{Party{"ORG-11", "云泽区义工联合会"}, "social_organization", "临江街道", "", ""},
	{Party{"ORG-12", "北桥街道长者日间中心"}, "community_centre", "北桥街道", "桥东社区", ""},
}

const (
	surnames = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
	given1   = "桂秀玉建国志明文海春晓雨子思家永福德金美丽红梅淑俊伟"
	given2   = "兰英珍芳华平强军辉涛宁琳萱涵轩宇航怡欣杰敏静燕霞云峰"
)

// The shares of the three groups, of three hundred: many of each, so that every rule has something to do.
const (
	youngN = 70
	adultN = 100
	elderN = 130
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func people(r *rand.Rand) []Volunteer {
	sur, g1, g2 := []rune(surnames), []rune(given1), []rune(given2)
	all := make([]Volunteer, 0, youngN+adultN+elderN)
	for i := range youngN + adultN + elderN {
		year := 1941 + r.IntN(25) // 60 to 84 in the summer of 2025
		switch {
		case i < adultN:
			year = 1967 + r.IntN(33)
		case i < adultN+youngN:
			year = 2002 + r.IntN(11)
		}
		v := Volunteer{Born: fmt.Sprintf("%04d-%02d-%02d", year, 1+r.IntN(12), 1+r.IntN(28)), Home: r.IntN(len(organizations)),
			Phone: fmt.Sprintf("1990000%04d", i), Identity: fmt.Sprintf("999999%04d%02d%02d%03dX", year, 1+r.IntN(12), 1+r.IntN(28), i)}
		v.Name = string(pick(r, sur)) + string(pick(r, g1)) + string(pick(r, g2))
		v.Ref = number(i)
		switch {
		case i >= adultN && i < adultN+youngN:
			if year >= 2008 {
				v.Guardian = all[r.IntN(adultN)].Ref
			}
			if year >= 2005 {
				v.Home = 7 // the school
			}
		case i < 8:
			v.Roles, v.Home = []string{"medical_social_worker"}, 5
		case i < 16:
			v.Roles = []string{"community_worker"}
		case i < 24:
			v.Roles, v.Home = []string{"professional"}, 6
		}
		all = append(all, v)
	}
	return all
}

// number gives a volunteer's number: YZ, ten digits, and a check digit (Luhn's, so that a typing error
// does not become somebody else).
func number(i int) string {
	digits := fmt.Sprintf("%010d", 2025000000+i*7)
	sum := 0
	for k := range digits {
		d := int(digits[len(digits)-1-k] - '0')
		if k%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return fmt.Sprintf("YZ%s%d", digits, (10-sum%10)%10)
}

// Generate invents the district, its sheet and the answer key.
func Generate(seed uint64) (City, Sheet) {
	r := rand.New(rand.NewPCG(seed, 0x7b)) // seeded: the same district every time
	c := City{Organizations: organizations, Volunteers: people(r), Partner: Party{"PARTNER-01", "云泽区居家养老服务中心"},
		Auditor: Party{"AUDITOR-01", "云泽区审计局"}}
	c.Story = Story{Elder: c.Volunteers[adultN+youngN].Ref, Poor: c.Volunteers[adultN+youngN+1].Ref, Young: firstWard(c.Volunteers)}
	return c, newMaker(r, c).sheet()
}

func firstWard(all []Volunteer) string {
	for _, v := range all {
		if v.Guardian != "" {
			return v.Ref
		}
	}
	return ""
}

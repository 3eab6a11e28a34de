package city

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// cohort is a group of volunteers of like age, in the shares a district has, with many of each of the three
// groups that the rules tell apart: under 25, from 25 to 59, and from 60.
type cohort struct {
	n                   int
	bornFrom, bornUntil int // years, the last one included
	given1, given2      []rune
}

// Adults come first, so that a guardian is registered before the ward. Nobody is under 14: their hours would
// need a guardian's consent, which the sheet does not tell.
var cohorts = []cohort{
	{84, 1967, 1989, []rune("建志海春晓红丽文国美玉伟永明"), []rune("华强军梅燕涛辉霞敏静平峰琳斌")},
	{35, 1990, 2000, []rune("佳思雪浩晨婷鹏嘉志晓文一"), []rune("琪宁航颖杰怡超瑶凯涵欣洁")},
	{75, 1956, 1965, []rune("建国秀桂玉淑志爱永凤福金美德"), []rune("兰英珍芳华平荣琴生明林云娥祥")},
	{30, 1941, 1955, []rune("桂秀玉淑德福永宝振素凤"), []rune("兰英珍贞山林田清芝贤香")},
	{40, 2002, 2007, []rune("子雨欣宇思俊梦浩佳一"), []rune("涵轩怡航萱杰琪晨彤博")},
	{36, 2008, 2010, []rune("子梓雨欣宇浩一沐若思"), []rune("涵轩萱航彤宸诺泽晴睿")},
}

var surnames = []rune("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕")

const (
	elderBornUntil = 1965
	adultBornUntil = 2001
	wardBornFrom   = 2007 // under 18, or just 18, when the sheet begins
	guardianYears  = 22   // a guardian is so much older at least
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func people(r *rand.Rand) []Volunteer {
	var all []Volunteer
	for _, group := range cohorts {
		for range group.n {
			all = append(all, person(r, group, all))
		}
	}
	professionals(all)
	return all
}

// person invents the next volunteer of a cohort.
func person(r *rand.Rand, group cohort, before []Volunteer) Volunteer {
	i := len(before)
	year := group.bornFrom + r.IntN(group.bornUntil-group.bornFrom+1)
	month, day := 1+r.IntN(12), 1+r.IntN(28)
	v := Volunteer{
		Born: fmt.Sprintf("%04d-%02d-%02d", year, month, day), Home: r.IntN(len(organizations)),
		Phone: fmt.Sprintf("1990000%04d", i), Identity: fmt.Sprintf("999999%04d%02d%02d%03dX", year, month, day, i),
	}
	surname := pick(r, surnames)
	if year >= wardBornFrom {
		guardian := before[guardianOf(r, before, year)]
		v.Guardian, v.Home = guardian.Ref, school
		if r.IntN(10) < 7 { // the others bear the other parent's name
			surname = []rune(guardian.Name)[0]
		}
	}
	v.Ref, v.Name = number(i), string([]rune{surname, pick(r, group.given1), pick(r, group.given2)})
	return v
}

// guardianOf chooses an adult of an age to be a parent. There is always one: the first cohort is of adults.
func guardianOf(r *rand.Rand, before []Volunteer, year int) int {
	latest := fmt.Sprintf("%04d", year-guardianYears)
	for {
		if i := r.IntN(cohorts[0].n); before[i].Born < latest {
			return i
		}
	}
}

// professionals gives some adults the roles that the rules may speak of, and the organizations that go with
// them.
func professionals(all []Volunteer) {
	for i := range all[:40] {
		v := &all[i]
		switch {
		case i < 10:
			v.Roles, v.Home = []string{"medical_social_worker"}, hospital
		case i < 24:
			v.Roles = []string{"community_worker"}
		case i < 32:
			v.Roles, v.Home = []string{"professional"}, counselors
		default:
			v.Roles, v.Home = []string{"professional"}, lawyers
		}
	}
}

// cast finds the people of the story: two elders and a ward.
func cast(all []Volunteer) Story {
	elder := slices.IndexFunc(all, func(v Volunteer) bool { return v.bornUntil(elderBornUntil) })
	ward := slices.IndexFunc(all, func(v Volunteer) bool { return v.Guardian != "" })
	return Story{Elder: all[elder].Ref, Poor: all[elder+1].Ref, Young: all[ward].Ref}
}

func (v Volunteer) bornUntil(year int) bool { return v.Born < fmt.Sprintf("%04d", year+1) }

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

// Package city invents a small Chinese city district for the demo and for tests: who takes part, a sheet
// of posted shifts as a district office exports it, with real-life dirt in it, and the answer key that
// says what must become of each row. The same seed gives the same bytes.
//
// Its invariants:
//
//   - Nobody in it can exist. Identity numbers begin with 999999, an area that there is not, and telephone
//     numbers with 1990000, a block without subscribers.
//   - Only what is planted collides: the rows of a volunteer neither overlap nor repeat otherwise, and no
//     day of anybody has more than 1,440 recorded minutes.
//   - The answer key comes from the finished rows, by a reading of the rules that is written here and shares
//     no code with the server. What was planted is noted apart from it, and tests hold one against the other.
package city

import (
	"encoding/json"
	"math/rand/v2"
)

// City is who takes part.
type City struct {
	Organizations []Organization `json:"organizations"`
	Volunteers    []Volunteer    `json:"volunteers"`
	Partner       Party          `json:"partner"`
	Auditor       Party          `json:"auditor"`
	Story         Story          `json:"story"`
}

// Party is somebody with a name and an outside id.
type Party struct {
	Ref    string `json:"ref"`
	Name   string `json:"name"`
	NameEN string `json:"name_en,omitempty"`
}

// Organization posts hours.
type Organization struct {
	Party
	Kind      string `json:"kind"`
	Street    string `json:"street"`
	Community string `json:"community,omitempty"`
	Grid      string `json:"grid,omitempty"`
}

// District is where the city is.
const District = "清河市云泽区"

// Volunteer helps.
type Volunteer struct {
	Party
	Born     string   `json:"born"`               // ISO date
	Guardian string   `json:"guardian,omitempty"` // Ref of an adult volunteer who stands before in the list
	Roles    []string `json:"roles,omitempty"`
	Home     int      `json:"home"` // index of the organization where most of the service is
	Phone    string   `json:"phone"`
	Identity string   `json:"identity"`
}

// Story names the people whose story the demo tells. Elder and Poor have no shifts but the story's.
type Story struct {
	Elder string `json:"elder"` // has saved enough credit
	Poor  string `json:"poor"`  // an elder who has saved half an hour
	Young string `json:"young"` // has a youth record, and a guardian
}

// Where special people serve: indexes of organizations.
const (
	hospital   = 5
	counselors = 6
	school     = 7
	lawyers    = 8
	union      = 10
)

var organizations = []Organization{
	{Party{"ORG-01", "云泽区助老志愿服务队", "Yunze Service Team for the Aged"}, "social_organization", "青桐街道", "梧桐里社区", ""},
	{Party{"ORG-02", "青桐街道社工站", "Qingtong Social Work Station"}, "community_centre", "青桐街道", "", ""},
	{Party{"ORG-03", "银杏社区居民志愿队", "Yinxing Residents' Team"}, "community_team", "银杏街道", "银杏社区", "第三网格"},
	{Party{"ORG-04", "临江街道党群服务中心", "Linjiang Service Centre"}, "community_centre", "临江街道", "", ""},
	{Party{"ORG-05", "望湖社区邻里互助队", "Wanghu Neighbours' Team"}, "community_team", "望湖街道", "望湖社区", "第一网格"},
	{Party{"ORG-06", "云泽区人民医院医务社工部", "Medical Social Work, Yunze People's Hospital"}, "hospital", "南苑街道", "", ""},
	{Party{"ORG-07", "云泽区心理援助专业队", "Yunze Counselling Team"}, "professional_team", "南苑街道", "", ""},
	{Party{"ORG-08", "清河市第二中学青年志愿者协会", "Youth Volunteers of Qinghe No. 2 Middle School"}, "school_team", "北桥街道", "", ""},
	{Party{"ORG-09", "文昌街道法律援助服务队", "Wenchang Legal Aid Team"}, "professional_team", "文昌街道", "", ""},
	{Party{"ORG-10", "新安社区便民维修队", "Xin'an Repair Team"}, "community_team", "新安街道", "新安社区", "第二网格"},
	{Party{"ORG-11", "云泽区义工联合会", "Yunze Volunteers' Union"}, "social_organization", "临江街道", "滨江社区", ""},
	{Party{"ORG-12", "北桥街道长者日间中心", "Beiqiao Day Centre for the Aged"}, "community_centre", "北桥街道", "桥东社区", ""},
}

// Generate invents the district and its sheet with the answer key.
func Generate(seed uint64) (City, Sheet) {
	r := rand.New(rand.NewPCG(seed, 0x7b)) // seeded: the same district every time
	c := City{
		Organizations: organizations,
		Volunteers:    people(r),
		Partner:       Party{"PARTNER-01", "云泽区居家养老服务中心", "Yunze Home Care Centre"},
		Auditor:       Party{"AUDITOR-01", "云泽区审计局", "Yunze Audit Office"},
	}
	c.Story = cast(c.Volunteers)
	return c, newMaker(r, c).sheet()
}

// JSON gives the district as it is bundled.
func (c City) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(c, "", " ")
	return append(text, '\n'), err
}

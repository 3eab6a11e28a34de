package city

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"strconv"
)

// Sheet is the district office's export with its answer key.
type Sheet struct{ Rows []Row }

// Row is a row as it stands in the sheet, with what must become of it.
type Row struct {
	Volunteer, Name, Organization, Activity, Service, Date, Start, End, Hours string
	SignIn, SignOut, Confirmed, Filed, Recorder, Approver, Absent, Reference  string
	Want                                                                      Answer
}

// Answer is what must become of a row.
type Answer struct {
	Outcome string `json:"outcome"` // recorded, refused, ignored
	Code    string `json:"code,omitempty"`
	Planted string `json:"planted,omitempty"` // what is odd about it
}

// Header is the first row of the sheet.
var Header = []string{"志愿者编号", "姓名", "组织", "活动", "服务代码", "日期", "开始", "结束", "时长(小时)", "签到", "签退", "受助人确认", "纸质表编号",
	"记录人", "审核人", "缺勤", "流水号"}

// CSV gives the sheet in UTF-8 with a byte order mark, as spreadsheet programs write it.
func (s Sheet) CSV() []byte {
	var b bytes.Buffer
	b.WriteString("\xef\xbb\xbf")
	w := csv.NewWriter(&b)
	_ = w.Write(Header) // a buffer takes everything
	for _, r := range s.Rows {
		_ = w.Write([]string{r.Volunteer, r.Name, r.Organization, r.Activity, r.Service, r.Date, r.Start, r.End, r.Hours, r.SignIn, r.SignOut,
			r.Confirmed, r.Filed, r.Recorder, r.Approver, r.Absent, r.Reference})
	}
	w.Flush()
	return b.Bytes()
}

type service struct{ code, name string }

var services = []service{
	{"TALK", "精神慰藉·陪聊"}, {"TALK", "精神慰藉·陪聊"}, {"CLEAN-HOME", "助洁·家庭保洁"}, {"MED-ACC", "助医·陪诊"}, {"DIGI", "智能设备使用指导"},
	{"MEAL-DLV", "助餐·送餐"}, {"HAIR", "义剪"}, {"MED-PICK", "代配药"}, {"REPAIR", "便民维修"}, {"WALK-OUT", "助行·陪同外出"},
	{"TUTOR", "课业辅导"}, {"ENV", "社区环保"}, {"LEGAL", "法律援助咨询"}, {"SVC-PSY", "心理疏导"},
}

// shiftMinutes follow what a real organization's shifts look like: half of them two hours, few long.
var shiftMinutes = []int{60, 60, 90, 120, 120, 120, 120, 120, 120, 120, 150, 160, 180, 240, 270}

// The sheet runs from 1 July 2025 over a year; monthDays are its months, and season how busy each is
// (March has Lei Feng's day, October the month of respect for the aged, February the Spring Festival).
var (
	monthDays = []int{31, 31, 30, 31, 30, 31, 31, 28, 31, 30, 31, 30}
	season    = []int{11, 11, 10, 13, 10, 12, 8, 6, 17, 10, 11, 9}
)

const cleanRows = 2680

// maker makes rows and remembers which days of which volunteer are taken, so that only planted rows
// collide.
type maker struct {
	r     *rand.Rand
	c     City
	taken map[string]bool
	rows  []Row
	next  int
}

func newMaker(r *rand.Rand, c City) *maker { return &maker{r: r, c: c, taken: map[string]bool{}} }

func (m *maker) sheet() Sheet {
	m.story()
	for range cleanRows {
		m.rows = append(m.rows, m.clean(m.volunteer(), m.minutes()))
	}
	m.dirt()
	return Sheet{m.rows}
}

// volunteer chooses one, a few far more often than the rest, as it is in life.
func (m *maker) volunteer() Volunteer {
	all := m.c.Volunteers
	i := m.r.IntN(len(all))
	for range 2 {
		i = min(i, m.r.IntN(len(all)))
	}
	// Spread the busy ones over all ages; 7 and the number of volunteers have no common divisor. The two
	// elders of the story keep to their own rows.
	v := all[i*7%len(all)]
	if v.Ref == m.c.Story.Elder || v.Ref == m.c.Story.Poor {
		return all[0]
	}
	return v
}

func (m *maker) minutes() int { return pick(m.r, shiftMinutes) }

// day gives a day on which the volunteer has nothing yet.
func (m *maker) day(v Volunteer) string {
	for {
		month := m.month()
		d := isoDay(month, 1+m.r.IntN(monthDays[month]))
		if !m.taken[v.Ref+d] {
			m.taken[v.Ref+d] = true
			return d
		}
	}
}

func (m *maker) month() int {
	sum := 0
	for _, s := range season {
		sum += s
	}
	n := m.r.IntN(sum)
	for month, s := range season {
		if n -= s; n < 0 {
			return month
		}
	}
	return len(season) - 1
}

func isoDay(month, day int) string {
	year, name := 2025, month+7
	if name > 12 {
		year, name = 2026, name-12
	}
	return fmt.Sprintf("%04d-%02d-%02d", year, name, day)
}

func clock(minutes int) string {
	minutes %= 24 * 60
	return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60)
}

// hours writes minutes as a decimal number of hours, as such sheets have them: thirds are cut off.
func hours(minutes int) string {
	if minutes%60 == 0 {
		return strconv.Itoa(minutes / 60)
	}
	return fmt.Sprintf("%d.%06d", minutes/60, (minutes%60*1_000_000+30)/60)
}

// clean makes a row that is recorded, with evidence of some grade.
func (m *maker) clean(v Volunteer, minutes int) Row {
	home := v.Home
	if m.r.IntN(5) == 0 {
		home = m.r.IntN(len(m.c.Organizations))
	}
	s := pick(m.r, services)
	row := Row{Volunteer: v.Ref, Name: v.Name, Organization: m.c.Organizations[home].Name, Activity: s.name, Service: s.code, Date: m.day(v),
		Hours: hours(minutes), Want: Answer{Outcome: "recorded"}, Reference: m.reference()}
	if m.r.IntN(10) < 7 {
		start := 8*60 + 15*m.r.IntN(36)
		row.Start, row.End = clock(start), clock(start+minutes)
	}
	m.evidence(&row, m.r.IntN(100))
	return row
}

func (m *maker) reference() string {
	m.next++
	return fmt.Sprintf("QH-%05d", m.next)
}

func (m *maker) evidence(row *Row, percent int) {
	row.Recorder, row.Approver = fmt.Sprintf("记录员%d", 1+m.r.IntN(9)), fmt.Sprintf("站长%d", 1+m.r.IntN(4))
	switch {
	case percent < 60 && row.Start != "": // A and B
		row.SignIn, row.SignOut = row.Start, row.End
		if percent < 30 {
			row.Confirmed = "是"
		}
	case percent < 85: // C
		row.Filed = "签到册-" + row.Date[:7]
	default: // D
		row.Approver = ""
	}
}

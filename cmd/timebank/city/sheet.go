package city

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Sheet is the district office's export with its answer key.
type Sheet struct{ Rows []Row }

// Row is a row as it stands in the sheet, with what must become of it.
type Row struct {
	Volunteer    string // number of the volunteer, as the office has it
	Name         string // for the eye only: the profile goes by the number
	Organization string // name of the organization that posts the row
	Activity     string
	Service      string // code of the service catalogue
	Date         string // on which the shift began: 2026-03-05, sometimes 2026/3/5
	Start, End   string // clock times, often missing; an end not after the start is the next day's
	Hours        string // decimal hours really served
	SignIn       string // with SignOut, the volunteer's signatures at the place
	SignOut      string
	Confirmed    string // 是 if the person helped confirmed it
	Filed        string // where the signed paper sheet is filed
	Recorder     string
	Approver     string // the same as the recorder, or nobody: the organization's bare word
	Absent       string // 是 if the volunteer did not come: to be ignored
	Entered      string // when it was typed in, for the eye only
	Note         string // for the eye only
	Reference    string // the organization's own reference
	Want         Answer

	order int // place in the sheet, before the rows are put in order
}

// Header is the first row of the sheet.
var Header = []string{"志愿者编号", "姓名", "组织", "活动", "服务代码", "日期", "开始", "结束", "时长(小时)", "签到", "签退", "受助人确认", "纸质表编号",
	"记录人", "审核人", "缺勤", "录入时间", "备注", "流水号"}

// CSV gives the sheet in UTF-8 with a byte order mark, as spreadsheet programs write it.
func (s Sheet) CSV() []byte {
	var b bytes.Buffer
	b.WriteString("\xef\xbb\xbf")
	w := csv.NewWriter(&b)
	_ = w.Write(Header) // a buffer takes everything
	for _, r := range s.Rows {
		_ = w.Write([]string{r.Volunteer, r.Name, r.Organization, r.Activity, r.Service, r.Date, r.Start, r.End, r.Hours, r.SignIn, r.SignOut,
			r.Confirmed, r.Filed, r.Recorder, r.Approver, r.Absent, r.Entered, r.Note, r.Reference})
	}
	w.Flush()
	return b.Bytes()
}

type service struct{ code, name string }

// What is done, as often as it is asked for, and what suits whom.
var (
	services = []service{
		{"TALK", "精神慰藉·陪聊"}, {"TALK", "精神慰藉·陪聊"}, {"TALK", "精神慰藉·陪聊"}, {"CLEAN-HOME", "助洁·家庭保洁"}, {"CLEAN-HOME", "助洁·家庭保洁"},
		{"CLEAN-LAUN", "助洁·衣物洗涤"}, {"MED-ACC", "助医·陪诊"}, {"MED-ACC", "助医·陪诊"}, {"DIGI", "智能设备使用指导"}, {"DIGI", "智能设备使用指导"},
		{"MEAL-DLV", "助餐·送餐"}, {"MEAL-DLV", "助餐·送餐"}, {"HAIR", "义剪"}, {"MED-PICK", "代配药"}, {"REPAIR", "便民维修"}, {"WALK-OUT", "助行·陪同外出"},
		{"GRID-PATROL", "网格巡查"},
	}
	youngServices = []service{{"TUTOR", "课业辅导"}, {"ENV", "社区环保"}, {"EVENT", "大型赛会"}, {"DIGI", "智能设备使用指导"}, {"TALK", "精神慰藉·陪聊"}}
	roleServices  = map[int][]service{
		hospital:   {{"MED-ACC", "助医·陪诊"}, {"HEALTH-TALK", "健康科普"}},
		counselors: {{"SVC-PSY", "心理疏导"}},
		lawyers:    {{"LEGAL", "法律援助咨询"}, {"FRAUD-EDU", "防诈指导"}},
	}
)

// maker makes rows, and remembers when each volunteer serves.
type maker struct {
	r         *rand.Rand
	c         City
	calendars map[string]*calendar
	diligence []int // weights of the volunteers, the story's two elders without any
	young     []int // weights of the days
	other     []int
	lengths   []int
	rows      []Row
	next      int
}

func newMaker(r *rand.Rand, c City) *maker {
	m := &maker{r: r, c: c, calendars: map[string]*calendar{}, young: dayWeights(seasonYoung), other: dayWeights(seasonOther), lengths: weightsOf(shiftLengths)}
	m.diligence = make([]int, len(c.Volunteers))
	order := r.Perm(len(c.Volunteers))
	for _, group := range diligence {
		for range group.value {
			m.diligence[order[0]], order = group.weight, order[1:]
		}
	}
	for _, i := range order { // the others come once or twice, or never
		m.diligence[i] = 1
	}
	for i, v := range c.Volunteers {
		m.calendars[v.Ref] = &calendar{}
		if v.Ref == c.Story.Elder || v.Ref == c.Story.Poor {
			m.diligence[i] = 0
		}
	}
	return m
}

const cleanRows = 2620

func (m *maker) sheet() Sheet {
	m.reserve()
	m.story()
	first := len(m.rows)
	for range cleanRows {
		m.rows = append(m.rows, m.clean(m.volunteer()))
	}
	m.dirt(slices.Clone(m.rows[first:]))
	slices.SortStableFunc(m.rows, func(a, b Row) int { return a.order - b.order })
	judge(m.c, m.rows)
	return Sheet{m.rows}
}

// volunteer chooses one, a few far more often than the rest.
func (m *maker) volunteer() Volunteer { return m.c.Volunteers[draw(m.r, m.diligence)] }

func (m *maker) day(v Volunteer) int {
	if v.bornUntil(adultBornUntil) {
		return draw(m.r, m.other)
	}
	return draw(m.r, m.young)
}

// clean makes a row that is recorded, with evidence of some grade. Seven in ten have clock times.
func (m *maker) clean(v Volunteer) Row {
	minutes := shiftLengths[draw(m.r, m.lengths)].value
	const opens, closes, quarter = 8 * 60, 21*60 + 30, 15
	cal := m.calendars[v.Ref]
	for {
		day, clocked := m.day(v), m.r.IntN(10) < 7
		from := opens + quarter*m.r.IntN((closes-opens-minutes)/quarter+1)
		at := span{from, from + minutes}
		switch {
		case !cal.empty(day) && (!clocked || !cal.fits(day, minutes, at)):
		case clocked:
			cal.take(day, minutes, at)
			return m.row(v, day, minutes, at)
		default:
			cal.take(day, minutes)
			return m.row(v, day, minutes)
		}
	}
}

// alone makes a row without clock times on a day that the volunteer has for it alone.
func (m *maker) alone(v Volunteer, minutes int) Row { return m.row(v, m.freeDay(v), minutes) }

// freeDay gives an empty day, and takes all of it.
func (m *maker) freeDay(v Volunteer) int {
	cal := m.calendars[v.Ref]
	for {
		if day := m.day(v); cal.empty(day) {
			cal.take(day, dayMinutes)
			return day
		}
	}
}

// row writes a shift down; it has clock times if at is given.
func (m *maker) row(v Volunteer, day, minutes int, at ...span) Row {
	home := v.Home
	if m.r.IntN(5) == 0 {
		home = m.r.IntN(len(m.c.Organizations))
	}
	s := m.service(v, home)
	row := Row{Volunteer: v.Ref, Name: v.Name, Organization: m.c.Organizations[home].Name, Activity: s.name, Service: s.code, Date: isoDay(day),
		Hours: hours(minutes), Reference: m.reference()}
	for _, a := range at {
		row.Start, row.End = clock(a.from), clock(a.to)
	}
	m.evidence(&row, at)
	lag := (1 + m.r.IntN(9)) * dayMinutes // within the ten working days that the law gives
	at9to5 := m.r.IntN(8 * 60)
	row.order = day*dayMinutes + lag + at9to5
	row.Entered = isoDay(day+lag/dayMinutes) + " " + clock(9*60+at9to5)
	if day+lag/dayMinutes >= days { // the sheet is closed in the last night
		row.Entered = lastDay + " " + clock(21*60+45+m.r.IntN(60))
	}
	if m.r.IntN(40) == 0 { // somebody's spreadsheet writes dates in its own way
		row.Date = slashed(row.Date)
	}
	return row
}

func (m *maker) service(v Volunteer, home int) service {
	special, ok := roleServices[home]
	switch {
	case !v.bornUntil(adultBornUntil):
		return pick(m.r, youngServices)
	case ok && len(v.Roles) > 0:
		return pick(m.r, special)
	}
	return pick(m.r, services)
}

func (m *maker) reference() string {
	m.next++
	return fmt.Sprintf("QH-%05d", m.next)
}

// evidence writes down how a shift is known, so that all four grades occur.
func (m *maker) evidence(row *Row, at []span) {
	row.Recorder, row.Approver = fmt.Sprintf("记录员%d", 1+m.r.IntN(9)), fmt.Sprintf("站长%d", 1+m.r.IntN(4))
	switch percent := m.r.IntN(100); {
	case percent < 60 && len(at) > 0: // A and B
		row.SignIn, row.SignOut = clock(at[0].from-m.r.IntN(9)), clock(at[0].to+m.r.IntN(6))
		if percent < 30 {
			row.Confirmed = "是"
		}
	case percent < 88: // C
		m.filed(row)
	default: // D
		row.Approver = ""
	}
}

func (m *maker) filed(row *Row) {
	row.Filed = "签到册-" + strings.ReplaceAll(row.Date[:7], "-", "")
	row.Recorder, row.Approver = fmt.Sprintf("记录员%d", 1+m.r.IntN(9)), fmt.Sprintf("站长%d", 1+m.r.IntN(4))
}

// hours writes minutes as a decimal number of hours, as such sheets have them: to a hundred-millionth.
func hours(minutes int) string {
	if minutes%60 == 0 {
		return strconv.Itoa(minutes / 60)
	}
	const scale = 100_000_000
	decimals := strconv.Itoa(scale + (minutes%60*scale+30)/60)[1:]
	return strconv.Itoa(minutes/60) + "." + strings.TrimRight(decimals, "0")
}

// slashed writes 2026-03-05 as 2026/3/5.
func slashed(date string) string {
	return strings.ReplaceAll(strings.ReplaceAll(date, "-0", "-"), "-", "/")
}

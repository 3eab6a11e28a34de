package city

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The faker's night: one clerk types in sixty equal rows.
const (
	fakedRows    = 60
	fakedMinutes = 5 * 60
	fakedDay     = days - 3
	fakedFrom    = 23 * 60
)

// faked are those whom the faker books: every fourth volunteer but the story's.
func (m *maker) faked() []Volunteer {
	var all []Volunteer
	for i, v := range m.c.Volunteers {
		if i%4 == 2 && m.diligence[i] > 0 && v.Ref != m.c.Story.Young && len(all) < fakedRows {
			all = append(all, v)
		}
	}
	return all
}

// reserve keeps the faker's night free, and what follows it.
func (m *maker) reserve() {
	for _, v := range m.faked() {
		cal := m.calendars[v.Ref]
		cal.take(fakedDay, fakedMinutes, span{fakedFrom, fakedFrom + fakedMinutes})
		cal.take(fakedDay+1, dayMinutes)
	}
}

// story gives the people of the story what their story needs, on signed sheets.
func (m *maker) story() {
	for _, x := range []struct {
		ref        string
		n, minutes int
	}{{m.c.Story.Elder, 9, 120}, {m.c.Story.Poor, 1, 30}, {m.c.Story.Young, 6, 90}} {
		for range x.n {
			row := m.alone(m.find(x.ref), x.minutes)
			m.filed(&row)
			m.rows = append(m.rows, row)
		}
	}
}

func (m *maker) find(ref string) Volunteer {
	return m.c.Volunteers[slices.IndexFunc(m.c.Volunteers, func(v Volunteer) bool { return v.Ref == ref })]
}

// plant adds rows that are odd in one way.
func (m *maker) plant(oddity string, n int, odd func(i int) Row) {
	for i := range n {
		row := odd(i)
		row.Want.Planted = oddity
		m.rows = append(m.rows, row)
	}
}

// change plants rows of a day that their volunteer has for them alone, changed.
func (m *maker) change(oddity string, n int, change func(i int, row *Row)) {
	m.plant(oddity, n, func(i int) Row {
		row := m.alone(m.volunteer(), 2*60)
		change(i, &row)
		return row
	})
}

// dirt plants what real sheets have.
func (m *maker) dirt(clean []Row) {
	m.repeats(clean)
	m.overlaps(clean)
	m.unreadable()
	m.dates()
	m.amounts()
	m.longDays()
	m.suspicious()
	m.cosmetic()
}

// after gives a copy of a clean row that stands up to four days' rows behind it.
func (m *maker) after(clean []Row) Row {
	row := pick(m.r, clean)
	row.order += m.r.IntN(4 * dayMinutes)
	return row
}

// repeats plants second postings of a shift. Equal rows have equal content but not one key: the second is
// posted anew, and refused.
func (m *maker) repeats(clean []Row) {
	originals := m.r.Perm(len(clean))[:45] // of three equal rows the middle one would be both
	m.plant(ExactDuplicate, len(originals), func(i int) Row {
		row := clean[originals[i]]
		row.order += m.r.IntN(4 * dayMinutes)
		return row
	})
	m.plant(OtherReference, 20, func(int) Row {
		row := m.after(clean)
		row.Reference, row.Note = m.reference(), "补登"
		return row
	})
	m.plant(ReferenceReused, 6, func(int) Row {
		row, old := m.alone(m.volunteer(), 2*60), m.after(clean)
		row.Organization, row.Reference, row.order = old.Organization, old.Reference, old.order
		return row
	})
}

// overlaps plants shifts of one person at two places. The organization of the second comes later in the
// list, and so in the import.
func (m *maker) overlaps(clean []Row) {
	index := map[string]int{}
	for i, o := range m.c.Organizations {
		index[o.Name] = i
	}
	last := len(m.c.Organizations) - 1
	m.plant(TwoPlaces, 15, func(int) Row {
		row := m.after(clean)
		for row.Start == "" || index[row.Organization] == last {
			row = m.after(clean)
		}
		at := index[row.Organization]
		row.Organization = m.c.Organizations[at+1+m.r.IntN(last-at)].Name
		row.Reference, row.SignIn, row.SignOut, row.Confirmed = m.reference(), "", "", ""
		m.filed(&row)
		return row
	})
}

// unreadable plants rows that do not say who served, or where.
func (m *maker) unreadable() {
	m.change(Nobody, 6, func(i int, row *Row) { row.Volunteer = []string{"", "NA", "-"}[i%3] })
	m.change(Unregistered, 8, func(i int, row *Row) { row.Volunteer = fmt.Sprintf("YZ999999999%02d", i) })
	m.change(NoOrganization, 6, func(i int, row *Row) {
		row.Organization = []string{"云泽区不存在的队", "", "某某中心"}[i%3]
	})
	m.change(Absence, 12, func(i int, row *Row) {
		row.Absent, row.Hours, row.Note = "是", "0", []string{"电话请假", "未到，未请假"}[i%2]
	})
}

func (m *maker) dates() {
	m.change(NotYet, 4, func(i int, row *Row) { row.Date = fmt.Sprintf("2099-01-%02d", i+1) })
	m.plant(BeforeBirth, 3, func(int) Row { // a 2 typed as a 0: 2026 became 2006
		v := m.volunteer()
		for v.bornUntil(wardBornFrom - 1) {
			v = m.volunteer()
		}
		row := m.alone(v, 2*60)
		row.Date = "2006" + row.Date[len("2006"):]
		return row
	})
	m.change(NoSuchDay, 8, func(i int, row *Row) { row.Date = []string{"2026-02-30", "2026/13/01", "昨天", ""}[i%4] })
}

func (m *maker) amounts() {
	m.change(TooManyHours, 6, func(i int, row *Row) { row.Hours = []string{"26", "26", "50", "70", "208", "512"}[i] })
	m.change(NoHours, 5, func(_ int, row *Row) { row.Hours = "0" })
	m.change(NegativeHours, 3, func(_ int, row *Row) { row.Hours = "-2" })
	m.change(HoursInWords, 3, func(_ int, row *Row) { row.Hours = "两小时" })
	m.change(MoreThanClock, 4, func(_ int, row *Row) { row.Start, row.End, row.Hours = "09:00", "10:00", "3" })
	m.change(ClockDiffers, 24, func(i int, row *Row) {
		row.Start, row.End = []string{"09:03", "13:58", "18:30"}[i%3], []string{"10:58", "16:05", "20:20"}[i%3]
	})
}

// longDays plants days of more than eight hours, and shifts over midnight.
func (m *maker) longDays() {
	long := func(row *Row) { m.filed(row); row.Hours = "10" }
	m.change(LongDay, 6, func(_ int, row *Row) { long(row) })
	var first Row
	m.plant(LongDay, 8, func(i int) Row { // by twos: a morning and an afternoon of one day
		if i%2 == 0 {
			first = m.alone(m.volunteer(), 5*60)
			m.filed(&first)
			first.Start, first.End = "08:00", "13:00"
			return first
		}
		second := first
		second.Start, second.End, second.Reference = "13:00", "18:00", m.reference()
		return second
	})
	m.plant(OverMidnight, 6, func(int) Row { // by adults; the next day is empty, so that nothing overlaps
		for {
			v := m.volunteer()
			cal := m.calendars[v.Ref]
			if day := m.day(v); v.bornUntil(adultBornUntil) && cal.empty(day) && cal.empty(day+1) {
				cal.take(day, dayMinutes)
				cal.take(day+1, dayMinutes)
				row := m.row(v, day, 4*60, span{22 * 60, 26 * 60})
				row.Activity, row.Service = "夜间巡查", "GRID-PATROL"
				return row
			}
		}
	})
}

// suspicious plants what is recorded and yet worth a look: it earns little or nothing.
func (m *maker) suspicious() {
	m.plant(MonthInOneRow, 12, func(month int) Row {
		day := int(firstDay.AddDate(0, month+1, -1).Sub(firstDay) / (24 * time.Hour))
		v := m.volunteer()
		for !m.calendars[v.Ref].empty(day) {
			v = m.volunteer()
		}
		m.calendars[v.Ref].take(day, dayMinutes)
		row := m.row(v, day, 20*60)
		row.Activity, row.Service = "月度汇总", ""
		return row
	})
	m.change(BareWord, 30, func(i int, row *Row) { // the clerk approves alone, or nobody does
		row.Filed, row.SignIn, row.SignOut, row.Confirmed = "", "", "", ""
		row.Approver = []string{"", row.Recorder}[i%2]
	})
	faked := m.faked()
	m.plant(SixtyAtNight, len(faked), func(i int) Row {
		v := faked[i]
		return Row{Volunteer: v.Ref, Name: v.Name, Organization: m.c.Organizations[union].Name, Activity: "关爱老人", Service: "TALK",
			Date: isoDay(fakedDay), Start: clock(fakedFrom), End: clock(fakedFrom + fakedMinutes), Hours: hours(fakedMinutes), Filed: "补录",
			Recorder: "张三", Approver: "张三", Entered: isoDay(days-1) + " " + clock(fakedFrom+i/6), Note: "补录", Reference: m.reference(),
			order: days*dayMinutes + i}
	})
}

// cosmetic plants what must not matter: space around a number, another's name beside it, notes with commas,
// quotation marks and lines.
func (m *maker) cosmetic() {
	m.change(SpaceAround, 10, func(_ int, row *Row) { row.Volunteer = " " + row.Volunteer + "　" })
	m.change(OtherName, 4, func(_ int, row *Row) { row.Name = strings.Repeat(string([]rune(row.Name)[:1]), 2) })
	m.change(NoteWithMarks, 6, func(i int, row *Row) {
		row.Note = []string{`老人说"很满意", 下周再来`, "雨天, 提前结束", "送餐3户\n陪聊1户"}[i%3]
	})
}

package city

import "fmt"

// story gives the people of the story what their story needs.
func (m *maker) story() {
	byRef := map[string]Volunteer{}
	for _, v := range m.c.Volunteers {
		byRef[v.Ref] = v
	}
	for _, x := range []struct {
		ref        string
		n, minutes int
	}{{m.c.Story.Elder, 9, 120}, {m.c.Story.Poor, 1, 30}, {m.c.Story.Young, 6, 90}} {
		for range x.n {
			row := m.clean(byRef[x.ref], x.minutes)
			row.SignIn, row.SignOut, row.Confirmed, row.Approver = "", "", "", "站长1"
			row.Filed = "签到册-" + row.Date[:7]
			m.rows = append(m.rows, row)
		}
	}
}

// dirt plants what real sheets have, each with what must become of it. Rows are put behind the clean ones,
// so that of two that collide the clean one is recorded.
func (m *maker) dirt() {
	clean := m.rows[:len(m.rows):len(m.rows)]
	plant := func(n int, want Answer, change func(i int, row *Row)) {
		for i := range n {
			row := m.clean(m.volunteer(), m.minutes())
			row.Want = want
			change(i, &row)
			m.rows = append(m.rows, row)
		}
	}
	copyOf := func() Row { return clean[16+m.r.IntN(len(clean)-16)] } // not of the story's
	refused := func(code, planted string) Answer { return Answer{"refused", code, planted} }

	plant(45, refused("shift_repeated", "exact duplicate"), func(_ int, row *Row) {
		want := row.Want
		*row = copyOf()
		row.Want = want
	})
	plant(20, refused("shift_repeated", "same shift under another reference"), func(_ int, row *Row) {
		want, reference := row.Want, row.Reference
		*row = copyOf()
		row.Want, row.Reference = want, reference
	})
	m.overlaps(clean)
	plant(6, refused("reference_repeated", "reference used before"), func(_ int, row *Row) {
		old := copyOf()
		row.Organization, row.Reference = old.Organization, old.Reference
	})
	m.amounts(plant, refused)
	plant(6, refused("volunteer_missing", "nobody named"), func(i int, row *Row) { row.Volunteer = []string{"", "NA", "-"}[i%3] })
	plant(8, refused("volunteer_unknown", "not registered"), func(i int, row *Row) { row.Volunteer = fmt.Sprintf("YZ999999999%02d", i) })
	plant(4, refused("date_in_future", "not come yet"), func(i int, row *Row) { row.Date = fmt.Sprintf("2099-01-%02d", i+1) })
	plant(3, refused("date_before_birth", "a wrong century"), func(i int, row *Row) { row.Date = fmt.Sprintf("1926-03-%02d", i+1) })
	plant(6, refused("date_malformed", "no day of the calendar"), func(i int, row *Row) { row.Date = []string{"2026-02-30", "2026-13-01", "昨天"}[i%3] })
	plant(4, refused("organization_unknown", "no such organization"), func(_ int, row *Row) { row.Organization = "云泽区不存在的队" })
	plant(12, Answer{"ignored", "", "absent"}, func(_ int, row *Row) { row.Absent, row.Hours = "是", "0" })
	m.suspicious(plant)
}

// overlaps plants shifts of one person at two places. The organization of the second comes later in the
// list, and so in the import.
func (m *maker) overlaps(clean []Row) {
	index := map[string]int{}
	for i, o := range m.c.Organizations {
		index[o.Name] = i
	}
	for n := 0; n < 15; {
		row := clean[16+m.r.IntN(len(clean)-16)]
		at := index[row.Organization]
		if row.Start == "" || at == len(m.c.Organizations)-1 {
			continue
		}
		row.Organization = m.c.Organizations[at+1+m.r.IntN(len(m.c.Organizations)-at-1)].Name
		row.Reference, row.Want = m.reference(), Answer{"refused", "shift_overlaps", "one person at two places"}
		m.rows = append(m.rows, row)
		n++
	}
}

func (m *maker) amounts(plant func(int, Answer, func(int, *Row)), refused func(code, planted string) Answer) {
	bare := func(row *Row, hours string) {
		row.Hours, row.Start, row.End, row.SignIn, row.SignOut = hours, "", "", "", ""
	}
	plant(6, refused("minutes_out_of_range", "more hours than a day has"), func(i int, row *Row) {
		bare(row, []string{"26", "26", "50", "70", "208", "512"}[i])
	})
	plant(5, refused("minutes_out_of_range", "no hours"), func(_ int, row *Row) { bare(row, "0") })
	plant(3, refused("minutes_out_of_range", "negative hours"), func(_ int, row *Row) { bare(row, "-2") })
	plant(3, refused("amount_malformed", "hours in words"), func(_ int, row *Row) { bare(row, "两小时") })
	plant(4, refused("minutes_exceed_clock", "two hours more than the clock"), func(_ int, row *Row) {
		row.Start, row.End, row.Hours = "09:00", "10:00", "3"
	})
	plant(10, Answer{"recorded", "", "clock and hours differ by minutes"}, func(_ int, row *Row) {
		row.Start, row.End, row.Hours = "09:03", "10:58", "2"
	})
}

// suspicious plants what is recorded and yet worth a look: it earns little or nothing.
func (m *maker) suspicious(plant func(int, Answer, func(int, *Row))) {
	plant(10, Answer{"recorded", "", "more than eight hours in a day"}, func(_ int, row *Row) {
		row.Hours, row.Start, row.End, row.SignIn, row.SignOut, row.Filed, row.Approver = "10", "", "", "", "", "签到册-长班", "站长1"
	})
	plant(12, Answer{"recorded", "", "a month's hours in one row at its end"}, func(i int, row *Row) {
		row.Date = isoDay(i, monthDays[i])
		row.Hours, row.Start, row.End, row.SignIn, row.SignOut = "20", "", "", "", ""
		row.Activity = "月度汇总" // its own activity, so that it is no other shift of that day
	})
	// One clerk, one night, sixty times the same: recorder and approver are one, so it is a bare word.
	for _, v := range m.c.Volunteers[40:100] {
		m.rows = append(m.rows, Row{Volunteer: v.Ref, Name: v.Name, Organization: m.c.Organizations[10].Name, Activity: "关爱老人", Service: "TALK",
			Date: "2026-06-28", Hours: "5", Filed: "补录", Recorder: "张三", Approver: "张三", Reference: m.reference(),
			Want: Answer{"recorded", "", "sixty identical rows by one clerk"}})
	}
}

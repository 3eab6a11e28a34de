package policy

import (
	"slices"
	"strings"

	"timebank/ledger"
)

// calendarDaysMax bounds the days a calendar names: ten years of public holidays are a few hundred.
const calendarDaysMax = 2000

// workdays tells which days people work: Monday to Friday, but for holidays, and the days of weekends
// that are worked in exchange.
type workdays struct {
	free   []ledger.Date // Mondays to Fridays that are holidays, in order
	worked []ledger.Date // Saturdays and Sundays that are worked, in order
}

type calendarDoc struct {
	Holidays []word `yaml:"holidays"`
	Worked   []word `yaml:"worked"`
	Source   word   `yaml:"source"`
}

func (p *parser) calendar(r *Rules, doc calendarDoc) {
	r.workdays.free = p.days(doc.Holidays, func(d ledger.Date) bool { return !weekend(d) })
	r.workdays.worked = p.days(doc.Worked, weekend)
	if len(doc.Holidays)+len(doc.Worked) > 0 && doc.Source.blank() {
		p.fault(lineOf(append(doc.Holidays, doc.Worked...)...), "the calendar names no source")
	}
}

// days reads days and spans of days, "2026-10-01..2026-10-07", keeps those that matter, and sorts them.
func (p *parser) days(words []word, matters func(ledger.Date) bool) (days []ledger.Date) {
	for _, w := range words {
		first, last, isSpan := strings.Cut(w.value, "..")
		if !isSpan {
			last = first
		}
		from, err1 := ledger.ParseDate(first)
		to, err2 := ledger.ParseDate(last)
		if err1 != nil || err2 != nil || to < from || int(to-from) > calendarDaysMax {
			p.fault(w.line, "a day of the calendar is a date or a span such as 2026-10-01..2026-10-07, not %q", w.value)
			continue
		}
		for d := from; d <= to; d++ {
			if matters(d) {
				days = append(days, d)
			}
		}
		if len(days) > calendarDaysMax {
			p.fault(w.line, "the calendar names more than %d days", calendarDaysMax)
			return nil
		}
	}
	slices.Sort(days)
	return slices.Compact(days)
}

// weekday gives 0 for Monday to 6 for Sunday: 1 January 1970 was a Thursday.
func weekday(d ledger.Date) int64 {
	return ((int64(d)+3)%7 + 7) % 7
}

func weekend(d ledger.Date) bool { return weekday(d) >= 5 }

// after counts the working days after one day up to and with another; 0 when there are none.
func (w *workdays) after(from, to ledger.Date) int64 {
	if to <= from {
		return 0
	}
	return mondaysToFridays(to) - mondaysToFridays(from) - between(w.free, from, to) + between(w.worked, from, to)
}

// mondaysToFridays counts them from a Monday before all dates up to and with a day.
func mondaysToFridays(d ledger.Date) int64 {
	const monday = -3 - 7*60_000 // -3 is Monday, 29 December 1969
	days := int64(d) - monday
	return days/7*5 + min(days%7+1, 5)
}

// between counts the days after one day up to and with another.
func between(days []ledger.Date, from, to ledger.Date) int64 {
	first, _ := slices.BinarySearch(days, from+1)
	last, _ := slices.BinarySearch(days, to+1)
	return int64(last - first)
}

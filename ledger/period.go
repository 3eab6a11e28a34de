package ledger

import (
	"fmt"
	"time"
)

// Period is a span of the calendar by which rules count.
type Period string

// The periods of the calendar.
const (
	Day      Period = "day"
	Month    Period = "month"
	Quarter  Period = "quarter"
	HalfYear Period = "half_year"
	Year     Period = "year"
)

// monthsIn gives how many months a period spans; a day spans none.
var monthsIn = map[Period]int{Day: 0, Month: 1, Quarter: 3, HalfYear: 6, Year: 12}

// ParsePeriod reads the name of a period, or gives [ErrInvalid].
func ParsePeriod(s string) (Period, error) {
	if _, ok := monthsIn[Period(s)]; !ok {
		return "", fmt.Errorf("%w: %q is no period; there are day, month, quarter, half_year and year", ErrInvalid, s)
	}
	return Period(s), nil
}

// Start gives the first day of the period that a date lies in.
func (p Period) Start(d Date) Date {
	n := monthsIn[p]
	if n == 0 {
		return d
	}
	year, month, _ := d.Time().Date()
	return dateOf(year, month-(month-1)%time.Month(n), 1)
}

// End gives the last day of the period that a date lies in.
func (p Period) End(d Date) Date {
	n := monthsIn[p]
	if n == 0 {
		return d
	}
	year, month, _ := p.Start(d).Time().Date()
	return dateOf(year, month+time.Month(n), 1) - 1
}

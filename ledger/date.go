package ledger

import (
	"fmt"
	"time"
)

// Date is a civil day in the calendar of the book's place, with no time and no zone: the number of
// days since 1 January 1970.
type Date int32

const dateLayout = "2006-01-02"

// The span of dates the ledger accepts: nobody alive was born before it, and nothing it records lies
// after it.
var (
	DateMin = dateOf(1880, time.January, 1)
	DateMax = dateOf(2199, time.December, 31)
)

const daySeconds = 24 * 60 * 60

func dateOf(y int, m time.Month, d int) Date {
	return Date(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / daySeconds)
}

// ParseDate reads an ISO 8601 calendar date, "2026-03-05". A day that the calendar does not have, or
// one outside [DateMin] to [DateMax], is [ErrInvalid].
func ParseDate(s string) (Date, error) {
	year, month, day, ok := digitsOf(s)
	d := dateOf(year, time.Month(month), day)
	if !ok || !d.is(year, time.Month(month), day) {
		return 0, fmt.Errorf("%w: %q is not a calendar date like 2026-03-05", ErrInvalid, s)
	}
	if d < DateMin || d > DateMax {
		return 0, fmt.Errorf("%w: the date %s lies outside %s to %s", ErrInvalid, s, DateMin, DateMax)
	}
	return d, nil
}

// digitsOf reads "2026-03-05" without asking whether the calendar has it. Every claim that is verified has several dates, and
// a layout that time.Parse reads anew each time takes five times as long.
func digitsOf(s string) (year, month, day int, ok bool) {
	if len(s) != len(dateLayout) || s[4] != '-' || s[7] != '-' {
		return 0, 0, 0, false
	}
	number := func(digits string) (n int) {
		for i := range len(digits) {
			c := digits[i]
			if c < '0' || c > '9' {
				return -1
			}
			n = n*10 + int(c-'0')
		}
		return n
	}
	year, month, day = number(s[:4]), number(s[5:7]), number(s[8:])
	return year, month, day, year >= 0 && month >= 0 && day >= 0
}

// is reports whether d is that day, and not one that the calendar made of it (30 February).
func (d Date) is(year int, month time.Month, day int) bool {
	y, m, on := d.Time().Date()
	return y == year && m == month && on == day
}

// DateFrom gives the civil date of year, month and day, or [ErrInvalid] when the calendar has no such
// day (30 February).
func DateFrom(year, month, day int) (Date, error) {
	return ParseDate(fmt.Sprintf("%04d-%02d-%02d", year, month, day))
}

// DateOf gives the civil date that t shows in its own location.
func DateOf(t time.Time) Date { return dateOf(t.Date()) }

// Time gives midnight UTC of the date, for libraries that want a time.Time.
func (d Date) Time() time.Time { return time.Unix(int64(d)*daySeconds, 0).UTC() }

// String gives the date in ISO 8601, "2026-03-05".
func (d Date) String() string { return string(d.Append(make([]byte, 0, len(dateLayout)))) }

// Append appends what String gives.
func (d Date) Append(b []byte) []byte {
	year, month, day := d.Time().Date()
	if year < 0 || year > 9999 {
		return d.Time().AppendFormat(b, dateLayout)
	}
	digit := func(n int) byte { return byte('0' + n%10) }
	return append(b, digit(year/1000), digit(year/100), digit(year/10), digit(year), '-', digit(int(month)/10), digit(int(month)), '-', digit(day/10), digit(day))
}

// AddMonths gives the same day n months later (or earlier, when negative), or the last day of that month
// when it is shorter.
func (d Date) AddMonths(n int) Date {
	year, month, day := d.Time().Date()
	start := dateOf(year, month+time.Month(n), 1)
	return min(start+Date(day)-1, Month.End(start))
}

// LeapBirthday says on which day of a common year somebody born on 29 February turns a year older.
type LeapBirthday string

// The two conventions laws follow.
const (
	LeapFebruary28 LeapBirthday = "02-28"
	LeapMarch1     LeapBirthday = "03-01"
)

// Age gives the full years between born and on; a birthday counts from its first minute. It is
// negative when on lies before born.
func Age(born, on Date, leap LeapBirthday) int {
	by, bm, bd := born.Time().Date()
	oy, om, od := on.Time().Date()
	if bm == time.February && bd == 29 && !leapYear(oy) {
		if leap == LeapFebruary28 {
			bd = 28
		} else {
			bm, bd = time.March, 1
		}
	}
	years := oy - by
	if om < bm || om == bm && od < bd {
		years--
	}
	return years
}

func leapYear(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

// Clock is a time of day on a wall clock: minutes since midnight, 0 to 1439.
type Clock int16

// ParseClock reads "09:30".
func ParseClock(s string) (Clock, error) {
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return 0, fmt.Errorf("%w: %q is not a time of day like 09:30", ErrInvalid, s)
	}
	return Clock(t.Hour()*60 + t.Minute()), nil
}

// String gives the time of day as "09:30".
func (c Clock) String() string {
	if c < 0 || c >= 100*60 {
		return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60)
	}
	h, m := byte(c/60), byte(c%60)
	return string([]byte{'0' + h/10, '0' + h%10, ':', '0' + m/10, '0' + m%10})
}

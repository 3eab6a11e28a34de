package ledger_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"timebank/ledger"
)

// date reads a date that the test knows to be good.
func date(t testing.TB, s string) ledger.Date {
	t.Helper()
	d, err := ledger.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParseDate(t *testing.T) {
	tests := []struct {
		name, text string
		bad        bool
	}{
		{"a date is read", "2026-03-05", false},
		{"a leap day is read", "2028-02-29", false},
		{"the leap day of 2000 is read", "2000-02-29", false},
		{"a day before 1970 is read", "1950-10-01", false},
		{"the first day is read", "1880-01-01", false},
		{"the last day is read", "2199-12-31", false},
		{"the day before the first is refused", "1879-12-31", true},
		{"the day after the last is refused", "2200-01-01", true},
		{"a leap day of a common year is refused", "2026-02-29", true},
		{"a leap day of 1900 is refused", "1900-02-29", true},
		{"a day 0 is refused", "2026-03-00", true},
		{"a month 13 is refused", "2026-13-01", true},
		{"a 31 April is refused", "2026-04-31", true},
		{"no zeros in front is refused", "2026-3-5", true},
		{"slashes are refused", "2026/03/05", true},
		{"another order is refused", "05-03-2026", true},
		{"a time behind is refused", "2026-03-05T00:00:00Z", true},
		{"spaces are refused", " 2026-03-05", true},
		{"a sign is refused", "+2026-03-05", true},
		{"an empty text is refused", "", true},
		{"a week date is refused", "2026-W10-4", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ledger.ParseDate(tt.text)
			if errors.Is(err, ledger.ErrInvalid) != tt.bad || err == nil && got.String() != tt.text {
				t.Errorf("ParseDate(%q) = %s, %v, want refused %t", tt.text, got, err, tt.bad)
			}
		})
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-03-05", "1880-01-01", "2199-12-31", "0000-01-01", "2026-02-29", "20260305"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ledger.ParseDate(s)
		switch {
		case err != nil && !errors.Is(err, ledger.ErrInvalid):
			t.Errorf("ParseDate(%q) = %v, want ErrInvalid", s, err)
		case err == nil && (d.String() != s || d < ledger.DateMin || d > ledger.DateMax):
			t.Errorf("ParseDate(%q) = %s", s, d)
		}
		day, err2 := time.Parse("2006-01-02", s)
		if want := ledger.DateOf(day); err == nil && (err2 != nil || want != d) || err != nil && err2 == nil && want >= ledger.DateMin && want <= ledger.DateMax {
			t.Errorf("ParseDate(%q) = %s, %v; the library says %s, %v", s, d, err, want, err2)
		}
	})
}

// Every date that there is, and some that the ledger takes no more, is written as the library writes it.
func TestDate_is_written_as_the_library_writes_it(t *testing.T) {
	for d := ledger.DateMin - 700_000; d <= ledger.DateMax+3_000_000; d += 17 {
		if want := d.Time().Format("2006-01-02"); d.String() != want {
			t.Fatalf("String() = %s, want %s", d, want)
		}
	}
}

func TestDate_counts_days(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := ledger.Date(rapid.Int32Range(int32(ledger.DateMin), int32(ledger.DateMax)).Draw(t, "date"))
		if back, err := ledger.ParseDate(d.String()); err != nil || back != d {
			t.Fatalf("ParseDate(%q) = %d, %v, want %d", d, back, err, d)
		}
		y, m, day := d.Time().Date()
		if got, err := ledger.DateFrom(y, int(m), day); err != nil || got != d {
			t.Fatalf("DateFrom(%d, %d, %d) = %s, %v, want %s", y, m, day, got, err, d)
		}
		if next := (d + 1).Time(); !next.Equal(d.Time().AddDate(0, 0, 1)) {
			t.Fatalf("the day after %s is %s", d, next)
		}
	})
}

func TestDateFrom_refuses_days_that_the_calendar_does_not_have(t *testing.T) {
	for _, c := range [][3]int{{2026, 2, 30}, {2026, 0, 1}, {2026, 13, 1}, {2026, 1, 0}, {2026, 1, 32}, {-1, 1, 1}, {12026, 1, 1}, {1700, 1, 1}} {
		if got, err := ledger.DateFrom(c[0], c[1], c[2]); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("DateFrom(%v) = %s, %v, want ErrInvalid", c, got, err)
		}
	}
}

func TestDateOf_is_the_day_on_the_wall_there(t *testing.T) {
	china := time.FixedZone("China", 8*60*60)
	evening := time.Date(2026, time.March, 5, 16, 30, 0, 0, time.UTC)
	if got, want := ledger.DateOf(evening), date(t, "2026-03-05"); got != want {
		t.Errorf("DateOf in UTC = %s, want %s", got, want)
	}
	if got, want := ledger.DateOf(evening.In(china)), date(t, "2026-03-06"); got != want {
		t.Errorf("DateOf in China = %s, want %s", got, want)
	}
	if got, want := ledger.DateOf(time.Date(1969, time.December, 31, 23, 0, 0, 0, time.UTC)), ledger.Date(-1); got != want {
		t.Errorf("DateOf the last evening of 1969 = %d, want %d", got, want)
	}
}

func TestAge(t *testing.T) {
	tests := []struct {
		name, born, on string
		feb28, mar1    int // by the two conventions for those born on 29 February
	}{
		{"the day of birth is age 0", "1966-03-05", "1966-03-05", 0, 0},
		{"the day before the 60th birthday is 59", "1966-03-05", "2026-03-04", 59, 59},
		{"the 60th birthday is 60", "1966-03-05", "2026-03-05", 60, 60},
		{"the day after is 60", "1966-03-05", "2026-03-06", 60, 60},
		{"an earlier month of the year is 59", "1966-03-05", "2026-02-28", 59, 59},
		{"a later month of the year is 60", "1966-03-05", "2026-12-01", 60, 60},
		{"leap day: 27 February of a common year", "1964-02-29", "2026-02-27", 61, 61},
		{"leap day: 28 February of a common year", "1964-02-29", "2026-02-28", 62, 61},
		{"leap day: 1 March of a common year", "1964-02-29", "2026-03-01", 62, 62},
		{"leap day: 28 February of a leap year", "1964-02-29", "2028-02-28", 63, 63},
		{"leap day: 29 February of a leap year", "1964-02-29", "2028-02-29", 64, 64},
		{"leap day: 28 February of 2100, a common year", "2096-02-29", "2100-02-28", 4, 3},
		{"leap day: 28 February of 2000, a leap year", "1940-02-29", "2000-02-28", 59, 59},
		{"born on 28 February, on a leap day", "1964-02-28", "2028-02-29", 64, 64},
		{"born on 1 March, on a leap day", "1964-03-01", "2028-02-29", 63, 63},
		{"the day before birth is below 0", "1966-03-05", "1966-03-04", -1, -1},
		{"a child's last day at 13", "2012-12-31", "2026-12-30", 13, 13},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			born, on := date(t, tt.born), date(t, tt.on)
			if got := ledger.Age(born, on, ledger.LeapFebruary28); got != tt.feb28 {
				t.Errorf("Age(%s, %s, 28 February) = %d, want %d", born, on, got, tt.feb28)
			}
			if got := ledger.Age(born, on, ledger.LeapMarch1); got != tt.mar1 {
				t.Errorf("Age(%s, %s, 1 March) = %d, want %d", born, on, got, tt.mar1)
			}
		})
	}
}

func TestAge_grows_by_at_most_one_a_day_and_once_a_year(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		born := ledger.Date(rapid.Int32Range(int32(ledger.DateMin), int32(ledger.DateMax)-400).Draw(t, "born"))
		on := ledger.Date(rapid.Int32Range(int32(born), int32(ledger.DateMax)-366).Draw(t, "on"))
		leap := rapid.SampledFrom([]ledger.LeapBirthday{ledger.LeapFebruary28, ledger.LeapMarch1}).Draw(t, "leap")
		age := ledger.Age(born, on, leap)
		if next := ledger.Age(born, on+1, leap); age < 0 || next < age || next > age+1 {
			t.Fatalf("born %s: %d on %s, %d the day after", born, age, on, next)
		}
		if later := ledger.Age(born, on+366, leap); later <= age || later > age+2 {
			t.Fatalf("born %s: %d on %s, %d after 366 days", born, age, on, later)
		}
	})
}

func TestParseClock(t *testing.T) {
	tests := []struct {
		name, text string
		want       ledger.Clock
		bad        bool
	}{
		{"midnight is read", "00:00", 0, false},
		{"half past nine is read", "09:30", 570, false},
		{"the last minute is read", "23:59", 1439, false},
		{"24:00 is refused", "24:00", 0, true},
		{"minute 60 is refused", "09:60", 0, true},
		{"one digit is refused", "9:30", 0, true},
		{"seconds are refused", "09:30:00", 0, true},
		{"a dot is refused", "09.30", 0, true},
		{"afternoon is refused", "09:30pm", 0, true},
		{"an empty text is refused", "", 0, true},
		{"a sign is refused", "-9:30", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ledger.ParseClock(tt.text)
			if got != tt.want || errors.Is(err, ledger.ErrInvalid) != tt.bad {
				t.Errorf("ParseClock(%q) = %d, %v, want %d, refused %t", tt.text, got, err, tt.want, tt.bad)
			}
		})
	}
}

func FuzzParseClock(f *testing.F) {
	f.Add("09:30")
	f.Add("9:300")
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := ledger.ParseClock(s); err == nil && (c < 0 || c > 1439 || c.String() != s) {
			t.Errorf("ParseClock(%q) = %d, which is written %q", s, int16(c), c)
		}
	})
}

func TestClock_String_reads_back_for_every_minute_of_a_day(t *testing.T) {
	for c := ledger.Clock(0); c < 24*60; c++ {
		if got, err := ledger.ParseClock(c.String()); err != nil || got != c {
			t.Errorf("ParseClock(%q) = %d, %v, want %d", c, got, err, int16(c))
		}
	}
}

func ExampleAge() {
	born, _ := ledger.DateFrom(1964, 2, 29)
	on, _ := ledger.DateFrom(2026, 2, 28)
	fmt.Println(ledger.Age(born, on, ledger.LeapFebruary28), ledger.Age(born, on, ledger.LeapMarch1))
	// Output: 62 61
}

func ExampleParseDate() {
	_, err := ledger.ParseDate("2026-02-30")
	fmt.Println(err)
	// Output: invalid: "2026-02-30" is not a calendar date like 2026-03-05
}

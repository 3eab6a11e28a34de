package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"timebank/ledger"
	"timebank/policy"
)

// lateness gives the shipped set without its rules about lateness but one: more working days late than so
// many are refused; with a calendar.
func lateness(t testing.TB, most, calendar string) *policy.Rules {
	t.Helper()
	source := strings.NewReplacer("working_days_late > 10 && !second_approver", "working_days_late > "+most, "\n# What people choose", "\n"+calendar+"\n# What people choose").
		Replace(string(policy.Shipped()))
	r, err := policy.Parse([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWorkingDays_leave_out_weekends_and_holidays(t *testing.T) {
	t.Parallel()
	const golden = "calendar:\n  holidays: [2026-10-01..2026-10-07, 2026-01-01]\n  worked: [2026-10-10, 2026-09-30]\n  source: test\n"
	for _, tt := range []struct {
		name, calendar, served, posted string
		days                           int64
	}{
		{"the same day", "", "2026-03-05", "2026-03-05", 0},
		{"Thursday to Friday", "", "2026-03-05", "2026-03-06", 1},
		{"Friday to Sunday", "", "2026-03-06", "2026-03-08", 0},
		{"Friday to Monday", "", "2026-03-06", "2026-03-09", 1},
		{"Sunday to Monday", "", "2026-03-08", "2026-03-09", 1},
		{"a week", "", "2026-03-05", "2026-03-12", 5},
		{"over the golden week, of which a weekend is worked", golden, "2026-09-30", "2026-10-12", 4},
		{"the same without a calendar", "", "2026-09-30", "2026-10-12", 8},
		{"New Year's Day", golden, "2025-12-31", "2026-01-02", 1},
		{"a century", "", "1926-03-05", "2026-03-05", 26089},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := facts(60)
			f.ServedOn, f.Today = mustDate(t, tt.served), mustDate(t, tt.posted)
			if _, err := lateness(t, fmt.Sprint(tt.days), tt.calendar).Decide(f); err != nil {
				t.Errorf("%d working days are too many: %v", tt.days, err)
			}
			if tt.days == 0 {
				return
			}
			if _, err := lateness(t, fmt.Sprint(tt.days-1), tt.calendar).Decide(f); err == nil {
				t.Errorf("%d working days are not more than %d", tt.days, tt.days-1)
			}
		})
	}
}

func mustDate(t testing.TB, s string) ledger.Date {
	t.Helper()
	d, err := ledger.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The formula counts what counting day by day counts.
func TestWorkingDays_are_those_of_the_calendar(t *testing.T) {
	t.Parallel()
	none := lateness(t, "0", "")
	rapid.Check(t, func(t *rapid.T) {
		f := facts(60)
		f.ServedOn = ledger.Date(rapid.Int32Range(int32(ledger.DateMin), int32(ledger.DateMax)-40).Draw(t, "served"))
		f.Today = f.ServedOn + ledger.Date(rapid.Int32Range(0, 9).Draw(t, "late"))
		working := false
		for d := f.ServedOn + 1; d <= f.Today; d++ {
			day := d.Time().Weekday()
			working = working || day != 0 && day != 6
		}
		if _, err := none.Decide(f); (err != nil) != working {
			t.Fatalf("from %s to %s: %v, a working day among them: %t", f.ServedOn, f.Today, err, working)
		}
	})
}

package ledger_test

import (
	"testing"

	"pgregory.net/rapid"

	"timebank/ledger"
)

func TestPeriod_has_its_first_and_last_day(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ period, in, start, end string }{
		{"day", "2024-02-29", "2024-02-29", "2024-02-29"},
		{"month", "2024-02-29", "2024-02-01", "2024-02-29"},
		{"month", "2025-12-31", "2025-12-01", "2025-12-31"},
		{"quarter", "2026-03-31", "2026-01-01", "2026-03-31"},
		{"quarter", "2026-04-01", "2026-04-01", "2026-06-30"},
		{"half_year", "2026-06-30", "2026-01-01", "2026-06-30"},
		{"half_year", "2026-12-05", "2026-07-01", "2026-12-31"},
		{"year", "1969-07-20", "1969-01-01", "1969-12-31"},
	} {
		p, err := ledger.ParsePeriod(tt.period)
		if err != nil {
			t.Fatal(err)
		}
		in := date(t, tt.in)
		if start, end := p.Start(in), p.End(in); start.String() != tt.start || end.String() != tt.end {
			t.Errorf("the %s of %s is %s to %s, want %s to %s", p, in, start, end, tt.start, tt.end)
		}
	}
	if _, err := ledger.ParsePeriod("week"); err == nil {
		t.Error("ParsePeriod(week) = nil error, want one: weeks do not fit into months")
	}
}

// Periods of a kind follow each other without gap or overlap.
func TestPeriod_follows_period(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom([]ledger.Period{ledger.Day, ledger.Month, ledger.Quarter, ledger.HalfYear, ledger.Year}).Draw(t, "period")
		d := ledger.Date(rapid.Int32Range(int32(ledger.DateMin), int32(ledger.DateMax)).Draw(t, "date"))
		start, end := p.Start(d), p.End(d)
		if start > d || d > end || p.Start(start) != start || p.End(start) != end || p.Start(end+1) != end+1 {
			t.Fatalf("the %s of %s is %s to %s", p, d, start, end)
		}
	})
}

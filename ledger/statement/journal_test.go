package statement_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"timebank/ledger"
	"timebank/ledger/statement"
)

// written gives what a form makes of three entries: one on the last day of a month, one recorded after it for
// the month before, and a fact without postings.
func written(t *testing.T, format string) string {
	t.Helper()
	day := func(s string) ledger.Date {
		d, err := ledger.ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	record := func(seq ledger.Seq, on string, m ledger.Minutes) ledger.Record {
		r := ledger.Record{Entry: ledger.Entry{Seq: seq, Draft: ledger.Draft{Kind: ledger.KindHours, Effective: day(on)}}}
		for _, l := range []struct {
			owner   ledger.OwnerKind
			purpose ledger.Purpose
			id      ledger.AccountID
			m       ledger.Minutes
		}{{ledger.OwnerBank, ledger.CareIssued, 1, -m}, {ledger.OwnerVolunteer, ledger.CarePurpose, 2, m}} {
			r.Lines = append(r.Lines, ledger.Posted{Posting: ledger.Posting{Account: l.id, Unit: ledger.Care, Minutes: l.m}, Owner: ledger.Owner{Kind: l.owner}, Purpose: l.purpose})
		}
		return r
	}
	var text strings.Builder
	f, ok := statement.FormatOf(format)
	if !ok {
		t.Fatalf("there is no format %s", format)
	}
	form := f.New()
	for _, r := range []ledger.Record{record(1, "2026-03-31", 60), {Entry: ledger.Entry{Seq: 2}}, record(3, "2026-02-28", 30)} {
		if err := form.Entry(&text, r); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range []ledger.Account{{ID: 1, Owner: ledger.Owner{Kind: ledger.OwnerBank}, Purpose: ledger.CareIssued, Unit: ledger.Care},
		{ID: 2, Owner: ledger.Owner{Kind: ledger.OwnerVolunteer}, Purpose: ledger.CarePurpose, Unit: ledger.Care}} {
		sign := ledger.Minutes(-1)
		if a.ID == 2 {
			sign = 1
		}
		ends := []statement.MonthEnd{{Day: day("2026-02-28"), Balance: 30 * sign}, {Day: day("2026-03-31"), Balance: 90 * sign}}
		if err := form.Account(&text, statement.MonthEnds{Account: a, Ends: ends}); err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}

// The programs check the balance at the end of each month, in the order of days: what was recorded late
// counts in the month that it is about.
func TestJournalsAssertMonthEnds(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{
		"hledger": `; Minutes, a commodity for each unit. Made by timebank export --format hledger.

2026-03-31 hours  ; entry:1
    bank:care-issued:0000000000000001  -60 CARE
    volunteer:care:0000000000000002  60 CARE

2026-02-28 hours  ; entry:3
    bank:care-issued:0000000000000001  -30 CARE
    volunteer:care:0000000000000002  30 CARE


2026-02-28 balance
    bank:care-issued:0000000000000001  0 CARE = -30 CARE

2026-03-31 balance
    bank:care-issued:0000000000000001  0 CARE = -90 CARE


2026-02-28 balance
    volunteer:care:0000000000000002  0 CARE = 30 CARE

2026-03-31 balance
    volunteer:care:0000000000000002  0 CARE = 90 CARE
`,
		"beancount": `; Minutes, a commodity for each unit. Made by timebank export --format beancount.

2026-03-31 * "hours"
  entry: 1
  Equity:Bank:Care-issued:A0000000000000001  -60 CARE
  Equity:Volunteer:Care:A0000000000000002  60 CARE

2026-02-28 * "hours"
  entry: 3
  Equity:Bank:Care-issued:A0000000000000001  -30 CARE
  Equity:Volunteer:Care:A0000000000000002  30 CARE

1880-01-01 open Equity:Bank:Care-issued:A0000000000000001 CARE
2026-03-01 balance Equity:Bank:Care-issued:A0000000000000001  -30 CARE
2026-04-01 balance Equity:Bank:Care-issued:A0000000000000001  -90 CARE

1880-01-01 open Equity:Volunteer:Care:A0000000000000002 CARE
2026-03-01 balance Equity:Volunteer:Care:A0000000000000002  30 CARE
2026-04-01 balance Equity:Volunteer:Care:A0000000000000002  90 CARE
`,
	} {
		if diff := cmp.Diff(want, written(t, format)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
	}
}

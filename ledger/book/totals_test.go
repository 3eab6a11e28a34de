package book_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
)

// oddBook is a book of two organizations at two places, in which each check has something to find.
func oddBook(t *testing.T) (b *booktest.Book, round, other ledger.Actor) {
	t.Helper()
	b = booktest.New(t)
	at := func(name, grid string) ledger.Actor {
		t.Helper()
		r, err := b.RegisterOrganization(t.Context(), booktest.Operator, b.Key(), book.Organization{Name: name, Kind: "social_organization",
			Place: ledger.Place{District: "云泽区", Street: "青桐街道", Community: "银杏社区", Grid: grid}})
		if err != nil {
			t.Fatal(err)
		}
		return b.Actor(t, ledger.RoleOrganization, r.ID)
	}
	round, other = at("整点社", "第一网格"), at("夜间社", "第二网格")
	elder, young := b.Volunteer(t, "1950-01-01"), b.Volunteer(t, "2004-01-01")
	for n := range 20 {
		c := booktest.Served(t, elder, fmt.Sprintf("2026-03-%02d", n+1), 60)
		c.Evidence.Recorder, c.Evidence.Approver, c.Evidence.Sheet = "w1", "w2", "7"
		b.MustPost(t, round, c)
	}
	b.MustPost(t, other, booktest.At(t, booktest.Served(t, young, "2026-03-02", 90), "22:30", "00:00"))
	early := booktest.At(t, booktest.Served(t, young, "2026-03-03", 60), "09:00", "10:00")
	early.Evidence.Recorder = "w9"
	b.MustPost(t, round, early)
	b.MustPost(t, other, booktest.At(t, booktest.Served(t, young, "2026-03-03", 50), "10:10", "11:00"))
	for _, day := range []string{"2026-04-01", "2026-04-02"} {
		b.MustPost(t, other, booktest.Served(t, young, day, 480))
	}
	taken := b.MustPost(t, other, booktest.Served(t, young, "2026-04-05", 300))
	if _, err := b.CorrectEntry(t.Context(), other, b.Key(), taken.Seq, "posted twice"); err != nil {
		t.Fatal(err)
	}
	return b, round, other
}

// Whatever claims are added up by, they come to what the trial balance has, and what was taken back counts nothing.
func TestTotalsAgreeWithTheTrialBalance(t *testing.T) {
	t.Parallel()
	b, _, _ := oddBook(t)
	trial, err := b.TrialBalance(t.Context(), booktest.Auditor, book.AsOf{})
	if err != nil {
		t.Fatal(err)
	}
	for unit, purpose := range map[ledger.Unit]ledger.Purpose{ledger.Service: ledger.Served, ledger.Care: ledger.CarePurpose, ledger.Youth: ledger.YouthRecord} {
		var want ledger.Minutes
		for _, r := range trial.Rows {
			if r.OwnerKind == ledger.OwnerVolunteer && r.Purpose == purpose {
				want = r.Balance
			}
		}
		for _, by := range []book.TotalsBy{book.ByOrganization, book.ByGroup, book.ByPlace, book.ByMonth} {
			rows, _, err := b.Totals(t.Context(), booktest.Auditor, book.TotalsFilter{By: by, Unit: unit})
			if err != nil {
				t.Fatal(err)
			}
			var sum ledger.Minutes
			for _, r := range rows {
				sum += r.Minutes
			}
			if sum != want || sum == 0 {
				t.Errorf("%s by %s: the rows %+v come to %d, the trial balance has %d", unit, by, rows, sum, want)
			}
		}
	}
	rows, _, err := b.Totals(t.Context(), booktest.Auditor, book.TotalsFilter{By: book.ByGroup, Unit: ledger.Service})
	if err != nil || len(rows) != 2 || rows[0].Key != "elderly" || rows[0].Minutes != 1200 || rows[1].Key != "young" {
		t.Errorf("groups: %+v, %v", rows, err)
	}
	rows, _, err = b.Totals(t.Context(), booktest.Auditor, book.TotalsFilter{By: book.ByPlace, Unit: ledger.Service})
	if err != nil || len(rows) != 2 || rows[0].Key != "云泽区/青桐街道/银杏社区/第一网格" || rows[0].Grid != "第一网格" || rows[0].Minutes != 1260 {
		t.Errorf("places: %+v, %v", rows, err)
	}
	if _, _, err := b.Totals(t.Context(), booktest.Operator, book.TotalsFilter{By: book.ByMonth, Unit: ledger.Service}); !errors.Is(err, ledger.ErrForbidden) {
		t.Errorf("the operator adds up: %v", err)
	}
}

// Each check finds what was put there for it, and nothing when its threshold is out of reach.
func TestOddities(t *testing.T) {
	t.Parallel()
	b, round, other := oddBook(t)
	run := func(check string, threshold int64) []book.Oddity {
		t.Helper()
		f := book.OdditiesFilter{Check: check, Limit: 100}
		if threshold > 0 {
			f.Threshold = &threshold
		}
		found, _, _, err := b.Oddities(t.Context(), booktest.Auditor, f)
		if err != nil {
			t.Fatalf("%s: %v", check, err)
		}
		return found
	}
	for _, x := range []struct {
		check        string
		organization string
		period       string
		claims       int64
		minutes      ledger.Minutes
		against      int64
		beyond       int64
	}{
		{"two_places", "", "2026-03-03", 2, 110, 10, 10},
		{"round_numbers", round.Subject, "", 21, 1260, 0, 22},
		{"night_hours", other.Subject, "2026-03-02", 1, 90, 90, 91},
		{"poster_share", round.Subject, "2026-03", 20, 1200, 1260, 96},
		{"sudden_jump", "", "2026-04", 2, 960, 200, 100},
		{"largest", other.Subject, "2026-04-01", 1, 480, 0, 481},
	} {
		found := run(x.check, 0)
		if len(found) == 0 {
			t.Errorf("%s finds nothing", x.check)
			continue
		}
		o := found[0]
		if o.Organization != x.organization || o.Period != x.period || o.Claims != x.claims || o.Minutes != x.minutes || o.Against != x.against || len(o.Seqs) == 0 || len(o.Seqs) > 20 {
			t.Errorf("%s finds %+v", x.check, o)
		}
		if found := run(x.check, x.beyond); len(found) != 0 {
			t.Errorf("%s beyond %d finds %+v", x.check, x.beyond, found)
		}
	}
	if found := run("sudden_jump", 0); len(found) != 2 || found[1].Organization != other.Subject || found[1].Against != 140 {
		t.Errorf("sudden_jump finds %+v, want the volunteer and the organization", found)
	}
	tooMuch := int64(999_999)
	if _, _, _, err := b.Oddities(t.Context(), booktest.Auditor, book.OdditiesFilter{Check: "largest", Threshold: &tooMuch, Limit: 1}); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("a threshold out of range: %v", err)
	}
	if _, _, _, err := b.Oddities(t.Context(), booktest.Auditor, book.OdditiesFilter{Check: "astrology", Limit: 1}); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a check that there is not: %v", err)
	}
}

// Entries are found by the rule set that decided them, by their minutes, and by what they are about.
func TestEntriesByRulesMinutesAndReference(t *testing.T) {
	t.Parallel()
	b, _, _ := oddBook(t)
	find := func(f book.EntryFilter) (kinds []string) {
		t.Helper()
		f.After, f.Limit = -1, 500
		found, err := b.Entries(t.Context(), booktest.Auditor, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range found {
			kinds = append(kinds, string(r.Kind))
		}
		return kinds
	}
	least, most := int64(300), int64(480)
	if got := find(book.EntryFilter{MinutesMin: &least, MinutesMax: &most}); !slices.Equal(got, []string{"hours", "hours", "hours", "correction"}) {
		t.Errorf("from 300 to 480 minutes: %v", got)
	}
	corrections, err := b.Entries(t.Context(), booktest.Auditor, book.EntryFilter{Kind: ledger.KindCorrection, After: -1, Limit: 1})
	if err != nil || len(corrections) != 1 {
		t.Fatal(err)
	}
	claim := int64(*corrections[0].Refers)
	if got := find(book.EntryFilter{RefersTo: &claim}); !slices.Equal(got, []string{"correction"}) {
		t.Errorf("what is about entry %d: %v", claim, got)
	}
	hours, err := b.Entry(t.Context(), booktest.Auditor, ledger.Seq(claim))
	if err != nil {
		t.Fatal(err)
	}
	if got := find(book.EntryFilter{Rules: &hours.Rules, Kind: ledger.KindHours}); len(got) != 26 {
		t.Errorf("%d claims were decided by the rules in force", len(got))
	}
	if got := find(book.EntryFilter{Rules: &ledger.Hash{1}}); len(got) != 0 {
		t.Errorf("by other rules: %v", got)
	}
}

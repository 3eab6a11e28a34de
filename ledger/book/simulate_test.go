package book_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/policy"
)

// A history is simulated under a draft, and then really posted to a book that begins with the draft: both
// come to the same, volunteer by volunteer.
func TestSimulateIsWhatReallyPostingGives(t *testing.T) {
	t.Parallel()
	draft := with("id: shipped-2026", "id: draft", "rate: 1/1", "rate: 2/3\n    step: 15", "most: 480", "most: 200", "most: 90000", "most: 1500",
		"age >= 25", "age >= 30", "age < 25", "age < 30")
	rules, err := policy.Parse(draft)
	if err != nil {
		t.Fatal(err)
	}
	was, would := booktest.New(t), booktest.Open(t, booktest.Database(t), draft)
	born := []string{"1950-05-01", "1996-05-01", "2001-02-28", "2010-05-01"}
	post := func(b *booktest.Book) (people []string) {
		org := b.Organization(t)
		for _, day := range born {
			people = append(people, b.Volunteer(t, day))
		}
		random := rand.New(rand.NewPCG(3, 20261124))
		var last book.Receipt
		for n := range 80 {
			if n%9 == 8 {
				if _, err := b.CorrectEntry(t.Context(), org, b.Key(), last.Seq, "posted wrong"); err != nil {
					t.Fatal(err)
				}
				continue
			}
			on := booktest.Date(t, "2026-01-01") + ledger.Date(random.IntN(30))
			c := booktest.Served(t, people[random.IntN(len(people))], on.String(), ledger.Minutes(1+random.IntN(300)))
			c.Activity = "活动" + string(rune('a'+n%26)) + string(rune('a'+n/26))
			last = b.MustPost(t, org, c)
		}
		return people
	}
	recorded, really := post(was), post(would)

	report, err := was.Simulate(t.Context(), rules, ledger.DateMin, ledger.DateMax, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wasSum, wouldSum policy.Sum
	for i := range born {
		a, b := was.BalancesOf(t, recorded[i]), would.BalancesOf(t, really[i])
		wasSum.Care, wasSum.Youth = wasSum.Care+a.Care, wasSum.Youth+a.Youth
		wouldSum.Care, wouldSum.Youth = wouldSum.Care+b.Care, wouldSum.Youth+b.Youth
		for _, s := range report.Largest {
			if s.Volunteer == recorded[i] && (s.Was.Care != a.Care || s.Was.Youth != a.Youth || s.Would.Care != b.Care || s.Would.Youth != b.Youth) {
				t.Errorf("born %s: simulated %+v, posted %+v and %+v", born[i], s, a, b)
			}
		}
	}
	wouldSum.Pooled = poolOf(t, would)
	all := report.Groups[0]
	if all.Group.By != "all" || cmp.Diff(wasSum, all.Was) != "" || cmp.Diff(wouldSum, all.Would) != "" || all.Was == all.Would {
		t.Errorf("all = %+v, want %+v and %+v", all, wasSum, wouldSum)
	}
	if len(report.Largest) != len(born) || report.Gain.Volunteers+report.Lose.Volunteers != int64(len(born)) {
		t.Errorf("%+v and %+v: want all %d volunteers", report.Gain, report.Lose, len(born))
	}
}

// Under the very rules that decided, nothing changes; outside the days that are asked about, nothing either.
func TestSimulateOfTheSameRulesChangesNothing(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	elder, org, partner, _ := saved(t, b, 300)
	held, err := redemptions{b, t, elder, partner}.hold(60)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Confirm(t.Context(), partner, b.Key(), held.ID, 50); err != nil {
		t.Fatal(err)
	}
	b.MustPost(t, org, booktest.Served(t, elder, "2026-03-07", 500))
	same, err := policy.Parse(policy.Shipped())
	if err != nil {
		t.Fatal(err)
	}
	nothing, err := policy.Parse(with("id: shipped-2026", "id: draft", "most: 480", "most: 0"))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name     string
		rules    *policy.Rules
		from, to string
		want     policy.Sum
		short    ledger.Minutes
	}{
		{"the same rules", same, "1900-01-01", "2100-01-01", policy.Sum{Care: 780}, 0},
		{"no credit on another day", nothing, "2026-03-06", "2026-03-06", policy.Sum{Care: 780}, 0},
		{"no credit on the last day", nothing, "2026-03-06", "2026-03-07", policy.Sum{Care: 300}, 0},
		{"no credit at all: what was spent would not have been there", nothing, "1900-01-01", "2100-01-01", policy.Sum{}, 50},
	} {
		r, err := b.Simulate(t.Context(), x.rules, booktest.Date(t, x.from), booktest.Date(t, x.to), nil, nil)
		if err != nil || r.Groups[0].Would != x.want || r.Groups[0].Was.Care != 780 || r.Short != x.short {
			t.Errorf("%s: %+v, %v, want %+v and %d short", x.name, r, err, x.want, x.short)
		}
	}
}

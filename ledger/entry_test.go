package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"timebank/ledger"
)

// draft gives a draft of 90 minutes of service and as many of care, which Check lets pass.
func draft(t testing.TB) ledger.Draft {
	ps := ledger.Move(nil, ledger.Service, 1, 2, 90)
	return ledger.Draft{Kind: ledger.KindHours, Effective: date(t, "2026-03-05"), Postings: ledger.Move(ps, ledger.Care, 3, 4, 90)}
}

func TestDraft_Check_is_the_only_door(t *testing.T) {
	most := func(n int) []ledger.Posting {
		var ps []ledger.Posting
		for i := range n / 2 {
			ps = ledger.Move(ps, ledger.Service, ledger.AccountID(2*i+1), ledger.AccountID(2*i+2), 1)
		}
		return ps
	}
	tests := []struct {
		name   string
		change func(d *ledger.Draft)
		bad    bool
	}{
		{"balanced postings pass", func(*ledger.Draft) {}, false},
		{"a fact without postings passes", func(d *ledger.Draft) { d.Kind, d.Postings = ledger.KindVolunteer, nil }, false},
		{"the first day passes", func(d *ledger.Draft) { d.Effective = ledger.DateMin }, false},
		{"the last day passes", func(d *ledger.Draft) { d.Effective = ledger.DateMax }, false},
		{"as many postings as allowed pass", func(d *ledger.Draft) { d.Postings = most(ledger.PostingsMax) }, false},
		{"the largest posting passes", func(d *ledger.Draft) {
			d.Postings = ledger.Move(nil, ledger.Care, 1, 2, ledger.PostingMinutesMax)
		}, false},
		{"an unknown kind is refused", func(d *ledger.Draft) { d.Kind = "gift" }, true},
		{"no kind is refused", func(d *ledger.Draft) { d.Kind = "" }, true},
		{"the day before the first is refused", func(d *ledger.Draft) { d.Effective = ledger.DateMin - 1 }, true},
		{"the day after the last is refused", func(d *ledger.Draft) { d.Effective = ledger.DateMax + 1 }, true},
		{"a posting too many is refused", func(d *ledger.Draft) { d.Postings = most(ledger.PostingsMax + 2) }, true},
		{"one minute out of balance is refused", func(d *ledger.Draft) { d.Postings[0].Minutes++ }, true},
		{"a posting alone is refused", func(d *ledger.Draft) { d.Postings = d.Postings[:1] }, true},
		{"balance over two units is refused", func(d *ledger.Draft) {
			d.Postings = []ledger.Posting{{Account: 1, Unit: ledger.Service, Minutes: 90}, {Account: 2, Unit: ledger.Care, Minutes: -90}}
		}, true},
		{"an account touched twice is refused", func(d *ledger.Draft) { d.Postings[3].Account = 1 }, true},
		{"account 0 is refused", func(d *ledger.Draft) { d.Postings[0].Account = 0 }, true},
		{"a negative account is refused", func(d *ledger.Draft) { d.Postings[0].Account = -1 }, true},
		{"an unknown unit is refused", func(d *ledger.Draft) { d.Postings[0].Unit, d.Postings[1].Unit = "points", "points" }, true},
		{"no unit is refused", func(d *ledger.Draft) { d.Postings[0].Unit, d.Postings[1].Unit = "", "" }, true},
		{"a posting of nothing is refused", func(d *ledger.Draft) { d.Postings[0].Minutes, d.Postings[1].Minutes = 0, 0 }, true},
		{"a posting too large is refused", func(d *ledger.Draft) {
			d.Postings = ledger.Move(nil, ledger.Care, 1, 2, ledger.PostingMinutesMax+1)
		}, true},
		{"a posting too large, though what balances it is not, is refused", func(d *ledger.Draft) {
			ps := ledger.Move(nil, ledger.Care, 1, 3, ledger.PostingMinutesMax)
			d.Postings = ledger.Move(ps, ledger.Care, 2, 3, 1)
		}, true},
		{"a sum beyond 64 bits is refused", func(d *ledger.Draft) {
			const half = ledger.Minutes(1) << 62
			d.Postings = nil
			for i := range ledger.AccountID(4) {
				d.Postings = append(d.Postings, ledger.Posting{Account: i + 1, Unit: ledger.Care, Minutes: half})
			}
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := draft(t)
			tt.change(&d)
			if err := d.Check(); errors.Is(err, ledger.ErrInvalid) != tt.bad || (err != nil) != tt.bad {
				t.Errorf("Check(%v) = %v, want refused %t", d, err, tt.bad)
			}
		})
	}
}

// A move between few accounts, so that moves often meet.
type move struct {
	unit     ledger.Unit
	from, to ledger.AccountID
	minutes  ledger.Minutes
}

// hoursUnits are what an entry of kind hours may move.
var hoursUnits = []ledger.Unit{ledger.Service, ledger.Care, ledger.Youth}

// drawMoves draws moves; each account has one unit, as in the chart.
func drawMoves(t *rapid.T) []move {
	one := rapid.Custom(func(t *rapid.T) move {
		u := rapid.IntRange(0, len(hoursUnits)-1).Draw(t, "unit")
		pair := rapid.SliceOfNDistinct(rapid.IntRange(1, 5), 2, 2, rapid.ID).Draw(t, "accounts")
		account := func(i int) ledger.AccountID { return ledger.AccountID(10*u + i) }
		return move{hoursUnits[u], account(pair[0]), account(pair[1]), ledger.Minutes(rapid.Int64Range(0, 100).Draw(t, "minutes"))}
	})
	return rapid.SliceOfN(one, 0, 12).Draw(t, "moves")
}

func moved(moves []move) (ps []ledger.Posting) {
	for _, m := range moves {
		ps = ledger.Move(ps, m.unit, m.from, m.to, m.minutes)
	}
	return ps
}

func TestMove_keeps_every_draft_acceptable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		moves := drawMoves(t)
		ps := moved(moves)
		d := ledger.Draft{Kind: ledger.KindHours, Effective: ledger.DateMin, Postings: ps}
		if err := d.Check(); err != nil {
			t.Fatalf("Check(%v) = %v", ps, err)
		}
		want := map[ledger.AccountID]ledger.Minutes{}
		for _, m := range moves {
			want[m.from] -= m.minutes
			want[m.to] += m.minutes
		}
		for _, p := range ps {
			want[p.Account] -= p.Minutes
		}
		for a, rest := range want {
			if rest != 0 {
				t.Fatalf("account %s got %d minutes less than was moved", a, rest)
			}
		}
	})
}

func TestMove_of_nothing_and_back_leaves_nothing(t *testing.T) {
	if got := ledger.Move(nil, ledger.Care, 1, 2, 0); len(got) != 0 {
		t.Errorf("Move of nothing = %v, want no postings", got)
	}
	there := ledger.Move(nil, ledger.Care, 1, 2, 30)
	if got := ledger.Move(there, ledger.Care, 2, 1, 30); len(got) != 0 {
		t.Errorf("Move there and back = %v, want no postings", got)
	}
	if got := ledger.Move(nil, ledger.Care, 1, 1, 30); len(got) != 0 {
		t.Errorf("Move to itself = %v, want no postings", got)
	}
}

func TestReverse_twice_is_the_draft_and_once_undoes_it(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := moved(drawMoves(t))
		before := slices.Clone(ps)
		back := ledger.Reverse(ps)
		if diff := cmp.Diff(before, ps); diff != "" {
			t.Fatalf("Reverse changed its argument (-before +after):\n%s", diff)
		}
		if diff := cmp.Diff(ps, ledger.Reverse(back)); diff != "" {
			t.Fatalf("Reverse twice (-want +got):\n%s", diff)
		}
		sums := map[ledger.AccountID]ledger.Minutes{}
		for _, p := range slices.Concat(ps, back) {
			sums[p.Account] += p.Minutes
		}
		for a, sum := range sums {
			if sum != 0 {
				t.Fatalf("account %s has %d minutes left after the reversal", a, sum)
			}
		}
	})
}

func TestSortPostings_gives_one_order(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := moved(drawMoves(t))
		ledger.SortPostings(ps)
		shuffled := rapid.Permutation(ps).Draw(t, "order")
		ledger.SortPostings(shuffled)
		if diff := cmp.Diff(ps, shuffled); diff != "" {
			t.Fatalf("two orders of the same postings sort differently:\n%s", diff)
		}
		for i := 1; i < len(ps); i++ {
			a, b := ps[i-1], ps[i]
			ua, ub := slices.Index(ledger.Units, a.Unit), slices.Index(ledger.Units, b.Unit)
			if ua > ub || ua == ub && a.Account >= b.Account {
				t.Fatalf("%v stands before %v", a, b)
			}
		}
	})
}

// The commitment is the same only for the same salt and the same bytes.
func TestEntry_Commitment_binds_salt_and_details(t *testing.T) {
	e := ledger.Entry{Draft: ledger.Draft{Details: []byte(`{"minutes":90}`)}, Salt: [16]byte{1}}
	const want = "e182c442d036ee3a8efdea271ef5b5027831bd208c59d4312210f86a24eec8d9"
	if got := e.Commitment().String(); got != want {
		t.Errorf("Commitment = %s, want %s, which is SHA-256 of salt and details", got, want)
	}
	other := e
	other.Salt[15] = 1
	if other.Commitment() == e.Commitment() {
		t.Error("another salt gives the same commitment")
	}
	other = e
	other.Details = []byte(`{"minutes":91}`)
	if other.Commitment() == e.Commitment() {
		t.Error("other details give the same commitment")
	}
}

func ExampleMove() {
	ps := ledger.Move(nil, ledger.Care, 1, 2, 90)
	ps = ledger.Move(ps, ledger.Care, 2, 3, 30)
	for _, p := range ps {
		fmt.Println(p.Account, p.Unit, p.Minutes)
	}
	// Output:
	// 0000000000000001 care -1 h 30 min
	// 0000000000000002 care 1 h
	// 0000000000000003 care 30 min
}

func ExampleReverse() {
	for _, p := range ledger.Reverse(ledger.Move(nil, ledger.Care, 1, 2, 90)) {
		fmt.Println(p.Account, p.Unit, p.Minutes)
	}
	// Output:
	// 0000000000000001 care 1 h 30 min
	// 0000000000000002 care -1 h 30 min
}

// What somebody served, and the record of the young, is nobody's to give.
func TestCheck_lets_nothing_but_service_move_a_record(t *testing.T) {
	t.Parallel()
	for _, kind := range ledger.Kinds {
		for _, unit := range ledger.Units {
			d := ledger.Draft{Kind: kind, Effective: ledger.DateMin, Postings: ledger.Move(nil, unit, 1, 2, 60)}
			may := unit == ledger.Care || unit == ledger.Support && kind == ledger.KindSupport ||
				unit != ledger.Support && (kind == ledger.KindHours || kind == ledger.KindCorrection)
			if err := d.Check(); (err == nil) != may {
				t.Errorf("Check of a %s that moves %s = %v, want it accepted: %t", kind, unit, err, may)
			}
		}
	}
}

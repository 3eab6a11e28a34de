package book_test

import (
	"flag"
	"math/rand/v2"
	"sync"
	"testing"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
)

var seed = flag.Uint64("seed", 20261124, "what the random operations are made from")

// model is what the book must do, in a few lines that anybody can check: balances by volunteer, what was
// posted, what is held.
type model struct {
	people map[string]*purse
	claims []*modelClaim
	holds  []*modelHold
	given  ledger.Minutes // to the partner
}

type purse struct {
	born                            string
	served, youth, care, held, owed ledger.Minutes
	onDay                           map[string]ledger.Minutes // care earned
}

type modelClaim struct {
	volunteer, day string
	minutes        ledger.Minutes
	care, youth    ledger.Minutes
	seq            ledger.Seq
	corrected      bool
}

type modelHold struct {
	volunteer, id string
	minutes       ledger.Minutes
	settled       bool
}

// gets gives care credit to a purse: debts first.
func (p *purse) gets(m ledger.Minutes) {
	repaid := min(m, p.owed)
	p.owed -= repaid
	p.care += m - repaid
}

// post says what a claim must come to.
func (m *model) post(c ledger.Claim, day string) (string, *modelClaim) {
	for _, old := range m.claims {
		if old.volunteer == c.Volunteer && old.day == day && old.minutes == c.Minutes && !old.corrected {
			return "shift_repeated", nil
		}
	}
	p := m.people[c.Volunteer]
	claim := &modelClaim{volunteer: c.Volunteer, day: day, minutes: c.Minutes}
	p.served += c.Minutes
	if c.Evidence.Sheet != "" {
		if p.born > "2001-12-31" {
			claim.youth = c.Minutes
		} else {
			claim.care = max(0, min(c.Minutes, 480-p.onDay[day]))
		}
	}
	p.youth += claim.youth
	p.onDay[day] += claim.care
	p.gets(claim.care)
	m.claims = append(m.claims, claim)
	return "", claim
}

func (m *model) correct(c *modelClaim) string {
	if c.corrected {
		return "already_corrected"
	}
	c.corrected = true
	p := m.people[c.volunteer]
	p.served -= c.minutes
	p.youth -= c.youth
	p.onDay[c.day] -= c.care
	// The reversal takes from the care account what the entry gave it in the end, and gives back the debt
	// it repaid; what is missing is owed. Either way care minus owed falls by what was earned.
	back := c.care
	taken := min(back, p.care)
	p.care -= taken
	p.owed += back - taken
	return ""
}

// Random operations on the book and on the model: the same answers, and in the end the same balances.
func TestBookDoesWhatTheModelDoes(t *testing.T) {
	t.Parallel()
	for name, database := range longAndShort {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doesWhatTheModelDoes(t, booktest.Open(t, database(t), handed()))
		})
	}
}

func doesWhatTheModelDoes(t *testing.T, b *booktest.Book) {
	t.Helper()
	t.Logf("seed %d: give it back with -seed", *seed)
	r := rand.New(rand.NewPCG(*seed, 1))
	org, partner := b.Organization(t), b.Partner(t)
	m := &model{people: map[string]*purse{}}
	var ids []string
	for _, born := range []string{"1940-01-01", "1950-06-15", "1985-03-03", "2008-09-09"} {
		id := b.Volunteer(t, born)
		b.Consent(t, id, partner, ledger.PostingMinutesMax)
		ids = append(ids, id)
		m.people[id] = &purse{born: born, onDay: map[string]ledger.Minutes{}}
	}
	days := []string{"2026-03-02", "2026-03-03", "2026-03-04"}
	for op := range 400 {
		var have, want string
		switch k := r.IntN(10); {
		case k < 5:
			day := days[r.IntN(len(days))]
			c := booktest.Served(t, ids[r.IntN(len(ids))], day, ledger.Minutes(1+r.IntN(300)))
			if r.IntN(6) == 0 {
				c.Evidence.Sheet = ""
			}
			receipt, err := b.Post(t, org, c)
			have = booktest.RefusalCode(err)
			var claim *modelClaim
			if want, claim = m.post(c, day); claim != nil {
				claim.seq = receipt.Seq
			}
		case k < 6 && len(m.claims) > 0:
			c := m.claims[r.IntN(len(m.claims))]
			_, err := b.CorrectEntry(t.Context(), org, b.Key(), c.seq, "model")
			have, want = booktest.RefusalCode(err), m.correct(c)
		case k < 8:
			have, want = m.tryHold(t, b, partner, ids[r.IntN(len(ids))], ledger.Minutes(1+r.IntN(400)))
		case len(m.holds) > 0:
			h := m.holds[r.IntN(len(m.holds))]
			have, want = m.trySettle(t, b, partner, h, ledger.Minutes(r.IntN(int(h.minutes)+1)))
		}
		if have != want {
			t.Fatalf("operation %d came to %q, the model says %q", op, have, want)
		}
	}
	m.compare(t, b)
	b.CheckBook(t)
}

func (m *model) tryHold(t *testing.T, b *booktest.Book, partner ledger.Actor, id string, minutes ledger.Minutes) (have, want string) {
	receipt, err := b.Hold(t.Context(), partner, b.Key(), book.Redemption{Volunteer: id, Service: "TALK", Minutes: minutes})
	p := m.people[id]
	switch {
	case p.born > "1966-01-01":
		want = "not_redeemable"
	case minutes > p.care:
		want = "credit_insufficient"
	default:
		p.care -= minutes
		p.held += minutes
		m.holds = append(m.holds, &modelHold{volunteer: id, id: receipt.ID, minutes: minutes})
	}
	return booktest.RefusalCode(err), want
}

// trySettle confirms what was given, or cancels when nothing was.
func (m *model) trySettle(t *testing.T, b *booktest.Book, partner ledger.Actor, h *modelHold, given ledger.Minutes) (have, want string) {
	var err error
	if given == 0 {
		_, err = b.Cancel(t.Context(), partner, b.Key(), h.id, "volunteer_asked")
	} else {
		_, err = b.Confirm(t.Context(), partner, b.Key(), h.id, given)
	}
	if h.settled {
		return booktest.RefusalCode(err), "hold_settled"
	}
	h.settled = true
	p := m.people[h.volunteer]
	p.held -= h.minutes
	p.gets(h.minutes - given)
	m.given += given
	return booktest.RefusalCode(err), ""
}

func (m *model) compare(t *testing.T, b *booktest.Book) {
	t.Helper()
	for id, p := range m.people {
		v := b.BalancesOf(t, id)
		if v.Served != p.served || v.Youth != p.youth || v.Care != p.care || v.CareHeld != p.held || v.CareOwed != p.owed {
			t.Errorf("born %s: the book has %+v, the model %+v", p.born, v, *p)
		}
	}
	trial, err := b.TrialBalance(t.Context(), booktest.Auditor, book.AsOf{})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range trial.Rows {
		if row.OwnerKind == ledger.OwnerPartner && row.Balance != m.given {
			t.Errorf("the partner has %d, the model says %d", row.Balance, m.given)
		}
	}
}

// Two server processes on one database post for the same volunteers at once: every shift is recorded
// once, no day earns more than eight hours, and the numbering has no gap.
func TestTwoProcessesPostAtOnce(t *testing.T) {
	t.Parallel()
	first := booktest.New(t)
	second := booktest.Open(t, first.Database, nil)
	org := first.Organization(t)
	elder := first.Volunteer(t, "1950-05-01")
	var wg sync.WaitGroup
	var mu sync.Mutex
	outcome := map[string]int{}
	for n := range 40 {
		at := []*booktest.Book{first, second}[n%2]
		c := booktest.Served(t, elder, "2026-03-05", ledger.Minutes(61+n/2)) // each shift is posted by both
		wg.Go(func() {
			_, err := at.Post(t, org, c)
			mu.Lock()
			defer mu.Unlock()
			outcome[booktest.RefusalCode(err)]++
		})
	}
	wg.Wait()
	if outcome[""] != 20 || outcome["shift_repeated"] != 20 {
		t.Errorf("outcomes = %v, want 20 recorded and 20 repeated", outcome)
	}
	if v := first.BalancesOf(t, elder); v.Care != 480 || v.Served != 20*61+190 {
		t.Errorf("balances = %+v, want 480 of credit", v)
	}
	first.CheckBook(t)
}

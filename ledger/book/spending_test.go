package book

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"timebank/ledger"
)

// What is counted as holds are made and settled, and as days and months turn, is what is counted anew from all holds
// there ever were: of what this month's were given, of a consent, and of strikes within a year.
func TestSpendingCountsWhatCountingAnewCounts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := spendingLedger{t: t, known: newSpending(), now: time.Date(2026, 1, 20, 12, 0, 0, 0, time.UTC), partner: "p"}
		l.turn()
		t.Repeat(map[string]func(*rapid.T){
			"hold": l.hold, "settle": l.settle, "strike": l.strike, "consent": l.consent, "wait": l.wait, "": l.check,
		})
	})
}

// spendingLedger is all that ever happened to one volunteer, beside what is known of it.
type spendingLedger struct {
	t       *rapid.T
	known   *spending
	now     time.Time
	partner string
	holds   []holdFacts // as they were made, with what became of them
	made    []*holdFacts
	struck  []ledger.Date
	given   consentFacts // the consent that holds now
}

const spender = "v"

func (l *spendingLedger) today() ledger.Date { return ledger.DateOf(l.now) }

func (l *spendingLedger) key() consentKey { return consentKey{spender, l.partner} }

// turn begins a batch: what is forgotten is read again, as it is from the database.
func (l *spendingLedger) turn() {
	l.known.turnTo(l.today())
	if _, ok := l.known.open[spender]; !ok {
		l.known.open[spender] = nil
	}
	if _, ok := l.known.given[spender]; !ok {
		l.known.given[spender] = l.givenInMonth()
	}
	if _, ok := l.known.strikes[spender]; !ok {
		l.known.strikes[spender] = l.strikes()
	}
	if _, ok := l.known.consents[l.key()]; !ok {
		l.known.consents[l.key()] = &consentFacts{seq: l.given.seq}
	}
}

func (l *spendingLedger) hold(t *rapid.T) {
	h := holdFacts{id: fmt.Sprint(len(l.holds)), volunteer: spender, partner: l.partner, on: l.today(), consent: l.given.seq,
		minutes: ledger.Minutes(rapid.IntRange(1, 90).Draw(t, "minutes")), endsAt: l.now.Add(time.Duration(rapid.IntRange(1, 900).Draw(t, "hours")) * time.Hour)}
	made := h
	l.holds, l.made = append(l.holds, h), append(l.made, &made)
	l.known.hold(&made)
}

func (l *spendingLedger) settle(t *rapid.T) {
	var open []int
	for i, h := range l.holds {
		if !h.settled {
			open = append(open, i)
		}
	}
	if len(open) == 0 {
		return
	}
	i := rapid.SampledFrom(open).Draw(t, "hold")
	given := ledger.Minutes(rapid.IntRange(0, int(l.holds[i].minutes)).Draw(t, "given"))
	l.holds[i].settled, l.holds[i].given = true, given
	l.known.settle(l.made[i], given)
}

func (l *spendingLedger) strike(*rapid.T) {
	l.struck = append(l.struck, l.today())
	l.known.strike(spender)
}

func (l *spendingLedger) consent(*rapid.T) {
	l.given = consentFacts{seq: l.given.seq + 1}
	l.known.consents[l.key()] = &consentFacts{seq: l.given.seq}
}

func (l *spendingLedger) wait(t *rapid.T) {
	l.now = l.now.Add(time.Duration(rapid.SampledFrom([]int{1, 30, 24 * 9, 24 * 40, 24 * 200}).Draw(t, "hours")) * time.Hour)
	l.turn()
}

func (l *spendingLedger) thisMonth(h holdFacts) bool {
	return ledger.Month.Start(h.on) == ledger.Month.Start(l.today())
}

func (l *spendingLedger) givenInMonth() (sum ledger.Minutes) {
	for _, h := range l.holds {
		if h.settled && l.thisMonth(h) {
			sum += h.given
		}
	}
	return sum
}

func (l *spendingLedger) strikes() (n int) {
	for _, on := range l.struck {
		if on > l.today()-strikeDays {
			n++
		}
	}
	return n
}

func (l *spendingLedger) check(t *rapid.T) {
	month, open, used := l.givenInMonth(), 0, ledger.Minutes(0)
	for _, h := range l.holds {
		if h.consent == l.given.seq && (h.settled || h.endsAt.After(l.now)) {
			used += map[bool]ledger.Minutes{true: h.given, false: h.minutes}[h.settled]
		}
		if h.settled {
			continue
		}
		open++
		if l.thisMonth(h) {
			month += h.minutes
		}
	}
	gotMonth, gotOpen := l.known.redeemed(spender, nil)
	gotUsed := l.known.used(l.known.consents[l.key()], spender, l.now)
	if gotMonth != month || gotOpen != open || gotUsed != used || l.known.strikes[spender] != l.strikes() || len(l.known.byID) != open {
		t.Fatalf("on %s: %d in the month, %d open, %d used, %d strikes, %d by id; counted anew %d, %d, %d, %d, %d",
			l.today(), gotMonth, gotOpen, gotUsed, l.known.strikes[spender], len(l.known.byID), month, open, used, l.strikes(), open)
	}
}

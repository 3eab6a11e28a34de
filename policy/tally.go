package policy

import (
	"cmp"
	"slices"

	"timebank/ledger"
)

// Tally is what rule sets count of one volunteer's past: whoever decides a history from its beginning, a scenario, a
// simulation or a verification, asks it before each claim and tells it after. Its zero value has seen nothing.
type Tally struct {
	days, months, years spans
	stored              ledger.Minutes
	care, youth         Carry
}

// spans are sums of days, or of months or years by their first day, in the order of their days: mostly claims come in
// that order, and a history has many of them.
type spans []span

type span struct {
	from                 ledger.Date
	minutes, care, youth ledger.Minutes
}

// at gives where a span is, or would be.
func (s spans) at(from ledger.Date) (int, bool) {
	if n := len(s); n == 0 || s[n-1].from < from {
		return n, false
	}
	return slices.BinarySearchFunc(s, from, func(x span, from ledger.Date) int { return cmp.Compare(x.from, from) })
}

func (s spans) of(from ledger.Date) span {
	if i, ok := s.at(from); ok {
		return s[i]
	}
	return span{from: from}
}

// add counts something in a span, and gives the span.
func (s *spans) add(from ledger.Date, d span) *span {
	i, ok := s.at(from)
	if !ok {
		*s = slices.Insert(*s, i, span{from: from})
	}
	sum := &(*s)[i]
	sum.minutes, sum.care, sum.youth = sum.minutes+d.minutes, sum.care+d.care, sum.youth+d.youth
	return sum
}

func (t *Tally) carried(u ledger.Unit) *Carry {
	if u == ledger.Care {
		return &t.care
	}
	return &t.youth
}

// Past gives what a set counts of the past, for a claim of a day.
func (t *Tally) Past(r *Rules, on ledger.Date) Past {
	day, month, year := t.days.of(on), t.months.of(ledger.Month.Start(on)), t.years.of(ledger.Year.Start(on))
	return r.Counted(Past{
		CareOnDay: day.care, YouthOnDay: day.youth, MinutesOnDay: day.minutes,
		CareInMonth: month.care, YouthInMonth: month.youth, CareInYear: year.care, YouthInYear: year.youth,
		CareStored: t.stored, CareCarried: t.care.in(r.parts(ledger.Care)), YouthCarried: t.youth.in(r.parts(ledger.Youth)),
	})
}

// Serve counts a claim that was decided by a set, and gives the units of which it changed what rounding left.
func (t *Tally) Serve(r *Rules, f ClaimFacts, e Earned) (changed []ledger.Unit) {
	t.add(f.ServedOn, span{minutes: f.Minutes, care: e.Care + e.Pooled, youth: e.Youth})
	t.stored += e.Care
	return t.carry(r, e, 1)
}

// Undo takes back a claim that a set decided: a correction. What the rounding gave or kept is undone too.
func (t *Tally) Undo(r *Rules, f ClaimFacts, e Earned) (changed []ledger.Unit) {
	t.add(f.ServedOn, span{minutes: -f.Minutes, care: -e.Care - e.Pooled, youth: -e.Youth})
	t.stored -= e.Care
	return t.carry(r, e, -1)
}

// carry adds (or, by -1, takes back) what rounding left of a claim.
func (t *Tally) carry(r *Rules, e Earned, sign int64) (changed []ledger.Unit) {
	for _, u := range [...]ledger.Unit{ledger.Care, ledger.Youth} {
		if e.left(u) == 0 {
			continue
		}
		c := t.carried(u)
		*c = c.Plus(sign*e.left(u), r.parts(u))
		changed = append(changed, u)
	}
	return changed
}

// Carried gives what rounding has left.
func (t *Tally) Carried(u ledger.Unit) Carry {
	if u != ledger.Care && u != ledger.Youth {
		return Carry{}
	}
	return *t.carried(u)
}

// Move counts care credit that came (or went, when negative) in another way than by a claim.
func (t *Tally) Move(m ledger.Minutes) { t.stored += m }

// tell counts what is only told of the past, with no claims behind it: that of a day, and of its month
// and year where these are told to be more.
func (t *Tally) tell(on ledger.Date, p Past) {
	month, year := t.add(on, span{minutes: p.MinutesOnDay, care: p.CareOnDay, youth: p.YouthOnDay})
	month.care, month.youth = max(month.care, p.CareInMonth), max(month.youth, p.YouthInMonth)
	year.care, year.youth = max(year.care, p.CareInYear), max(year.youth, p.YouthInYear)
	t.stored += p.CareStored
}

// add counts something on a day, and gives its month and its year.
func (t *Tally) add(on ledger.Date, d span) (month, year *span) {
	t.days.add(on, d)
	return t.months.add(ledger.Month.Start(on), d), t.years.add(ledger.Year.Start(on), d)
}

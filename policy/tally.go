package policy

import (
	"cmp"
	"slices"

	"timebank/ledger"
)

// Tally keeps, volunteer by volunteer, what rule sets count of the past: whoever decides a history from
// its beginning, a scenario or a simulation, asks it before each claim and tells it after.
type Tally struct {
	of      map[string]*tallied // by volunteer
	changed []ledger.Unit       // of the carries that the last claim or correction changed
}

// tallied is what is counted of one volunteer.
type tallied struct {
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

func (t *tallied) carried(u ledger.Unit) *Carry {
	if u == ledger.Care {
		return &t.care
	}
	return &t.youth
}

// NewTally gives one that has seen nothing.
func NewTally() *Tally { return &Tally{of: map[string]*tallied{}} }

// volunteer gives what is counted of somebody, from now on.
func (t *Tally) volunteer(id string) *tallied {
	v := t.of[id]
	if v == nil {
		v = &tallied{}
		t.of[id] = v
	}
	return v
}

// Past gives what a set counts of a volunteer's past, for a claim of a day.
func (t *Tally) Past(r *Rules, volunteer string, on ledger.Date) Past {
	v := t.of[volunteer]
	if v == nil {
		return Past{}
	}
	day, month, year := v.days.of(on), v.months.of(ledger.Month.Start(on)), v.years.of(ledger.Year.Start(on))
	return r.Counted(Past{
		CareOnDay: day.care, YouthOnDay: day.youth, MinutesOnDay: day.minutes,
		CareInMonth: month.care, YouthInMonth: month.youth, CareInYear: year.care, YouthInYear: year.youth,
		CareStored: v.stored, CareCarried: v.care.in(r.parts(ledger.Care)), YouthCarried: v.youth.in(r.parts(ledger.Youth)),
	})
}

// Serve counts a claim that was decided by a set.
func (t *Tally) Serve(r *Rules, volunteer string, f ClaimFacts, e Earned) {
	v := t.volunteer(volunteer)
	v.add(f.ServedOn, span{minutes: f.Minutes, care: e.Care + e.Pooled, youth: e.Youth})
	v.stored += e.Care
	t.carry(r, v, e, 1)
}

// Undo takes back a claim that a set decided: a correction. What the rounding gave or kept is undone too.
func (t *Tally) Undo(r *Rules, volunteer string, f ClaimFacts, e Earned) {
	v := t.volunteer(volunteer)
	v.add(f.ServedOn, span{minutes: -f.Minutes, care: -e.Care - e.Pooled, youth: -e.Youth})
	v.stored -= e.Care
	t.carry(r, v, e, -1)
}

// carry adds (or, by -1, takes back) what rounding left of a claim.
func (t *Tally) carry(r *Rules, v *tallied, e Earned, sign int64) {
	t.changed = t.changed[:0]
	for _, u := range [...]ledger.Unit{ledger.Care, ledger.Youth} {
		if e.left(u) == 0 {
			continue
		}
		c := v.carried(u)
		*c = c.Plus(sign*e.left(u), r.parts(u))
		t.changed = append(t.changed, u)
	}
}

// Carried gives what rounding has left for a volunteer.
func (t *Tally) Carried(volunteer string, u ledger.Unit) Carry {
	v := t.of[volunteer]
	if v == nil || u != ledger.Care && u != ledger.Youth {
		return Carry{}
	}
	return *v.carried(u)
}

// Changed gives of which units the last claim or correction changed what rounding left, until the next does.
func (t *Tally) Changed() []ledger.Unit { return t.changed }

// Move counts care credit that came (or went, when negative) in another way than by a claim.
func (t *Tally) Move(volunteer string, m ledger.Minutes) { t.volunteer(volunteer).stored += m }

// tell counts what is only told of the past, with no claims behind it: that of a day, and of its month
// and year where these are told to be more.
func (t *Tally) tell(volunteer string, on ledger.Date, p Past) {
	v := t.volunteer(volunteer)
	month, year := v.add(on, span{minutes: p.MinutesOnDay, care: p.CareOnDay, youth: p.YouthOnDay})
	month.care, month.youth = max(month.care, p.CareInMonth), max(month.youth, p.YouthInMonth)
	year.care, year.youth = max(year.care, p.CareInYear), max(year.youth, p.YouthInYear)
	v.stored += p.CareStored
}

// add counts something on a day, and gives its month and its year.
func (t *tallied) add(on ledger.Date, d span) (month, year *span) {
	t.days.add(on, d)
	return t.months.add(ledger.Month.Start(on), d), t.years.add(ledger.Year.Start(on), d)
}

// storedBy gives what is stored of a volunteer's care credit.
func (t *Tally) storedBy(volunteer string) ledger.Minutes {
	if v := t.of[volunteer]; v != nil {
		return v.stored
	}
	return 0
}

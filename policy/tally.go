package policy

import "timebank/ledger"

// Tally keeps, volunteer by volunteer, what rule sets count of the past: whoever decides a history from
// its beginning, a scenario or a simulation, asks it before each claim and tells it after.
type Tally struct {
	byDay   map[tallyDay]*dayTally
	byMonth map[tallyDay]*dayTally // by the first of the month
	byYear  map[tallyDay]*dayTally // by the first of the year
	stored  map[string]ledger.Minutes
	carried map[tallyUnit]Carry
	changed int // carries that the last claim or correction changed
}

type tallyDay struct {
	volunteer string
	from      ledger.Date
}

type tallyUnit struct {
	volunteer string
	unit      ledger.Unit
}

type dayTally struct{ minutes, care, youth ledger.Minutes }

// NewTally gives one that has seen nothing.
func NewTally() *Tally {
	return &Tally{map[tallyDay]*dayTally{}, map[tallyDay]*dayTally{}, map[tallyDay]*dayTally{}, map[string]ledger.Minutes{}, map[tallyUnit]Carry{}, 0}
}

// Past gives what a set counts of a volunteer's past, for a claim of a day.
func (t *Tally) Past(r *Rules, volunteer string, on ledger.Date) Past {
	day, month, year := t.in(t.byDay, volunteer, on), t.in(t.byMonth, volunteer, ledger.Month.Start(on)), t.in(t.byYear, volunteer, ledger.Year.Start(on))
	return r.Counted(Past{
		CareOnDay: day.care, YouthOnDay: day.youth, MinutesOnDay: day.minutes,
		CareInMonth: month.care, YouthInMonth: month.youth, CareInYear: year.care, YouthInYear: year.youth,
		CareStored:   t.stored[volunteer],
		CareCarried:  t.carried[tallyUnit{volunteer, ledger.Care}].in(r.parts(ledger.Care)),
		YouthCarried: t.carried[tallyUnit{volunteer, ledger.Youth}].in(r.parts(ledger.Youth)),
	})
}

func (t *Tally) in(m map[tallyDay]*dayTally, volunteer string, from ledger.Date) dayTally {
	if d := m[tallyDay{volunteer, from}]; d != nil {
		return *d
	}
	return dayTally{}
}

// Serve counts a claim that was decided by a set.
func (t *Tally) Serve(r *Rules, volunteer string, f ClaimFacts, e Earned) {
	t.add(volunteer, f.ServedOn, dayTally{f.Minutes, e.Care + e.Pooled, e.Youth})
	t.stored[volunteer] += e.Care
	t.carry(r, volunteer, e, 1)
}

// Undo takes back a claim that a set decided: a correction. What the rounding gave or kept is undone too.
func (t *Tally) Undo(r *Rules, volunteer string, f ClaimFacts, e Earned) {
	t.add(volunteer, f.ServedOn, dayTally{-f.Minutes, -e.Care - e.Pooled, -e.Youth})
	t.stored[volunteer] -= e.Care
	t.carry(r, volunteer, e, -1)
}

// carry adds (or, by -1, takes back) what rounding left of a claim.
func (t *Tally) carry(r *Rules, volunteer string, e Earned, sign int64) {
	t.changed = 0
	for _, u := range []ledger.Unit{ledger.Care, ledger.Youth} {
		if e.left(u) == 0 {
			continue
		}
		at := tallyUnit{volunteer, u}
		t.carried[at] = t.carried[at].Plus(sign*e.left(u), r.parts(u))
		t.changed++
	}
}

// Carried gives what rounding has left for a volunteer.
func (t *Tally) Carried(volunteer string, u ledger.Unit) Carry {
	return t.carried[tallyUnit{volunteer, u}]
}

// Changed gives of how many units the last claim or correction changed what rounding left.
func (t *Tally) Changed() int { return t.changed }

// Move counts care credit that came (or went, when negative) in another way than by a claim.
func (t *Tally) Move(volunteer string, m ledger.Minutes) { t.stored[volunteer] += m }

// tell counts what is only told of the past, with no claims behind it: that of a day, and of its month
// and year where these are told to be more.
func (t *Tally) tell(volunteer string, on ledger.Date, p Past) {
	t.add(volunteer, on, dayTally{p.MinutesOnDay, p.CareOnDay, p.YouthOnDay})
	month, year := t.byMonth[tallyDay{volunteer, ledger.Month.Start(on)}], t.byYear[tallyDay{volunteer, ledger.Year.Start(on)}]
	month.care, month.youth = max(month.care, p.CareInMonth), max(month.youth, p.YouthInMonth)
	year.care, year.youth = max(year.care, p.CareInYear), max(year.youth, p.YouthInYear)
	t.stored[volunteer] += p.CareStored
}

func (t *Tally) add(volunteer string, on ledger.Date, d dayTally) {
	for _, span := range []struct {
		of   map[tallyDay]*dayTally
		from ledger.Date
	}{{t.byDay, on}, {t.byMonth, ledger.Month.Start(on)}, {t.byYear, ledger.Year.Start(on)}} {
		at := tallyDay{volunteer, span.from}
		sum := span.of[at]
		if sum == nil {
			sum = &dayTally{}
			span.of[at] = sum
		}
		sum.minutes, sum.care, sum.youth = sum.minutes+d.minutes, sum.care+d.care, sum.youth+d.youth
	}
}

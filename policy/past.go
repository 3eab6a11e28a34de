package policy

import "timebank/ledger"

// Past is what earlier claims of a volunteer came to, as far as rules count it. A claim that was
// corrected no longer counts. What the set in question does not count is zero, so that facts tell no
// more of a person than decides.
type Past struct {
	CareOnDay    ledger.Minutes `json:"care_on_day"` // earned by claims for that day, the pool's part included
	YouthOnDay   ledger.Minutes `json:"youth_on_day"`
	MinutesOnDay ledger.Minutes `json:"minutes_on_day,omitzero"` // served on that day
	CareInMonth  ledger.Minutes `json:"care_in_month,omitzero"`  // of the calendar
	YouthInMonth ledger.Minutes `json:"youth_in_month,omitzero"`
	CareInYear   ledger.Minutes `json:"care_in_year,omitzero"`
	YouthInYear  ledger.Minutes `json:"youth_in_year,omitzero"`
	CareStored   ledger.Minutes `json:"care_stored,omitzero"`  // on the care account and held, less what is owed
	CareCarried  int64          `json:"care_carried,omitzero"` // left over by rounding, in the set's parts of a minute
	YouthCarried int64          `json:"youth_carried,omitzero"`
}

// earned gives what was earned in a unit in a period, or, for perStored, is stored of it.
func (p *Past) earned(u ledger.Unit, per ledger.Period) ledger.Minutes {
	care := u == ledger.Care
	switch {
	case per == ledger.Day && care:
		return p.CareOnDay
	case per == ledger.Day:
		return p.YouthOnDay
	case per == ledger.Month && care:
		return p.CareInMonth
	case per == ledger.Month:
		return p.YouthInMonth
	case per == ledger.Year && care:
		return p.CareInYear
	case per == ledger.Year:
		return p.YouthInYear
	default:
		return p.CareStored
	}
}

func (p *Past) carried(u ledger.Unit) int64 {
	if u == ledger.Care {
		return p.CareCarried
	}
	return p.YouthCarried
}

// Counts says what a rule set counts of the past, and what else it asks that takes a look-up.
type Counts struct {
	Month, Year, Stored, Carried, Chosen, MinutesOnDay, GuardianConsent bool
}

// Counts gives what the set counts.
func (r *Rules) Counts() Counts { return r.counts }

// Or gives what either counts.
func (c Counts) Or(o Counts) Counts {
	return Counts{c.Month || o.Month, c.Year || o.Year, c.Stored || o.Stored, c.Carried || o.Carried, c.Chosen || o.Chosen,
		c.MinutesOnDay || o.MinutesOnDay, c.GuardianConsent || o.GuardianConsent}
}

// Counted leaves of a past what the set counts.
func (r *Rules) Counted(p Past) Past {
	c, counted := r.counts, Past{CareOnDay: p.CareOnDay, YouthOnDay: p.YouthOnDay}
	if c.MinutesOnDay {
		counted.MinutesOnDay = p.MinutesOnDay
	}
	if c.Month {
		counted.CareInMonth, counted.YouthInMonth = p.CareInMonth, p.YouthInMonth
	}
	if c.Year {
		counted.CareInYear, counted.YouthInYear = p.CareInYear, p.YouthInYear
	}
	if c.Stored {
		counted.CareStored = p.CareStored
	}
	if c.Carried {
		counted.CareCarried, counted.YouthCarried = p.CareCarried, p.YouthCarried
	}
	return counted
}

// count finds out what the set counts, once all of it is read.
func (r *Rules) count() {
	for _, l := range r.limits {
		r.counts.Month = r.counts.Month || l.per == ledger.Month
		r.counts.Year = r.counts.Year || l.per == ledger.Year
		r.counts.Stored = r.counts.Stored || l.per == perStored
	}
	for _, e := range r.earn {
		r.counts.Carried = r.counts.Carried || e.rate.Den > 1 || e.step > 1
	}
	for _, c := range r.claimConditions() {
		r.counts.Chosen = r.counts.Chosen || c.uses["chosen"]
		r.counts.MinutesOnDay = r.counts.MinutesOnDay || c.uses["minutes_on_day"]
		r.counts.GuardianConsent = r.counts.GuardianConsent || c.uses["guardian_consent"]
	}
}

// claimConditions lists every condition over the facts of a claim.
func (r *Rules) claimConditions() []condition {
	all := append([]condition(nil), r.grades...)
	for _, c := range r.refuse {
		all = append(all, c.when)
	}
	for _, e := range r.earn {
		all = append(all, e.when)
	}
	for _, w := range r.withhold {
		all = append(all, w.when)
	}
	for _, l := range r.limits {
		all = append(all, l.when)
	}
	for _, m := range r.marks {
		all = append(all, m.when)
	}
	return all
}

package policy

import (
	"fmt"
	"slices"
	"strings"

	"timebank/ledger"
)

// Decision is what a claim becomes beside the service record, and why.
type Decision struct {
	Grade  ledger.Grade
	Earned []Earning // each of more than no minutes, no unit twice
	Steps  []Step
}

// Earning is what a claim earns in a unit.
type Earning struct {
	Unit    ledger.Unit
	Minutes ledger.Minutes
	Rule    string
	Rate    ledger.Rate
	Rest    int64 // what rounding left unearned, over the rate's denominator; 0 when a limit cut deeper
}

// Step is one rule's part in a decision, as recorded.
type Step struct {
	Rule   string         `json:"rule"`
	Effect string         `json:"effect"`
	Unit   ledger.Unit    `json:"unit,omitempty"`
	In     ledger.Minutes `json:"in"`
	Out    ledger.Minutes `json:"out"`
	Before ledger.Minutes `json:"before,omitzero"` // earned that day before this claim
	Rate   string         `json:"rate,omitempty"`
	Rest   int64          `json:"rest,omitzero"` // what rounding left, over the rate's denominator
}

// The effects of a rule.
const (
	Graded   = "graded"   // the rule gave the claim its grade
	Applied  = "applied"  // the rule turned minutes into a unit
	Withheld = "withheld" // the rule took all of it away
	Limited  = "limited"  // the rule took a part of it away
	Allowed  = "allowed"  // the rule let credit be held
)

func gradeID(g ledger.Grade) string { return "grade-" + strings.ToLower(string(g)) }

// Decide says what a claim becomes. The error is a *ledger.Refusal when a rule says no.
func (r *Rules) Decide(f ClaimFacts) (Decision, error) {
	view := claimView{f: &f}
	grade, err := r.grade(view)
	if err != nil {
		return Decision{}, err
	}
	view.grade = grade
	for _, c := range r.refuse {
		no, err := c.when.holds(view)
		if err != nil {
			return Decision{}, err
		}
		if no {
			return Decision{}, c.refusal()
		}
	}
	d := Decision{Grade: grade, Steps: []Step{{Rule: gradeID(grade), Effect: Graded, In: f.Minutes, Out: f.Minutes}}}
	for _, e := range r.earn {
		if slices.ContainsFunc(d.Earned, func(x Earning) bool { return x.Unit == e.unit }) {
			continue // the first rule of a unit decides
		}
		if err := r.apply(e, f, view, &d); err != nil {
			return Decision{}, err
		}
	}
	d.Earned = slices.DeleteFunc(d.Earned, func(e Earning) bool { return e.Minutes == 0 })
	return d, nil
}

func (r *Rules) grade(view claimView) (ledger.Grade, error) {
	for i, c := range r.grades {
		ok, err := c.holds(view)
		if err != nil {
			return "", err
		}
		if ok {
			return ledger.Grades[i], nil
		}
	}
	return "", fmt.Errorf("rule set %s grades a claim in no way", r.id)
}

// apply lets one earning rule, and what withholds and limits it, decide.
func (r *Rules) apply(e earn, f ClaimFacts, view claimView, d *Decision) error {
	ok, err := e.when.holds(view)
	if err != nil || !ok {
		return err
	}
	m, rest := e.rate.Of(f.Minutes, ledger.RoundDown)
	d.Steps = append(d.Steps, Step{Rule: e.id, Effect: Applied, Unit: e.unit, In: f.Minutes, Out: m, Rate: e.rate.String(), Rest: rest})
	for _, w := range r.withhold {
		if !slices.Contains(w.units, e.unit) || m == 0 {
			continue
		}
		no, err := w.when.holds(view)
		if err != nil {
			return err
		}
		if no {
			d.Steps = append(d.Steps, Step{Rule: w.id, Effect: Withheld, Unit: e.unit, In: m})
			m = 0
		}
	}
	for _, l := range r.limits {
		before := f.onDay(e.unit)
		if l.unit != e.unit || m <= max(0, l.most-before) {
			continue
		}
		left := max(0, l.most-before)
		d.Steps = append(d.Steps, Step{Rule: l.id, Effect: Limited, Unit: e.unit, In: m, Out: left, Before: before})
		m, rest = left, 0
	}
	d.Earned = append(d.Earned, Earning{e.unit, m, e.id, e.rate, rest})
	return nil
}

func (f ClaimFacts) onDay(u ledger.Unit) ledger.Minutes {
	if u == ledger.Care {
		return f.CareOnDay
	}
	return f.YouthOnDay
}

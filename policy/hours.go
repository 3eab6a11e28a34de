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
	Earned Earned
	Steps  []Step
}

// Earned is what a claim earns.
type Earned struct {
	Care   ledger.Minutes // credit for the volunteer
	Pooled ledger.Minutes // credit for the pool, in the volunteer's name
	Youth  ledger.Minutes // of the young volunteer's service record

	// What rounding left (or, when negative, lent) of this claim, in parts of a minute; see [Rules.Parts].
	CareLeft, YouthLeft int64
}

func (e Earned) left(u ledger.Unit) int64 {
	if u == ledger.Care {
		return e.CareLeft
	}
	return e.YouthLeft
}

// Step is one rule's part in a decision, as recorded.
type Step struct {
	Rule    string         `json:"rule"`
	Effect  string         `json:"effect"`
	Unit    ledger.Unit    `json:"unit,omitempty"`
	In      ledger.Minutes `json:"in"`
	Out     ledger.Minutes `json:"out"`
	Before  ledger.Minutes `json:"before,omitzero"` // counted against the limit before this claim
	Rate    string         `json:"rate,omitempty"`
	Carried int64          `json:"carried,omitzero"` // what earlier rounding had left, in the set's parts of a minute
	Rest    int64          `json:"rest,omitzero"`    // what rounding leaves now, carried on
}

// The effects of a rule.
const (
	Graded   = "graded"   // the rule gave the claim its grade
	Applied  = "applied"  // the rule turned minutes into a unit
	Withheld = "withheld" // the rule took all of it away
	Limited  = "limited"  // the rule took a part of it away
	Pooled   = "pooled"   // the rule gave a part of it to the pool
	Marked   = "marked"   // the rule honours the claim with a mark
	Allowed  = "allowed"  // the rule let it be done: credit held, given or granted
	Expired  = "expired"  // the rule ended credit: of In received Before is gone or held, Out ends
)

// stepsUsual is how many steps most decisions have, or a few more.
const stepsUsual = 4

func gradeID(g ledger.Grade) string { return "grade-" + strings.ToLower(string(g)) }

// Decide says what a claim becomes. The error is a *ledger.Refusal when a rule says no.
func (r *Rules) Decide(f ClaimFacts) (Decision, error) {
	view := &claimView{f: &f, days: &r.workdays}
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
	d := Decision{Grade: grade, Steps: make([]Step, 0, stepsUsual)}
	d.Steps = append(d.Steps, Step{Rule: gradeID(grade), Effect: Graded, In: f.Minutes, Out: f.Minutes})
	for _, u := range []ledger.Unit{ledger.Care, ledger.Youth} {
		if err := r.earnIn(u, f, view, &d); err != nil {
			return Decision{}, err
		}
	}
	return d, r.mark(f, view, &d)
}

func (r *Rules) grade(view *claimView) (ledger.Grade, error) {
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

// earnIn lets the first earning rule of a unit whose condition holds decide, and then what withholds and
// limits it.
func (r *Rules) earnIn(u ledger.Unit, f ClaimFacts, view *claimView, d *Decision) error {
	for _, e := range r.earn {
		if e.unit != u {
			continue
		}
		ok, err := e.when.holds(view)
		if err != nil {
			return err
		}
		if ok {
			return r.apply(e, f, view, d)
		}
	}
	return nil
}

func (r *Rules) apply(e earn, f ClaimFacts, view *claimView, d *Decision) error {
	by, err := r.withheldBy(e, view)
	if err != nil {
		return err
	}
	carried, parts := f.carried(e.unit), r.parts(e.unit)
	m, rest := e.of(f.Minutes, carried, parts)
	if by != "" {
		rest = carried // what is withheld as a whole leaves nothing over
	}
	d.Steps = append(d.Steps, Step{Rule: e.id, Effect: Applied, Unit: e.unit, In: f.Minutes, Out: m, Rate: e.rate.String(), Carried: carried, Rest: rest})
	if by != "" {
		d.Steps = append(d.Steps, Step{Rule: by, Effect: Withheld, Unit: e.unit, In: m})
		return nil
	}
	s := share{rule: e, kept: m}
	if e.pool {
		s.kept, s.pooled = 0, m
	}
	if err := r.limit(&s, f, view, d); err != nil {
		return err
	}
	if e.unit == ledger.Youth {
		d.Earned.Youth, d.Earned.YouthLeft = s.kept, rest-carried
		return nil
	}
	d.Earned.Care, d.Earned.Pooled, d.Earned.CareLeft = s.kept, s.pooled, rest-carried
	return nil
}

// withheldBy gives the rule that takes the earning away, or "".
func (r *Rules) withheldBy(e earn, view *claimView) (string, error) {
	for _, w := range r.withhold {
		if !slices.Contains(w.units, e.unit) {
			continue
		}
		no, err := w.when.holds(view)
		if err != nil || no {
			return w.id, err
		}
	}
	return "", nil
}

// mark honours a claim: a mark moves no minutes, and is seen in explanations and records.
func (r *Rules) mark(f ClaimFacts, view *claimView, d *Decision) error {
	for _, c := range r.marks {
		ok, err := c.when.holds(view)
		if err != nil {
			return err
		}
		if ok {
			d.Steps = append(d.Steps, Step{Rule: c.id, Effect: Marked, In: f.Minutes, Out: f.Minutes})
		}
	}
	return nil
}

// LeftBy reads from the steps of a recorded decision what rounding left (or lent), in parts of a minute.
func LeftBy(steps []Step) (care, youth int64) {
	for _, s := range steps {
		switch {
		case s.Effect != Applied:
		case s.Unit == ledger.Care:
			care += s.Rest - s.Carried
		case s.Unit == ledger.Youth:
			youth += s.Rest - s.Carried
		}
	}
	return care, youth
}

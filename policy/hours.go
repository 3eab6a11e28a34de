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

// gradeIDs are those of the grades, in their order.
var gradeIDs = func() (ids []string) {
	for _, g := range ledger.Grades {
		ids = append(ids, gradeID(g))
	}
	return ids
}()

// Decide says what a claim becomes. The error is a *ledger.Refusal when a rule says no.
func (r *Rules) Decide(f ClaimFacts) (Decision, error) {
	return r.DecideIn(make([]Step, 0, stepsUsual), &f)
}

// DecideIn does what Decide does, and appends the steps to a room.
func (r *Rules) DecideIn(room []Step, f *ClaimFacts) (Decision, error) {
	view := &claimView{f: f, days: &r.workdays}
	grade, err := r.grade(view)
	if err != nil {
		return Decision{}, err
	}
	view.grade = ledger.Grades[grade]
	for i := range r.refuse {
		c := &r.refuse[i]
		no, err := c.when.holds(view)
		if err != nil {
			return Decision{}, err
		}
		if no {
			return Decision{}, c.refusal()
		}
	}
	d := Decision{Grade: view.grade, Steps: append(room, Step{Rule: gradeIDs[grade], Effect: Graded, In: f.Minutes, Out: f.Minutes})}
	for _, u := range [...]ledger.Unit{ledger.Care, ledger.Youth} {
		if err := r.earnIn(u, view, &d); err != nil {
			return Decision{}, err
		}
	}
	return d, r.mark(view, &d)
}

// grade gives the grade of a claim, as its place among the grades.
func (r *Rules) grade(view *claimView) (int, error) {
	for i := range r.grades {
		ok, err := r.grades[i].holds(view)
		if err != nil {
			return 0, err
		}
		if ok {
			return i, nil
		}
	}
	return 0, fmt.Errorf("rule set %s grades a claim in no way", r.id)
}

// earnIn lets the first earning rule of a unit whose condition holds decide, and then what withholds and
// limits it.
func (r *Rules) earnIn(u ledger.Unit, view *claimView, d *Decision) error {
	for i := range r.earn {
		e := &r.earn[i]
		if e.unit != u {
			continue
		}
		ok, err := e.when.holds(view)
		if err != nil {
			return err
		}
		if ok {
			return r.apply(e, view, d)
		}
	}
	return nil
}

func (r *Rules) apply(e *earn, view *claimView, d *Decision) error {
	f := view.f
	by, err := r.withheldBy(e, view)
	if err != nil {
		return err
	}
	carried, parts := f.carried(e.unit), r.parts(e.unit)
	m, rest := e.of(f.Minutes, carried, parts)
	if by != "" {
		rest = carried // what is withheld as a whole leaves nothing over
	}
	d.Steps = append(d.Steps, Step{Rule: e.id, Effect: Applied, Unit: e.unit, In: f.Minutes, Out: m, Rate: e.rateText, Carried: carried, Rest: rest})
	if by != "" {
		d.Steps = append(d.Steps, Step{Rule: by, Effect: Withheld, Unit: e.unit, In: m})
		return nil
	}
	s := share{rule: e, kept: m}
	if e.pool {
		s.kept, s.pooled = 0, m
	}
	if err := r.limit(&s, view, d); err != nil {
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
func (r *Rules) withheldBy(e *earn, view *claimView) (string, error) {
	for i := range r.withhold {
		w := &r.withhold[i]
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
func (r *Rules) mark(view *claimView, d *Decision) error {
	for i := range r.marks {
		c := &r.marks[i]
		ok, err := c.when.holds(view)
		if err != nil {
			return err
		}
		if ok {
			d.Steps = append(d.Steps, Step{Rule: c.id, Effect: Marked, In: view.f.Minutes, Out: view.f.Minutes})
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

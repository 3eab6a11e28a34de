package policy

import (
	"errors"
	"fmt"
	"strings"

	"timebank/ledger"
)

// Scenario is a case that people agreed on: who somebody is, what they did one after the other, and what
// must come of each. Scenario files are read aloud as they stand:
//
//	scenario: Two shifts of an elder meet the cap of the day
//	  born 1950-05-01
//	  serves 300 minutes on 2026-03-05 with signed sheet
//	  => grade C, care 300
//	  serves 300 minutes on 2026-03-05 with signed sheet
//	  => grade C, care 180
//	  because care-credit, care-day-cap
//
//	scenario: Redeeming a day too early
//	  born 1966-03-06
//	  redeems 60 minutes on 2026-03-05
//	  => refused not_redeemable
//
// What somebody earned counts against the limits of the day for what they do later that day.
// docs/policy.md lists every line a scenario may have.
type Scenario struct {
	Line  int
	Title string

	person standing
	acts   []act
}

// standing is who a scenario is about, and what became of them so far.
type standing struct {
	born    ledger.Date
	hasBorn bool
	roles   []ledger.VolunteerRole
	chosen  []string
	before  Past // what is told of the past, on the day of the first act
	tally   Tally
	choseOn map[string]ledger.Date // by choice
}

// act is one thing that happens in a scenario, with what must come of it.
type act struct {
	line    int
	on      ledger.Date
	team    bool // about a team, not the person
	do      func(r *Rules, p *standing) (text string, steps []Step, err error)
	want    string
	because []string // nil: not told
}

// Outcome is what comes of one act of a scenario.
type Outcome struct {
	Line  int      // of the act
	Text  string   // such as "grade C, care 60", "held for 72 hours" or "refused not_redeemable"
	Rules []string // that took part, in their order, without the grade's
}

// Run decides the scenario by a rule set; it is an error when something else comes of it than the scenario
// says.
func (s Scenario) Run(r *Rules) error {
	outcomes, err := s.Outcomes(r)
	if err != nil {
		return err
	}
	var faults []error
	for i, o := range outcomes {
		a := s.acts[i]
		if o.Text != a.want {
			faults = append(faults, fmt.Errorf("line %d: %s: it came to %q, not to %q", a.line, s.Title, o.Text, a.want))
		}
		have, want := strings.Join(o.Rules, ", "), strings.Join(a.because, ", ")
		if a.because != nil && have != want {
			faults = append(faults, fmt.Errorf("line %d: %s: it came so because of %q, not of %q", a.line, s.Title, have, want))
		}
	}
	return errors.Join(faults...)
}

// Outcomes decides each act of the scenario, in order.
func (s Scenario) Outcomes(r *Rules) ([]Outcome, error) {
	p := s.person // a copy: a scenario may be run again
	p.tally, p.choseOn = Tally{}, map[string]ledger.Date{}
	p.tally.tell(s.acts[0].on, p.before)
	var outcomes []Outcome
	for _, a := range s.acts {
		text, steps, err := a.do(r, &p)
		o := Outcome{a.line, text, rulesOf(steps)}
		var refusal *ledger.Refusal
		if errors.As(err, &refusal) {
			o, err = Outcome{a.line, "refused " + refusal.Code, []string{refusal.Rule}}, nil
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", a.line, s.Title, err)
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

// serve gives what becomes of a claim, and counts what it earns.
func serve(claim *ClaimFacts) func(*Rules, *standing) (string, []Step, error) {
	return func(r *Rules, p *standing) (string, []Step, error) {
		f := *claim
		f.Age, f.Roles, f.Chosen = r.Age(p.born, f.ServedOn), p.roles, p.chosen
		f.Past = p.tally.Past(r, f.ServedOn)
		d, err := r.Decide(f)
		if err != nil {
			return "", nil, err
		}
		p.tally.Serve(r, f, d.Earned)
		text := "grade " + string(d.Grade)
		for _, e := range []struct {
			what    string
			minutes ledger.Minutes
		}{{"care", d.Earned.Care}, {"pool", d.Earned.Pooled}, {"youth", d.Earned.Youth}} {
			if e.minutes > 0 {
				text += fmt.Sprintf(", %s %d", e.what, e.minutes)
			}
		}
		return text, d.Steps, nil
	}
}

func rulesOf(steps []Step) []string {
	ids := []string{}
	for _, s := range steps {
		if s.Effect != Graded {
			ids = append(ids, s.Rule)
		}
	}
	return ids
}

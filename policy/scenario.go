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

	born    ledger.Date
	hasBorn bool
	roles   []ledger.VolunteerRole
	before  map[ledger.Unit]ledger.Minutes // earned already, on the day of the first claim
	acts    []act
}

// act is a claim or a redemption, with what must come of it.
type act struct {
	line    int
	on      ledger.Date
	claim   *ClaimFacts
	hold    *HoldFacts
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
	earned := map[ledger.Date]map[ledger.Unit]ledger.Minutes{}
	var outcomes []Outcome
	for _, a := range s.acts {
		day := earned[a.on]
		if day == nil {
			day = map[ledger.Unit]ledger.Minutes{}
			earned[a.on] = day
		}
		if len(outcomes) == 0 {
			for unit, m := range s.before {
				day[unit] += m
			}
		}
		o, err := s.decide(r, a, day)
		if err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", a.line, s.Title, err)
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

// decide decides one act, and adds what it earns to the day.
func (s Scenario) decide(r *Rules, a act, day map[ledger.Unit]ledger.Minutes) (Outcome, error) {
	var o Outcome
	var err error
	if a.hold != nil {
		o, err = s.redeem(r, a)
	} else {
		o, err = s.serve(r, a, day)
	}
	var refusal *ledger.Refusal
	if errors.As(err, &refusal) {
		o, err = Outcome{Text: "refused " + refusal.Code, Rules: []string{refusal.Rule}}, nil
	}
	o.Line = a.line
	return o, err
}

func (s Scenario) redeem(r *Rules, a act) (Outcome, error) {
	f := *a.hold
	f.Age = r.Age(s.born, a.on)
	d, err := r.Hold(f)
	if err != nil {
		return Outcome{}, err
	}
	const hour = 60 * 60
	text := fmt.Sprintf("held for %d seconds", d.Seconds)
	if d.Seconds%hour == 0 {
		text = fmt.Sprintf("held for %d hours", d.Seconds/hour)
	}
	return Outcome{Text: text, Rules: rulesOf(d.Steps)}, nil
}

func (s Scenario) serve(r *Rules, a act, day map[ledger.Unit]ledger.Minutes) (Outcome, error) {
	f := *a.claim
	f.Age, f.Roles = r.Age(s.born, a.on), s.roles
	f.CareOnDay, f.YouthOnDay = day[ledger.Care], day[ledger.Youth]
	d, err := r.Decide(f)
	if err != nil {
		return Outcome{}, err
	}
	text := "grade " + string(d.Grade)
	for _, e := range d.Earned {
		text += fmt.Sprintf(", %s %d", e.Unit, e.Minutes)
		day[e.Unit] += e.Minutes
	}
	return Outcome{Text: text, Rules: rulesOf(d.Steps)}, nil
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

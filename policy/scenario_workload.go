package policy

import (
	"errors"
	"strings"

	"timebank/ledger"
)

func workloadPhrases(f *WorkloadFacts) phrases {
	return phrases{
		"N minutes in 7 days":           func(n int64) { f.In7 = ledger.Minutes(n) },
		"N minutes in 30 days":          func(n int64) { f.In30 = ledger.Minutes(n) },
		"N days of 7":                   func(n int64) { f.DaysIn7 = int(n) },
		"N in emergencies in 30 days":   func(n int64) { f.EmergencyIn30 = ledger.Minutes(n) },
		"asked for by the organization": func(int64) { f.By = ledger.OwnerOrganization },
		"asked for by the volunteer":    func(int64) { f.By = ledger.OwnerVolunteer },
	}
}

// watched reads "on 2026-03-05, 2401 minutes in 7 days, 6000 minutes in 30 days, 7 days of 7".
func (s *Scenario) watched(rest string, n int) error {
	on, more, err := onDay(rest)
	if err != nil {
		return err
	}
	f := WorkloadFacts{Today: on.String()}
	err = workloadPhrases(&f).read(more)
	s.acts = append(s.acts, act{line: n, on: on, do: func(r *Rules, p *standing) (string, []Step, error) {
		g := f
		g.Age, g.Roles = r.Age(p.born, on), p.roles
		steps, err := r.Watch(g)
		if len(steps) == 0 {
			return "nothing recommended", nil, err
		}
		return "recommended: " + strings.Join(rulesOf(steps), ", "), steps, err
	}})
	return err
}

// referred reads "to counselling on 2026-03-05, asked for by the volunteer".
func (s *Scenario) referred(rest string, n int) error {
	rest, ok := strings.CutPrefix(rest, "to ")
	id, day, _ := strings.Cut(rest, " ")
	if !ok {
		return errors.New("say \"referred to ID on DATE\"")
	}
	on, more, err := onDay(day)
	if err != nil {
		return err
	}
	f := WorkloadFacts{Referral: id, Today: on.String()}
	err = workloadPhrases(&f).read(more)
	s.acts = append(s.acts, act{line: n, on: on, do: func(r *Rules, p *standing) (string, []Step, error) {
		g := f
		g.Age, g.Roles = r.Age(p.born, on), p.roles
		steps, err := r.Refer(g)
		return "referred", steps, err
	}})
	return err
}

package policy

import (
	"errors"
	"slices"
	"strings"

	"timebank/ledger"
)

// chooses reads "keep-or-donate donate on 2026-03-05", and for an organization
// "team-pledge pledge on 2026-03-05 as professional_team".
func (s *Scenario) chooses(rest string, n int) error {
	words := strings.Fields(rest)
	if len(words) != 4 && len(words) != 6 || words[2] != "on" {
		return errors.New("say \"chooses CHOICE OPTION on DATE\", and for an organization \"as KIND\"")
	}
	today, err := ledger.ParseDate(words[3])
	if err != nil {
		return err
	}
	f := ChoiceFacts{By: ledger.OwnerVolunteer, Choice: words[0], Option: words[1], Today: today}
	if len(words) == 6 {
		f.By, f.Age, f.OrganizationKind = ledger.OwnerOrganization, -1, ledger.OrganizationKind(words[5])
		if words[4] != "as" || !slices.Contains(ledger.OrganizationKinds, f.OrganizationKind) {
			return errors.New("an organization chooses \"as\" one of the kinds of organization")
		}
	}
	s.acts = append(s.acts, act{line: n, on: today, do: choose(f)})
	return nil
}

// choose gives what becomes of a choice; what is chosen holds for the acts after it.
func choose(f ChoiceFacts) func(*Rules, *standing) (string, []Step, error) {
	return func(r *Rules, p *standing) (string, []Step, error) {
		if f.By == ledger.OwnerVolunteer {
			f.Age, f.Roles = r.Age(p.born, f.Today), p.roles
		}
		f.Before = p.choseOn[f.Choice]
		d, err := r.Choose(f)
		if err != nil {
			return "", nil, err
		}
		p.choseOn[f.Choice] = f.Today
		i := slices.IndexFunc(r.choices, func(c choice) bool { return c.id == f.Choice })
		p.chosen = append(slices.DeleteFunc(slices.Clone(p.chosen), func(o string) bool { return slices.Contains(r.choices[i].options, o) }), f.Option)
		return "chosen " + f.Option, d.Steps, nil
	}
}

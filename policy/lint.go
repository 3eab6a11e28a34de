package policy

import (
	"errors"
	"fmt"

	"timebank/ledger"
)

// lintAgeMax is the oldest age at which Lint looks.
const lintAgeMax = 110

// Lint tells what is allowed in a set and yet looks like a mistake: ages at which an hour that is shown in
// every way earns nothing, or two units at once, and rules that no claim can reach.
func Lint(r *Rules) ([]string, error) {
	var warnings []string
	spans := map[string]*ageSpan{}
	var order []*ageSpan
	for age := range lintAgeMax + 1 {
		what, err := r.earnsAt(age)
		if err != nil {
			return nil, err
		}
		if what == "" {
			continue
		}
		s := spans[what]
		if s == nil || s.to != age-1 {
			s = &ageSpan{what: what, from: age}
			spans[what], order = s, append(order, s)
		}
		s.to = age
	}
	for _, s := range order {
		warnings = append(warnings, fmt.Sprintf("from age %d to %d %s", s.from, s.to, s.what))
	}
	return append(warnings, r.unreachable()...), nil
}

type ageSpan struct {
	what     string
	from, to int
}

// earnsAt tells what is odd about what an hour earns at an age, or "".
func (r *Rules) earnsAt(age int) (string, error) {
	d, err := r.Decide(shownHour(age, r.from))
	var refusal *ledger.Refusal
	switch {
	case errors.As(err, &refusal):
		return "an hour is refused by rule " + refusal.Rule, nil
	case err != nil:
		return "", err
	case d.Earned.Care+d.Earned.Pooled > 0 && d.Earned.Youth > 0:
		return "an hour earns both care and youth", nil
	case d.Earned.Care+d.Earned.Pooled+d.Earned.Youth == 0:
		return "an hour that is shown in every way earns nothing", nil
	}
	return "", nil
}

// shownHour is an hour that is shown in every way.
func shownHour(age int, on ledger.Date) ClaimFacts {
	return ClaimFacts{Age: age, OrganizationKind: "social_organization", Minutes: 60, ServedOn: on, Today: on,
		CheckedInOut: true, BeneficiaryConfirmed: true, SheetOnFile: true, TwoPersons: true, SecondApprover: true, AuthorityApproved: true,
		GuardianConsent: true}
}

// unreachable tells the rules that stand behind one that always holds.
func (r *Rules) unreachable() (warnings []string) {
	always := map[ledger.Unit]string{}
	for _, e := range r.earn {
		if by := always[e.unit]; by != "" {
			warnings = append(warnings, fmt.Sprintf("rule %s can never apply: %s, before it, always does", e.id, by))
		} else if e.when.text == "true" {
			always[e.unit] = e.id
		}
	}
	return warnings
}

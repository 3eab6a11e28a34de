package api

import (
	"context"
	"fmt"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/policy"
)

// trialsMax is how many may read the whole ledger at once, to try a rule set or to decide again.
const trialsMax = 1

func readRules(source string) (*policy.Rules, error) {
	rules, err := policy.Parse([]byte(source))
	if err != nil {
		return nil, &ledger.Invalid{Code: "rules_malformed", Pointer: "/source", Detail: err.Error()}
	}
	return rules, nil
}

// CheckRules lints a rule set, and compares it with the one in force.
func (s *Server) CheckRules(ctx context.Context, r gen.CheckRulesRequestObject) (gen.CheckRulesResponseObject, error) {
	if err := callOf(ctx).by.May(ledger.RolePolicyOfficer); err != nil {
		return nil, err
	}
	rules, err := readRules(r.Body.Source)
	if err != nil {
		return nil, err
	}
	g := gen.CheckRules200JSONResponse{Hash: rules.Hash().String(), Rules: len(rules.InWords(policy.English)), Warnings: []string{}, Differences: []string{}}
	warnings, err := policy.Lint(rules)
	if err != nil {
		return nil, fmt.Errorf("linting a rule set: %w", err)
	}
	g.Warnings = append(g.Warnings, warnings...)
	now, _, err := s.rulesOn(ctx, nil)
	if err != nil {
		return nil, err
	}
	changes, err := policy.Diff(now, rules)
	if err != nil {
		return nil, fmt.Errorf("comparing rule sets: %w", err)
	}
	for _, c := range changes {
		g.Differences = append(g.Differences, c.Rule+": "+c.What)
	}
	return g, nil
}

// SimulateRules tries a rule set on recorded history.
func (s *Server) SimulateRules(ctx context.Context, r gen.SimulateRulesRequestObject) (gen.SimulateRulesResponseObject, error) {
	if err := callOf(ctx).by.May(ledger.RolePolicyOfficer); err != nil {
		return nil, err
	}
	rules, err := readRules(r.Body.Source)
	if err != nil {
		return nil, err
	}
	from, to := ledger.DateMin, ledger.DateMax
	for _, end := range []struct {
		pointer string
		text    *gen.Date
		day     *ledger.Date
	}{{"/from", r.Body.From, &from}, {"/to", r.Body.To, &to}} {
		if day, err := optionalDate(end.pointer, end.text); err != nil {
			return nil, err
		} else if day != nil {
			*end.day = *day
		}
	}
	report, err := s.book.Simulate(ctx, rules, from, to, nil, nil)
	if err != nil {
		return nil, err
	}
	return gen.SimulateRules200JSONResponse(simulation(report)), nil
}

func simulation(r policy.Report) gen.Simulation {
	g := gen.Simulation{Groups: []gen.SimulatedGroup{}, Refusals: r.Refusals, Gain: swing(r.Gain), Lose: swing(r.Lose), Unchanged: r.Unchanged,
		Largest: []gen.SimulatedChange{}, RedeemableWas: int64(r.Redeemable.Was), RedeemableWould: int64(r.Redeemable.Would), Short: int64(r.Short)}
	for _, x := range r.Groups {
		g.Groups = append(g.Groups, gen.SimulatedGroup{By: gen.SimulatedGroupBy(x.Group.By), Name: x.Group.Name, Claims: x.Claims, Refused: x.Refused,
			Served: int64(x.Served), Was: simulatedSum(x.Was), Would: simulatedSum(x.Would)})
	}
	for _, x := range r.Largest {
		g.Largest = append(g.Largest, gen.SimulatedChange{VolunteerId: x.Volunteer, Was: simulatedSum(x.Was), Would: simulatedSum(x.Would)})
	}
	return g
}

func simulatedSum(s policy.Sum) gen.SimulatedSum {
	return gen.SimulatedSum{Care: int64(s.Care), Pooled: int64(s.Pooled), Youth: int64(s.Youth)}
}

func swing(s policy.Swing) gen.SimulatedSwing {
	return gen.SimulatedSwing{Volunteers: s.Volunteers, Sum: simulatedSum(s.Sum)}
}

// ReplayRules decides all history again.
func (s *Server) ReplayRules(ctx context.Context, _ gen.ReplayRulesRequestObject) (gen.ReplayRulesResponseObject, error) {
	if err := callOf(ctx).by.May(ledger.RolePolicyOfficer, ledger.RoleAuditor); err != nil {
		return nil, err
	}
	again, err := s.book.Replay(ctx, nil)
	if err != nil {
		return nil, err
	}
	g := gen.ReplayRules200JSONResponse{Decided: again.Decided, Findings: []gen.ReplayFinding{}}
	for _, f := range again.Findings {
		g.Findings = append(g.Findings, gen.ReplayFinding{Seq: int64(f.Seq), What: f.What})
	}
	return g, nil
}

package api

import (
	"context"
	"errors"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/policy"
)

// GetPolicy tells the rules in force in plain words.
func (s *Server) GetPolicy(ctx context.Context, r gen.GetPolicyRequestObject) (gen.GetPolicyResponseObject, error) {
	on, err := optionalDate("/on", r.Params.On)
	if err != nil {
		return nil, err
	}
	if on == nil {
		now, err := s.book.Now(ctx)
		if err != nil {
			return nil, err
		}
		today := ledger.DateOf(now.In(s.book.Zone()))
		on = &today
	}
	rules, err := s.book.RulesInForce(ctx, *on)
	if errors.Is(err, ledger.ErrRefused) {
		return nil, ledger.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	g := gen.GetPolicy200JSONResponse{RuleSet: gen.RuleSetName{Id: rules.ID(), Hash: rules.Hash().String()},
		Title:         gen.Words{En: rules.Title(policy.English), Zh: rules.Title(policy.Chinese)},
		EffectiveFrom: rules.EffectiveFrom().String(), Source: string(rules.Source()), Rules: []gen.PolicyRule{}, Choices: policyChoices(rules)}
	zh := rules.InWords(policy.Chinese)
	for i, w := range rules.InWords(policy.English) {
		g.Rules = append(g.Rules, gen.PolicyRule{Id: w.ID, Text: gen.Words{En: w.Text, Zh: zh[i].Text}, Source: w.Source})
	}
	return g, nil
}

package api

import (
	"context"

	"timebank/api/gen"
	"timebank/policy"
)

// GetPolicy tells the rules in force in plain words.
func (s *Server) GetPolicy(ctx context.Context, r gen.GetPolicyRequestObject) (gen.GetPolicyResponseObject, error) {
	rules, _, err := s.rulesOn(ctx, r.Params.On)
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

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
		EffectiveFrom: rules.EffectiveFrom().String(), Source: string(rules.Source()), Rules: []gen.PolicyRule{}, Notices: []gen.PolicyRule{}, Choices: policyChoices(rules),
		Author: rules.Author(), Approver: rules.Approver(), Services: policyServices(rules)}
	zh := rules.InWords(policy.Chinese)
	for i, w := range rules.InWords(policy.English) {
		g.Rules = append(g.Rules, gen.PolicyRule{Id: w.ID, Text: gen.Words{En: w.Text, Zh: zh[i].Text}, Source: w.Source})
	}
	zh = rules.Notices(policy.Chinese)
	for i, w := range rules.Notices(policy.English) {
		g.Notices = append(g.Notices, gen.PolicyRule{Id: w.ID, Text: gen.Words{En: w.Text, Zh: zh[i].Text}, Source: w.Source})
	}
	return g, nil
}

// policyServices tells the catalogue of care.
func policyServices(rules *policy.Rules) []gen.PolicyService {
	all, zh := []gen.PolicyService{}, rules.Services(policy.Chinese)
	for i, s := range rules.Services(policy.English) {
		all = append(all, gen.PolicyService{Code: s.Code, Text: gen.Words{En: s.Text, Zh: zh[i].Text}, Minutes: int64(s.Minutes), By: gen.PolicyServiceBy(s.By)})
	}
	return all
}

package api

import (
	"context"

	"timebank/api/gen"
	"timebank/ledger/book"
	"timebank/policy"
)

// CreateChoice records what a volunteer or an organization chooses where the rules let them.
func (s *Server) CreateChoice(ctx context.Context, r gen.CreateChoiceRequestObject) (gen.CreateChoiceResponseObject, error) {
	c := callOf(ctx)
	receipt, err := s.book.Choose(ctx, c.by, book.Key{Text: r.Params.IdempotencyKey, Request: c.request},
		book.Choice{Volunteer: deref(r.Body.VolunteerId), Choice: r.Body.Choice, Option: r.Body.Option})
	if err != nil {
		return nil, err
	}
	return recorded(receipt.Replayed, s.receipt(receipt, false)), nil
}

// policyChoices tells what a rule set leaves to people.
func policyChoices(rules *policy.Rules) []gen.PolicyChoice {
	all, zh := []gen.PolicyChoice{}, rules.Choices(policy.Chinese)
	for i, c := range rules.Choices(policy.English) {
		g := gen.PolicyChoice{Id: c.ID, By: gen.PolicyChoiceBy(c.By), Per: gen.PolicyChoicePer(c.Per), Text: gen.Words{En: c.Text, Zh: zh[i].Text}}
		for j, o := range c.Options {
			g.Options = append(g.Options, gen.PolicyOption{Id: o.ID, Text: gen.Words{En: o.Text, Zh: zh[i].Options[j].Text}})
		}
		all = append(all, g)
	}
	return all
}

package api

import (
	"context"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/policy"
)

// DraftRules proposes a rule set.
func (s *Server) DraftRules(ctx context.Context, r gen.DraftRulesRequestObject) (gen.DraftRulesResponseObject, error) {
	c := callOf(ctx)
	receipt, err := s.book.DraftRules(ctx, c.by, book.Key{Text: r.Params.IdempotencyKey, Request: c.request}, []byte(r.Body.Source))
	if err != nil {
		return nil, err
	}
	return recorded(receipt.Replayed, s.receipt(receipt, false)), nil
}

// ApproveRules approves a draft.
func (s *Server) ApproveRules(ctx context.Context, r gen.ApproveRulesRequestObject) (gen.ApproveRulesResponseObject, error) {
	c := callOf(ctx)
	hash, err := ledger.ParseHash(r.Hash)
	if err != nil {
		return nil, ledger.ErrNotFound
	}
	receipt, err := s.book.ApproveRules(ctx, c.by, book.Key{Text: r.Params.IdempotencyKey, Request: c.request}, hash)
	if err != nil {
		return nil, err
	}
	return recorded(receipt.Replayed, s.receipt(receipt, false)), nil
}

// ActivateRules puts an approved draft into force.
func (s *Server) ActivateRules(ctx context.Context, r gen.ActivateRulesRequestObject) (gen.ActivateRulesResponseObject, error) {
	c := callOf(ctx)
	hash, err := ledger.ParseHash(r.Hash)
	if err != nil {
		return nil, ledger.ErrNotFound
	}
	receipt, err := s.book.ActivateRules(ctx, c.by, book.Key{Text: r.Params.IdempotencyKey, Request: c.request}, hash)
	if err != nil {
		return nil, err
	}
	return recorded(receipt.Replayed, s.receipt(receipt, false)), nil
}

// ListRuleDrafts lists every rule set, whether in force or not.
func (s *Server) ListRuleDrafts(ctx context.Context, _ gen.ListRuleDraftsRequestObject) (gen.ListRuleDraftsResponseObject, error) {
	if err := callOf(ctx).by.May(ledger.RolePolicyOfficer, ledger.RoleAuditor); err != nil {
		return nil, err
	}
	states, err := s.ruleSets(ctx, true)
	return gen.ListRuleDrafts200JSONResponse(states), err
}

// ListRuleSets lists the rule sets in force, past and to come.
func (s *Server) ListRuleSets(ctx context.Context, _ gen.ListRuleSetsRequestObject) (gen.ListRuleSetsResponseObject, error) {
	states, err := s.ruleSets(ctx, false)
	return gen.ListRuleSets200JSONResponse(states), err
}

func (s *Server) ruleSets(ctx context.Context, drafts bool) (gen.RuleSetStates, error) {
	states, err := s.book.RuleSets(ctx, drafts)
	g := gen.RuleSetStates{Data: []gen.RuleSetState{}}
	for _, x := range states {
		g.Data = append(g.Data, gen.RuleSetState{
			RuleSet:       gen.RuleSetName{Id: x.Rules.ID(), Hash: x.Rules.Hash().String()},
			Title:         gen.Words{En: x.Rules.Title(policy.English), Zh: x.Rules.Title(policy.Chinese)},
			EffectiveFrom: x.Rules.EffectiveFrom().String(), Active: x.Active,
			DraftSeq: seqOrNil(x.Drafted), ActiveSeq: seqOrNil(x.Activated),
			DraftedBy: optional(x.DraftedBy), ApprovedBy: optional(x.ApprovedBy), ActivatedBy: optional(x.ActivatedBy),
		})
	}
	return g, err
}

func seqOrNil(seq ledger.Seq) *int64 {
	if seq < 0 {
		return nil
	}
	n := int64(seq)
	return &n
}

// GetRuleSet gives the text of a rule set that is or was in force.
func (s *Server) GetRuleSet(ctx context.Context, r gen.GetRuleSetRequestObject) (gen.GetRuleSetResponseObject, error) {
	states, err := s.book.RuleSets(ctx, false)
	if err != nil {
		return nil, err
	}
	for _, x := range states {
		if x.Rules.Hash().String() == r.Hash {
			return plain{200, "application/yaml; charset=utf-8", string(x.Rules.Source())}, nil
		}
	}
	return nil, ledger.ErrNotFound
}

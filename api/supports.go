package api

import (
	"context"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/policy"
)

// CreateSupport assesses a team.
func (s *Server) CreateSupport(ctx context.Context, r gen.CreateSupportRequestObject) (gen.CreateSupportResponseObject, error) {
	c := callOf(ctx)
	in, err := date("/day", r.Body.Day)
	if err != nil {
		return nil, err
	}
	return s.receipted(s.book.Assess(ctx, c.by, c.key(r.Params.IdempotencyKey), r.Body.OrganizationId, in))
}

// ListSupports tells everybody what teams have earned.
func (s *Server) ListSupports(ctx context.Context, r gen.ListSupportsRequestObject) (gen.ListSupportsResponseObject, error) {
	team := deref(r.Params.OrganizationId)
	p, size, err := s.registryPage(ctx, r.Params.Cursor, r.Params.Limit, "supports "+team)
	if err != nil {
		return nil, err
	}
	found, err := s.book.Standings(ctx, team, size, ledger.Seq(p.after), p.limit)
	if err != nil {
		return nil, err
	}
	items, next := pageItems(s, p, found, func(x book.Standing) ledger.Seq { return x.Seq }, standing)
	return list(ctx, gen.StandingList{Data: items, AsOfLogSize: size, NextCursor: next}, next), nil
}

func standing(x book.Standing) gen.Standing {
	f := x.Facts
	g := gen.Standing{Seq: int64(x.Seq), OrganizationId: x.Organization, Organization: x.Name, Level: (*gen.StandingLevel)(optional(x.Level)),
		Supports: []gen.GrantedSupport{}, RuleSet: gen.RuleSetName{Id: x.Rules.ID(), Hash: x.Rules.Hash().String()},
		Facts: gen.SupportFacts{From: f.From, To: f.To, Minutes: int64(f.Minutes), Attested: int64(f.Attested), Emergency: int64(f.Emergency),
			Pledged: int64(f.Pledged), Claims: int64(f.Claims), Corrected: int64(f.Corrected), Members: int64(f.Members),
			MembersBefore: int64(f.MembersBefore), Stayed: int64(f.Stayed), Rated: int64(f.Rated), Satisfaction: int64(f.Satisfaction)}}
	for _, id := range x.Supports {
		g.Supports = append(g.Supports, gen.GrantedSupport{Id: id,
			Text: gen.Words{En: x.Rules.SupportWords(id, policy.English), Zh: x.Rules.SupportWords(id, policy.Chinese)}})
	}
	return g
}

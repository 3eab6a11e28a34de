package api

import (
	"context"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/policy"
)

// receipted answers a write with its receipt.
func (s *Server) receipted(r book.Receipt, err error) (written, error) {
	if err != nil {
		return written{}, err
	}
	return recorded(r.Replayed, s.receipt(r, false)), nil
}

func (c call) key(text string) book.Key { return book.Key{Text: text, Request: c.request} }

// CreateApplication asks the pool for care.
func (s *Server) CreateApplication(ctx context.Context, r gen.CreateApplicationRequestObject) (gen.CreateApplicationResponseObject, error) {
	c, b := callOf(ctx), r.Body
	return s.receipted(s.book.Apply(ctx, c.by, c.key(r.Params.IdempotencyKey), book.Application{Volunteer: b.VolunteerId, Alone: deref(b.LivesAlone),
		Poor: deref(b.Poor), NeedsCare: deref(b.NeedsCare), Withdrawn: deref(b.Withdrawn), Document: b.Document, Recorder: b.Recorder, Approver: b.Approver}))
}

// CreateGrant gives from the pool to the next in line.
func (s *Server) CreateGrant(ctx context.Context, r gen.CreateGrantRequestObject) (gen.CreateGrantResponseObject, error) {
	c := callOf(ctx)
	return s.receipted(s.book.GrantNext(ctx, c.by, c.key(r.Params.IdempotencyKey)))
}

// GetPool tells everybody what the pool has and does.
func (s *Server) GetPool(ctx context.Context, _ gen.GetPoolRequestObject) (gen.GetPoolResponseObject, error) {
	p, err := s.book.Pool(ctx)
	if err != nil {
		return nil, err
	}
	g := gen.GetPool200JSONResponse{AsOfLogSize: p.LogSize, Balance: int64(p.Balance), GrantedThisMonth: int64(p.Granted),
		BudgetPerMonth: int64(p.Rules.PoolBudget()), MostPerPerson: int64(p.Rules.GrantMost()), Waiting: []gen.PoolPriority{}, Months: []gen.PoolMonth{}}
	for i, n := range p.Waiting {
		g.Waiting = append(g.Waiting, gen.PoolPriority{Waiting: n,
			Text: gen.Words{En: p.Rules.PoolPriority(i+1, policy.English), Zh: p.Rules.PoolPriority(i+1, policy.Chinese)}})
	}
	for _, m := range p.Months {
		g.Months = append(g.Months, gen.PoolMonth{From: m.From.String(), In: int64(m.In), Out: int64(m.Out)})
	}
	return g, nil
}

// CreateExpiries ends credit whose time is over.
func (s *Server) CreateExpiries(ctx context.Context, r gen.CreateExpiriesRequestObject) (gen.CreateExpiriesResponseObject, error) {
	c := callOf(ctx)
	e, err := s.book.Expire(ctx, c.by, c.key(r.Params.IdempotencyKey))
	if err != nil {
		return nil, err
	}
	return recorded(false, gen.ExpirySweep{Volunteers: e.Volunteers, Minutes: int64(e.Minutes), More: e.More}), nil
}

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

package api

import (
	"context"

	"timebank/api/gen"
	"timebank/ledger/book"
	"timebank/policy"
)

// poolReadersMax is how many may read the pool at once.
const poolReadersMax = 4

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

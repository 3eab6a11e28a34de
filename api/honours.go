package api

import (
	"context"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/policy"
)

// CreateHonour gives an honour.
func (s *Server) CreateHonour(ctx context.Context, r gen.CreateHonourRequestObject) (gen.CreateHonourResponseObject, error) {
	c := callOf(ctx)
	return s.receipted(s.book.GiveHonour(ctx, c.by, c.key(r.Params.IdempotencyKey), book.Honouring{Volunteer: r.Body.VolunteerId, Honour: r.Body.Honour}))
}

// ListHonours tells everybody who was honoured and lets it be told.
func (s *Server) ListHonours(ctx context.Context, r gen.ListHonoursRequestObject) (gen.ListHonoursResponseObject, error) {
	p, size, err := s.registryPage(ctx, r.Params.Cursor, r.Params.Limit, "honours")
	if err != nil {
		return nil, err
	}
	found, err := s.book.HonourList(ctx, book.HonourFilter{Before: size, After: ledger.Seq(p.after), Limit: p.limit})
	if err != nil {
		return nil, err
	}
	items, next := pageItems(s, p, found, func(x book.Honoured) ledger.Seq { return x.Seq }, honour)
	return list(ctx, gen.HonourList{Data: items, AsOfLogSize: size, NextCursor: next}, next), nil
}

func honour(h book.Honoured) gen.Honour {
	return gen.Honour{Seq: int64(h.Seq), On: h.On.String(), Name: optional(h.Name), Id: h.ID, Kind: gen.HonourKind(h.Kind), Giver: optional(h.Giver),
		Text: gen.Words{En: h.Words[policy.English], Zh: h.Words[policy.Chinese]}, Counted: int64(h.Facts.Counted)}
}

// CreateNomination puts somebody forward for an honour.
func (s *Server) CreateNomination(ctx context.Context, r gen.CreateNominationRequestObject) (gen.CreateNominationResponseObject, error) {
	c := callOf(ctx)
	return s.receipted(s.book.Nominate(ctx, c.by, c.key(r.Params.IdempotencyKey),
		book.Honouring{Volunteer: r.Body.VolunteerId, Honour: r.Body.Honour, Reason: r.Body.Reason}))
}

// CreateHonourConsent lets the list of honour name somebody, or no more.
func (s *Server) CreateHonourConsent(ctx context.Context, r gen.CreateHonourConsentRequestObject) (gen.CreateHonourConsentResponseObject, error) {
	c := callOf(ctx)
	return s.receipted(s.book.ListHonours(ctx, c.by, c.key(r.Params.IdempotencyKey), r.Body.VolunteerId, r.Body.Listed))
}

// CreateReferral points somebody to help.
func (s *Server) CreateReferral(ctx context.Context, r gen.CreateReferralRequestObject) (gen.CreateReferralResponseObject, error) {
	c := callOf(ctx)
	return s.receipted(s.book.Refer(ctx, c.by, c.key(r.Params.IdempotencyKey), book.Referral{Volunteer: r.Body.VolunteerId, To: r.Body.To}))
}

// CreateClarification puts an unfounded complaint right.
func (s *Server) CreateClarification(ctx context.Context, r gen.CreateClarificationRequestObject) (gen.CreateClarificationResponseObject, error) {
	c, b := callOf(ctx), r.Body
	x := book.Clarification{Volunteer: b.VolunteerId, Finding: b.Finding, Document: b.Document, Recorder: b.Recorder, Approver: b.Approver}
	if b.Entry != nil {
		seq := ledger.Seq(*b.Entry)
		x.Entry = &seq
	}
	return s.receipted(s.book.Clarify(ctx, c.by, c.key(r.Params.IdempotencyKey), x))
}

// GetWorkload tells what somebody served lately, and what is recommended.
func (s *Server) GetWorkload(ctx context.Context, r gen.GetWorkloadRequestObject) (gen.GetWorkloadResponseObject, error) {
	w, err := s.book.Workload(ctx, callOf(ctx).by, r.Id)
	if err != nil {
		return nil, err
	}
	g := gen.GetWorkload200JSONResponse{VolunteerId: r.Id, AsOfLogSize: w.LogSize, MinutesIn7: int64(w.Facts.In7), MinutesIn30: int64(w.Facts.In30),
		DaysIn7: w.Facts.DaysIn7, EmergencyIn30: int64(w.Facts.EmergencyIn30), Recommended: []gen.Recommendation{}}
	for _, step := range w.Steps {
		g.Recommended = append(g.Recommended, gen.Recommendation{Rule: step.Rule,
			Text: gen.Words{En: w.Rules.Words(step, policy.English), Zh: w.Rules.Words(step, policy.Chinese)}})
	}
	return g, nil
}

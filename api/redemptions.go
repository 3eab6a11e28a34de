package api

import (
	"context"
	"strings"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/policy"
)

// CreateRedemption holds credit for care.
func (s *Server) CreateRedemption(ctx context.Context, r gen.CreateRedemptionRequestObject) (gen.CreateRedemptionResponseObject, error) {
	c := callOf(ctx)
	careAt, err := careTime(r.Body.CareAt)
	if err != nil {
		return nil, err
	}
	receipt, err := s.book.Hold(ctx, c.by, book.Key{Text: r.Params.IdempotencyKey, Request: c.request},
		book.Redemption{Volunteer: r.Body.VolunteerId, For: deref(r.Body.ForVolunteerId), Service: r.Body.Service, Minutes: ledger.Minutes(r.Body.Minutes),
			CareAt: careAt, Urgent: deref(r.Body.Urgent)})
	return s.redeemed(ctx, receipt, err)
}

// ConfirmRedemption settles a hold for what was given.
func (s *Server) ConfirmRedemption(ctx context.Context, r gen.ConfirmRedemptionRequestObject) (gen.ConfirmRedemptionResponseObject, error) {
	c := callOf(ctx)
	receipt, err := s.book.Confirm(ctx, c.by, book.Key{Text: r.Params.IdempotencyKey, Request: c.request}, r.Id, ledger.Minutes(r.Body.Minutes))
	return s.redeemed(ctx, receipt, err)
}

// CancelRedemption gives a hold back.
func (s *Server) CancelRedemption(ctx context.Context, r gen.CancelRedemptionRequestObject) (gen.CancelRedemptionResponseObject, error) {
	c := callOf(ctx)
	receipt, err := s.book.Cancel(ctx, c.by, book.Key{Text: r.Params.IdempotencyKey, Request: c.request}, r.Id, policy.CancelReason(r.Body.Reason))
	return s.redeemed(ctx, receipt, err)
}

// careTime reads "2026-03-05T14:30".
func careTime(text *string) (*book.CareTime, error) {
	if text == nil {
		return nil, nil
	}
	day, clock, _ := strings.Cut(*text, "T")
	on, err1 := ledger.ParseDate(day)
	at, err2 := ledger.ParseClock(clock)
	if err1 != nil || err2 != nil {
		return nil, &ledger.Invalid{Code: "date_malformed", Pointer: "/care_at", Detail: "care_at is a day and a time of day like 2026-03-05T14:30"}
	}
	c := book.At(on, at)
	return &c, nil
}

// redeemed answers with the redemption as it stands and the receipt of what was just recorded.
func (s *Server) redeemed(ctx context.Context, receipt book.Receipt, err error) (written, error) {
	if err != nil {
		return written{}, err
	}
	state := receipt.Redemption
	if state == nil { // answered before under this key: as it stands now
		by := callOf(ctx).by
		if by.Role == ledger.RoleOperator { // who settles a dispute reads what came of it
			by = ledger.Actor{Role: ledger.RoleAuditor}
		}
		read, err := s.book.Redemption(ctx, by, receipt.ID)
		if err != nil {
			return written{}, err
		}
		state = &read
	}
	g, r := redemption(*state), s.receipt(receipt, false)
	g.Receipt = &r
	return recorded(receipt.Replayed, g), nil
}

func redemption(r book.RedemptionState) gen.Redemption {
	return gen.Redemption{Id: r.ID, VolunteerId: r.Volunteer, PartnerId: r.Partner, Service: r.Service, Status: gen.RedemptionStatus(r.Status),
		Held: int64(r.Held), Given: int64(r.Given), CareAt: optional(r.CareAt.String()), EndsAt: instant(r.EndsAt), HoldSeq: int64(r.HoldSeq), SettledSeq: seqPointer(r.SettledSeq)}
}

// GetRedemption reads a redemption.
func (s *Server) GetRedemption(ctx context.Context, r gen.GetRedemptionRequestObject) (gen.GetRedemptionResponseObject, error) {
	state, err := s.book.Redemption(ctx, callOf(ctx).by, r.Id)
	return gen.GetRedemption200JSONResponse(redemption(state)), err
}

// ListRedemptions lists redemptions.
func (s *Server) ListRedemptions(ctx context.Context, r gen.ListRedemptionsRequestObject) (gen.ListRedemptionsResponseObject, error) {
	p, size, err := s.registryPage(ctx, r.Params.Cursor, r.Params.Limit, "redemptions "+deref(r.Params.VolunteerId))
	if err != nil {
		return nil, err
	}
	found, err := s.book.Redemptions(ctx, p.by, book.RedemptionFilter{Volunteer: deref(r.Params.VolunteerId), After: ledger.Seq(p.after), Limit: p.limit})
	if err != nil {
		return nil, err
	}
	items, next := pageItems(s, p, found, func(x book.RedemptionState) ledger.Seq { return x.HoldSeq }, redemption)
	return list(ctx, gen.RedemptionList{Data: items, AsOfLogSize: size, NextCursor: next}, next), nil
}

package api

import (
	"context"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
)

// CreatePartner registers a partner.
func (s *Server) CreatePartner(ctx context.Context, r gen.CreatePartnerRequestObject) (gen.CreatePartnerResponseObject, error) {
	c := callOf(ctx)
	p := book.Partner{Name: r.Body.Name, ExternalID: deref(r.Body.ExternalId)}
	receipt, err := s.book.RegisterPartner(ctx, c.by, book.Key{Text: r.Params.IdempotencyKey, Request: c.request}, p)
	if err != nil {
		return nil, err
	}
	p.ID, p.Seq, p.RegisteredAt = receipt.ID, receipt.Seq, receipt.Recorded
	return recorded(receipt.Replayed, partner(p)), nil
}

func partner(p book.Partner) gen.Partner {
	return gen.Partner{Id: p.ID, Name: p.Name, ExternalId: optional(p.ExternalID), Seq: int64(p.Seq), RegisteredAt: instant(p.RegisteredAt)}
}

// ListPartners lists partners.
func (s *Server) ListPartners(ctx context.Context, r gen.ListPartnersRequestObject) (gen.ListPartnersResponseObject, error) {
	p, size, err := s.registryPage(ctx, r.Params.Cursor, r.Params.Limit, "partners "+deref(r.Params.ExternalId))
	if err != nil {
		return nil, err
	}
	found, err := s.book.Partners(ctx, p.by, p.filter(deref(r.Params.ExternalId)))
	if err != nil {
		return nil, err
	}
	items, next := pageItems(s, p, found, func(x book.Partner) ledger.Seq { return x.Seq }, partner)
	return list(ctx, gen.PartnerList{Data: items, AsOfLogSize: size, NextCursor: next}, next), nil
}

// GetPartner reads a partner.
func (s *Server) GetPartner(ctx context.Context, r gen.GetPartnerRequestObject) (gen.GetPartnerResponseObject, error) {
	p, err := s.book.Partner(ctx, callOf(ctx).by, r.Id)
	return gen.GetPartner200JSONResponse(partner(p)), err
}

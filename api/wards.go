package api

import (
	"context"

	"timebank/api/gen"
	"timebank/ledger/book"
)

// CreateGuardianConsent lets a child take part.
func (s *Server) CreateGuardianConsent(ctx context.Context, r gen.CreateGuardianConsentRequestObject) (gen.CreateGuardianConsentResponseObject, error) {
	c := callOf(ctx)
	since, err := date("/since", r.Body.Since)
	if err != nil {
		return nil, err
	}
	until, err := date("/until", r.Body.Until)
	if err != nil {
		return nil, err
	}
	receipt, err := s.book.GiveWardConsent(ctx, c.by, book.Key{Text: r.Params.IdempotencyKey, Request: c.request},
		book.WardConsent{Ward: r.Body.WardId, Since: since, Until: until})
	if err != nil {
		return nil, err
	}
	return recorded(receipt.Replayed, s.receipt(receipt, false)), nil
}

package api

import (
	"context"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
)

// CreateRelation registers two volunteers as relatives.
func (s *Server) CreateRelation(ctx context.Context, r gen.CreateRelationRequestObject) (gen.CreateRelationResponseObject, error) {
	c := callOf(ctx)
	receipt, err := s.book.RegisterRelation(ctx, c.by, book.Key{Text: r.Params.IdempotencyKey, Request: c.request}, book.Relation{
		Volunteer: r.Body.VolunteerId, Relative: r.Body.RelativeId, Kind: ledger.RelationKind(r.Body.Relation),
		Document: r.Body.Document, Recorder: r.Body.Recorder, Approver: r.Body.Approver})
	if err != nil {
		return nil, err
	}
	return recorded(receipt.Replayed, s.receipt(receipt, false)), nil
}

// EndRelation records that a relation ended.
func (s *Server) EndRelation(ctx context.Context, r gen.EndRelationRequestObject) (gen.EndRelationResponseObject, error) {
	c := callOf(ctx)
	receipt, err := s.book.EndRelation(ctx, c.by, book.Key{Text: r.Params.IdempotencyKey, Request: c.request}, ledger.Seq(r.Seq))
	if err != nil {
		return nil, err
	}
	return recorded(receipt.Replayed, s.receipt(receipt, false)), nil
}

// CreateTransfer gives care credit to a relative.
func (s *Server) CreateTransfer(ctx context.Context, r gen.CreateTransferRequestObject) (gen.CreateTransferResponseObject, error) {
	return s.give(ctx, r.Params.IdempotencyKey, book.Gift{Giver: r.Body.VolunteerId, Receiver: r.Body.ReceiverId, Minutes: ledger.Minutes(r.Body.Minutes)})
}

// CreateDonation gives care credit to the pool.
func (s *Server) CreateDonation(ctx context.Context, r gen.CreateDonationRequestObject) (gen.CreateDonationResponseObject, error) {
	return s.give(ctx, r.Params.IdempotencyKey, book.Gift{Giver: r.Body.VolunteerId, Minutes: ledger.Minutes(r.Body.Minutes)})
}

func (s *Server) give(ctx context.Context, key string, g book.Gift) (written, error) {
	c := callOf(ctx)
	receipt, err := s.book.Give(ctx, c.by, book.Key{Text: key, Request: c.request}, g)
	if err != nil {
		return written{}, err
	}
	return recorded(receipt.Replayed, s.giverReceipt(receipt, g)), nil
}

// giverReceipt tells the giver of their own postings: what the receiver has is the receiver's.
func (s *Server) giverReceipt(r book.Receipt, g book.Gift) gen.Receipt {
	own := r.Lines[:0:0]
	for _, l := range r.Lines {
		if l.Owner.ID == g.Giver {
			own = append(own, l)
		}
	}
	r.Lines = own
	return s.receipt(r, false)
}

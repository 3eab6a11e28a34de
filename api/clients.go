package api

import (
	"context"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
)

// CreateClient issues credentials.
func (s *Server) CreateClient(ctx context.Context, r gen.CreateClientRequestObject) (gen.CreateClientResponseObject, error) {
	c := callOf(ctx)
	client := book.Client{Role: ledger.Role(r.Body.Role), Subject: deref(r.Body.SubjectId), Label: deref(r.Body.Label)}
	receipt, err := s.book.IssueClient(ctx, c.by, book.Key{Text: r.Params.IdempotencyKey, Request: c.request}, client)
	if err != nil {
		return nil, err
	}
	return recorded(receipt.Replayed, gen.ClientIssued{ClientId: receipt.ID, ClientSecret: s.book.ClientSecret(receipt.ID), Role: gen.Role(client.Role),
		SubjectId: optional(client.Subject), Label: optional(client.Label), Seq: int64(receipt.Seq), RegisteredAt: instant(receipt.Recorded)}), nil
}

func client(c book.Client) gen.Client {
	return gen.Client{ClientId: c.ID, Role: gen.Role(c.Role), SubjectId: optional(c.Subject), Label: optional(c.Label), Revoked: c.Revoked,
		Seq: int64(c.Seq), RegisteredAt: instant(c.RegisteredAt)}
}

// ListClients lists credentials, without secrets.
func (s *Server) ListClients(ctx context.Context, r gen.ListClientsRequestObject) (gen.ListClientsResponseObject, error) {
	p, size, err := s.registryPage(ctx, r.Params.Cursor, r.Params.Limit, "clients")
	if err != nil {
		return nil, err
	}
	found, err := s.book.Clients(ctx, p.by, p.filter(""))
	if err != nil {
		return nil, err
	}
	items, next := pageItems(s, p, found, func(x book.Client) ledger.Seq { return x.Seq }, client)
	return list(ctx, gen.ClientList{Data: items, AsOfLogSize: size, NextCursor: next}, next), nil
}

// RevokeClient ends credentials.
func (s *Server) RevokeClient(ctx context.Context, r gen.RevokeClientRequestObject) (gen.RevokeClientResponseObject, error) {
	c := callOf(ctx)
	receipt, err := s.book.RevokeClient(ctx, c.by, book.Key{Text: r.Params.IdempotencyKey, Request: c.request}, r.Id)
	if err != nil {
		return nil, err
	}
	revoked, err := s.book.Client(ctx, r.Id)
	return recorded(receipt.Replayed, client(revoked)), err
}

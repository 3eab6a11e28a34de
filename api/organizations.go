package api

import (
	"context"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
)

// CreateOrganization registers an organization.
func (s *Server) CreateOrganization(ctx context.Context, r gen.CreateOrganizationRequestObject) (gen.CreateOrganizationResponseObject, error) {
	c := callOf(ctx)
	o := book.Organization{Name: r.Body.Name, ExternalID: deref(r.Body.ExternalId), Kind: ledger.OrganizationKind(r.Body.Kind)}
	if p := r.Body.Place; p != nil {
		o.Place = ledger.Place{District: deref(p.District), Street: deref(p.Street), Community: deref(p.Community), Grid: deref(p.Grid)}
	}
	receipt, err := s.book.RegisterOrganization(ctx, c.by, book.Key{Text: r.Params.IdempotencyKey, Request: c.request}, o)
	if err != nil {
		return nil, err
	}
	o.ID, o.Seq, o.RegisteredAt = receipt.ID, receipt.Seq, receipt.Recorded
	return recorded(receipt.Replayed, organization(o)), nil
}

func organization(o book.Organization) gen.Organization {
	return gen.Organization{Id: o.ID, Name: o.Name, Kind: gen.OrganizationKind(o.Kind), ExternalId: optional(o.ExternalID),
		Place: place(o.Place), Seq: int64(o.Seq), RegisteredAt: instant(o.RegisteredAt)}
}

// ListOrganizations lists organizations.
func (s *Server) ListOrganizations(ctx context.Context, r gen.ListOrganizationsRequestObject) (gen.ListOrganizationsResponseObject, error) {
	p, size, err := s.registryPage(ctx, r.Params.Cursor, r.Params.Limit, "organizations "+deref(r.Params.ExternalId))
	if err != nil {
		return nil, err
	}
	found, err := s.book.Organizations(ctx, p.by, p.filter(deref(r.Params.ExternalId)))
	if err != nil {
		return nil, err
	}
	items, next := pageItems(s, p, found, func(x book.Organization) ledger.Seq { return x.Seq }, organization)
	return list(ctx, gen.OrganizationList{Data: items, AsOfLogSize: size, NextCursor: next}, next), nil
}

// registryPage reads where a walk through a registry stands.
func (s *Server) registryPage(ctx context.Context, cursor *gen.CursorParam, limit *gen.LimitParam, list string) (page, int64, error) {
	size, err := s.book.LogSize(ctx)
	if err != nil {
		return page{}, 0, err
	}
	p, err := s.pageOf(callOf(ctx).by, cursor, limit, size, list)
	return p, p.logSize, err
}

func (p page) filter(externalID string) book.ListFilter {
	return book.ListFilter{AfterSeq: ledger.Seq(p.after), ExternalID: externalID, Limit: p.limit}
}

// GetOrganization reads an organization.
func (s *Server) GetOrganization(ctx context.Context, r gen.GetOrganizationRequestObject) (gen.GetOrganizationResponseObject, error) {
	o, err := s.book.Organization(ctx, callOf(ctx).by, r.Id)
	return gen.GetOrganization200JSONResponse(organization(o)), err
}

func place(p ledger.Place) gen.Place {
	return gen.Place{District: optional(p.District), Street: optional(p.Street), Community: optional(p.Community), Grid: optional(p.Grid)}
}

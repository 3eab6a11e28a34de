package api

import (
	"context"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
)

// CreateVolunteer registers a volunteer.
func (s *Server) CreateVolunteer(ctx context.Context, r gen.CreateVolunteerRequestObject) (gen.CreateVolunteerResponseObject, error) {
	c := callOf(ctx)
	born, err := date("/born", r.Body.Born)
	if err != nil {
		return nil, err
	}
	v := book.Volunteer{Name: r.Body.Name, Born: born, ExternalID: deref(r.Body.ExternalId), Guardian: deref(r.Body.GuardianId)}
	for _, role := range deref(r.Body.Roles) {
		v.Roles = append(v.Roles, ledger.VolunteerRole(role))
	}
	receipt, err := s.book.RegisterVolunteer(ctx, c.by, book.Key{Text: r.Params.IdempotencyKey, Request: c.request}, v)
	if err != nil {
		return nil, err
	}
	v.ID, v.Seq, v.RegisteredAt = receipt.ID, receipt.Seq, receipt.Recorded
	return recorded(receipt.Replayed, volunteer(v)), nil
}

func volunteer(v book.Volunteer) gen.Volunteer {
	born := v.Born.String()
	g := gen.Volunteer{Id: v.ID, Name: v.Name, Born: &born, ExternalId: optional(v.ExternalID), GuardianId: optional(v.Guardian),
		Roles: []gen.VolunteerRole{}, Seq: int64(v.Seq), RegisteredAt: instant(v.RegisteredAt)}
	for _, role := range v.Roles {
		g.Roles = append(g.Roles, gen.VolunteerRole(role))
	}
	return g
}

// shown gives a volunteer as a reader may see one: an organization needs to know whom it works with, and
// neither age nor family.
func shown(by ledger.Actor) func(book.Volunteer) gen.Volunteer {
	return func(v book.Volunteer) gen.Volunteer {
		g := volunteer(v)
		if by.Role == ledger.RoleOrganization {
			g.Born, g.GuardianId = nil, nil
		}
		return g
	}
}

// ListVolunteers lists volunteers.
func (s *Server) ListVolunteers(ctx context.Context, r gen.ListVolunteersRequestObject) (gen.ListVolunteersResponseObject, error) {
	p, size, err := s.registryPage(ctx, r.Params.Cursor, r.Params.Limit, "volunteers "+deref(r.Params.ExternalId))
	if err != nil {
		return nil, err
	}
	found, err := s.book.Volunteers(ctx, p.by, p.filter(deref(r.Params.ExternalId)))
	if err != nil {
		return nil, err
	}
	items, next := pageItems(s, p, found, func(x book.Volunteer) ledger.Seq { return x.Seq }, shown(p.by))
	return list(ctx, gen.VolunteerList{Data: items, AsOfLogSize: size, NextCursor: next}, next), nil
}

// GetVolunteer reads a volunteer.
func (s *Server) GetVolunteer(ctx context.Context, r gen.GetVolunteerRequestObject) (gen.GetVolunteerResponseObject, error) {
	by := callOf(ctx).by
	v, err := s.book.Volunteer(ctx, by, r.Id)
	return gen.GetVolunteer200JSONResponse(shown(by)(v)), err
}

// GetBalances reads a volunteer's balances.
func (s *Server) GetBalances(ctx context.Context, r gen.GetBalancesRequestObject) (gen.GetBalancesResponseObject, error) {
	at, err := s.asOf(ctx, r.Params.Effective, r.Params.AtLogSize, r.Params.KnownAt)
	if err != nil {
		return nil, err
	}
	v, err := s.book.Balances(ctx, callOf(ctx).by, r.Id, at)
	if err != nil {
		return nil, err
	}
	return gen.GetBalances200JSONResponse{VolunteerId: v.Volunteer, AsOfLogSize: v.LogSize, Served: int64(v.Served), Youth: int64(v.Youth),
		Care: int64(v.Care), CareHeld: int64(v.CareHeld), CareOwed: int64(v.CareOwed), CareAvailable: int64(v.CareAvailable),
		Redeemable: v.Redeemable, Accounts: accounts(v.Accounts)}, nil
}

// CreateConsent lets a partner hold a volunteer's credit.
func (s *Server) CreateConsent(ctx context.Context, r gen.CreateConsentRequestObject) (gen.CreateConsentResponseObject, error) {
	c := callOf(ctx)
	until, err := date("/until", r.Body.Until)
	if err != nil {
		return nil, err
	}
	receipt, err := s.book.GiveConsent(ctx, c.by, book.Key{Text: r.Params.IdempotencyKey, Request: c.request}, book.Consent{
		Volunteer: r.Body.VolunteerId, Partner: r.Body.PartnerId, MinutesMax: ledger.Minutes(r.Body.MinutesMax), Until: until})
	if err != nil {
		return nil, err
	}
	return recorded(receipt.Replayed, s.receipt(receipt, false)), nil
}

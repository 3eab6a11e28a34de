package book

import (
	"context"
	"fmt"
	"slices"
	"time"

	"timebank/ledger"
)

// RegisterOrganization registers who may post hours. The actor is the operator.
func (b *Book) RegisterOrganization(ctx context.Context, by ledger.Actor, key Key, o Organization) (Receipt, error) {
	if err := by.May(ledger.RoleOperator); err != nil {
		return Receipt{}, err
	}
	if err := checkNames(o.Name, o.ExternalID); err != nil {
		return Receipt{}, err
	}
	if !slices.Contains(ledger.OrganizationKinds, o.Kind) {
		return Receipt{}, &ledger.Invalid{Code: "kind_unknown", Pointer: "/kind", Detail: fmt.Sprintf("an organization is one of %v", ledger.OrganizationKinds)}
	}
	if err := o.Place.Check(); err != nil {
		return Receipt{}, err
	}
	return b.do(ctx, by, key, &registerOrganization{o})
}

func checkNames(name, externalID string) error {
	return ledger.CheckTexts(
		ledger.Text{Pointer: "/name", Value: name, BytesMax: ledger.NameBytesMax, Required: true},
		ledger.Text{Pointer: "/external_id", Value: externalID, BytesMax: ledger.ReferenceBytesMax},
	)
}

type registerOrganization struct{ o Organization }

func (c *registerOrganization) want(_ *world, n *wants) {
	n.taken.add(externalID{string(ledger.KindOrganization), c.o.ExternalID})
}

type organizationDetails struct {
	ID         string                  `json:"id"`
	Name       string                  `json:"name"`
	ExternalID string                  `json:"external_id,omitempty"`
	Kind       ledger.OrganizationKind `json:"kind"`
	Place      ledger.Place            `json:"place"`
}

func (c *registerOrganization) decide(w *world) (decision, error) {
	if err := w.checkUntaken(ledger.KindOrganization, c.o.ExternalID); err != nil {
		return decision{}, err
	}
	id, accounts, err := newParty(ledger.OwnerOrganization)
	if err != nil {
		return decision{}, err
	}
	details, err := encode(organizationDetails{id, c.o.Name, c.o.ExternalID, c.o.Kind, c.o.Place})
	if err != nil {
		return decision{}, err
	}
	const insert = `
		INSERT INTO organization (id, seq, name, external_id, kind, district, street, community, grid)
		VALUES ($1, $2, $3, nullif($4, ''), $5, $6, $7, $8, $9)`
	return decision{id: id, effects: []effect{{
		draft:        ledger.Draft{Kind: ledger.KindOrganization, Effective: w.today, Details: details},
		organization: id, opens: accounts,
		rows: func(seq ledger.Seq) []row {
			p := c.o.Place
			return []row{{insert, []any{id, seq, c.o.Name, c.o.ExternalID, string(c.o.Kind), p.District, p.Street, p.Community, p.Grid}}}
		},
		learned: func(w *world, _ ledger.Seq) {
			w.takeName(ledger.KindOrganization, c.o.ExternalID)
			w.organizations[id] = c.o.Kind
		},
	}}}, nil
}

func (w *world) fetchOrganizations(ctx context.Context, q selecter, n *wants) error {
	ask := missing(n.organizations.list, w.known.organizations, func(id string, kind ledger.OrganizationKind) { w.organizations[id] = kind })
	if len(ask) == 0 {
		return nil
	}
	type kindRow struct {
		ID   string                  `db:"id"`
		Kind ledger.OrganizationKind `db:"kind"`
	}
	rows, err := selectAll[kindRow](ctx, q, `SELECT id, kind FROM organization WHERE id = ANY ($1::uuid[])`, uuids(ask))
	if err != nil {
		return fmt.Errorf("reading organizations: %w", err)
	}
	for _, r := range rows {
		w.organizations[r.ID], w.known.organizations[r.ID] = r.Kind, r.Kind
	}
	return nil
}

// Organization reads one organization.
func (b *Book) Organization(ctx context.Context, by ledger.Actor, id string) (Organization, error) {
	if checkID("/id", id) != nil || by.Role == ledger.RoleOrganization && by.Subject != id {
		return Organization{}, ledger.ErrNotFound
	}
	found, err := b.organizations(ctx, by, id, ListFilter{AfterSeq: -1, Limit: 1})
	return only(found, err)
}

// Organizations lists organizations in the order of registration.
func (b *Book) Organizations(ctx context.Context, by ledger.Actor, f ListFilter) ([]Organization, error) {
	return b.organizations(ctx, by, "", f)
}

type organizationRow struct {
	ID         string                  `db:"id"`
	Seq        ledger.Seq              `db:"seq"`
	Name       string                  `db:"name"`
	ExternalID string                  `db:"external_id"`
	Kind       ledger.OrganizationKind `db:"kind"`
	District   string                  `db:"district"`
	Street     string                  `db:"street"`
	Community  string                  `db:"community"`
	Grid       string                  `db:"grid"`
	Recorded   time.Time               `db:"recorded"`
}

func (b *Book) organizations(ctx context.Context, by ledger.Actor, id string, f ListFilter) ([]Organization, error) {
	if err := by.May(ledger.RoleOperator, ledger.RoleAuditor, ledger.RoleOrganization); err != nil {
		return nil, err
	}
	own := ""
	if by.Role == ledger.RoleOrganization {
		own = by.Subject
	}
	const query = `
		SELECT o.id, o.seq, o.name, coalesce(o.external_id, '') AS external_id, o.kind, o.district, o.street, o.community, o.grid, e.recorded
		FROM organization o JOIN entry e ON e.seq = o.seq
		WHERE ($1 = '' OR o.id = nullif($1, '')::uuid) AND o.seq > $2 AND ($3 = '' OR o.external_id = $3)
		      AND ($4 = '' OR o.id = nullif($4, '')::uuid)
		ORDER BY o.seq LIMIT $5`
	rows, err := selectAll[organizationRow](ctx, b.db, query, id, f.AfterSeq, f.ExternalID, own, f.Limit)
	if err != nil {
		return nil, fmt.Errorf("reading organizations: %w", err)
	}
	found := make([]Organization, len(rows))
	for i, r := range rows {
		found[i] = Organization{ID: r.ID, Name: r.Name, ExternalID: r.ExternalID, Kind: r.Kind,
			Place: ledger.Place{District: r.District, Street: r.Street, Community: r.Community, Grid: r.Grid},
			Seq:   r.Seq, RegisteredAt: r.Recorded.UTC()}
	}
	return found, nil
}

// only gives the one thing found, or ErrNotFound.
func only[T any](found []T, err error) (T, error) {
	var none T
	switch {
	case err != nil:
		return none, err
	case len(found) == 0:
		return none, ledger.ErrNotFound
	}
	return found[0], nil
}

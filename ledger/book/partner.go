package book

import (
	"context"
	"fmt"
	"time"

	"github.com/lib/pq"

	"timebank/ledger"
)

// RegisterPartner registers who gives care in return for credit. The actor is the operator.
func (b *Book) RegisterPartner(ctx context.Context, by ledger.Actor, key Key, p Partner) (Receipt, error) {
	if err := by.May(ledger.RoleOperator); err != nil {
		return Receipt{}, err
	}
	if err := checkNames(p.Name, p.ExternalID); err != nil {
		return Receipt{}, err
	}
	return b.do(ctx, by, key, &registerPartner{p})
}

type registerPartner struct{ p Partner }

func (c *registerPartner) want(_ *world, n *wants) {
	n.taken.add(externalID{string(ledger.KindPartner), c.p.ExternalID})
}

type partnerDetails struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	ExternalID string `json:"external_id,omitempty"`
}

func (c *registerPartner) decide(w *world) (decision, error) {
	if err := w.checkUntaken(ledger.KindPartner, c.p.ExternalID); err != nil {
		return decision{}, err
	}
	id, accounts, err := newParty(ledger.OwnerPartner)
	if err != nil {
		return decision{}, err
	}
	details, err := encode(partnerDetails{id, c.p.Name, c.p.ExternalID})
	if err != nil {
		return decision{}, err
	}
	const insert = `INSERT INTO partner (id, seq, name, external_id) VALUES ($1, $2, $3, nullif($4, ''))`
	return decision{id: id, effects: []effect{{
		draft:   ledger.Draft{Kind: ledger.KindPartner, Effective: w.today, Details: details},
		partner: id, opens: accounts,
		rows: func(seq ledger.Seq) []row { return []row{{insert, []any{id, seq, c.p.Name, c.p.ExternalID}}} },
		learned: func(w *world, _ ledger.Seq) {
			w.takeName(ledger.KindPartner, c.p.ExternalID)
			w.partners[id] = true
		},
	}}}, nil
}

func (w *world) fetchPartners(ctx context.Context, q selecter, n *wants) error {
	ask := missing(n.partners.list, w.known.partners, func(id string, _ bool) { w.partners[id] = true })
	if len(ask) == 0 {
		return nil
	}
	ids, err := selectAll[string](ctx, q, `SELECT id FROM partner WHERE id = ANY ($1::uuid[])`, pq.Array(ask))
	if err != nil {
		return fmt.Errorf("reading partners: %w", err)
	}
	for _, id := range ids {
		w.partners[id], w.known.partners[id] = true, true
	}
	return nil
}

// Partner reads one partner. Partners are public to everybody who has a token.
func (b *Book) Partner(ctx context.Context, _ ledger.Actor, id string) (Partner, error) {
	if checkID("/id", id) != nil {
		return Partner{}, ledger.ErrNotFound
	}
	return only(b.partners(ctx, id, ListFilter{AfterSeq: -1, Limit: 1}))
}

// Partners lists partners in the order of registration.
func (b *Book) Partners(ctx context.Context, _ ledger.Actor, f ListFilter) ([]Partner, error) {
	return b.partners(ctx, "", f)
}

func (b *Book) partners(ctx context.Context, id string, f ListFilter) ([]Partner, error) {
	const query = `
		SELECT p.id, p.seq, p.name, coalesce(p.external_id, '') AS external_id, e.recorded
		FROM partner p JOIN entry e ON e.seq = p.seq
		WHERE ($1 = '' OR p.id = nullif($1, '')::uuid) AND p.seq > $2 AND ($3 = '' OR p.external_id = $3)
		ORDER BY p.seq LIMIT $4`
	type partnerRow struct {
		ID         string     `db:"id"`
		Seq        ledger.Seq `db:"seq"`
		Name       string     `db:"name"`
		ExternalID string     `db:"external_id"`
		Recorded   time.Time  `db:"recorded"`
	}
	rows, err := selectAll[partnerRow](ctx, b.db, query, id, f.AfterSeq, f.ExternalID, f.Limit)
	if err != nil {
		return nil, fmt.Errorf("reading partners: %w", err)
	}
	found := make([]Partner, len(rows))
	for i, r := range rows {
		found[i] = Partner{r.ID, r.Name, r.ExternalID, r.Seq, r.Recorded.UTC()}
	}
	return found, nil
}

package book

import (
	"context"
	"fmt"
	"slices"

	"timebank/ledger"
)

// WardConsent lets a child take part from a day until a day, both inclusive. Of several, the last given that
// begins on or before a day decides that day: a renewal leaves the days before it to the earlier ones, and
// one that ends today ends what came before it from its own first day on.
type WardConsent struct {
	Ward         string
	Since, Until ledger.Date
}

// GiveWardConsent records a guardian's consent. The actor is the ward's guardian.
func (b *Book) GiveWardConsent(ctx context.Context, by ledger.Actor, key Key, c WardConsent) (Receipt, error) {
	if err := by.May(ledger.RoleVolunteer); err != nil {
		return Receipt{}, err
	}
	if err := checkID("/ward_id", c.Ward); err != nil {
		return Receipt{}, err
	}
	if c.Since < ledger.DateMin || c.Until > ledger.DateMax {
		return Receipt{}, &ledger.Invalid{Code: "date_out_of_range", Pointer: "/since", Detail: "the consent is out of range"}
	}
	return b.do(ctx, by, key, &giveWardConsent{by.Subject, c})
}

type giveWardConsent struct {
	guardian string
	consent  WardConsent
}

func (c *giveWardConsent) want(_ *world, n *wants) { n.volunteers.add(c.consent.Ward) }

type wardConsentDetails struct {
	Ward     string `json:"ward"`
	Guardian string `json:"guardian"`
	Since    string `json:"since"`
	Until    string `json:"until"`
}

func (c *giveWardConsent) decide(w *world) (decision, error) {
	v := w.volunteers[c.consent.Ward]
	if v == nil || v.guardian == "" || v.guardian != c.guardian {
		return decision{}, ledger.ErrNotFound
	}
	if c.consent.Since > w.today {
		return decision{}, &ledger.Invalid{Code: "date_in_future", Pointer: "/since", Detail: "a consent begins today at the latest"}
	}
	since, until := c.consent.Since, c.consent.Until
	details, err := encode(wardConsentDetails{c.consent.Ward, c.guardian, since.String(), until.String()})
	if err != nil {
		return decision{}, err
	}
	const insert = `
		INSERT INTO ward_consent (seq, ward, guardian, since, until)
		VALUES ($1, $2, $3, date '1970-01-01' + $4::int, date '1970-01-01' + $5::int)`
	return decision{effects: []effect{{
		draft:     ledger.Draft{Kind: ledger.KindWard, Effective: w.today, Details: details},
		volunteer: c.consent.Ward,
		rows: func(seq ledger.Seq) []row {
			return []row{{insert, []any{seq, c.consent.Ward, c.guardian, int64(since), int64(until)}}}
		},
		learned: func(w *world, _ ledger.Seq) { w.wards[c.consent.Ward] = append(w.wards[c.consent.Ward], c.consent) },
	}}}, nil
}

// consented reports whether the consents of a guardian, in the order in which they were given, cover a day.
func consented(given []WardConsent, on ledger.Date) bool {
	for _, c := range slices.Backward(given) {
		if c.Since <= on {
			return on <= c.Until
		}
	}
	return false
}

// fetchWards reads the consents for each child in question: a line or two a year.
func (w *world) fetchWards(ctx context.Context, q selecter, n *wants) error {
	ask := missing(n.wards.list, w.known.wards, func(ward string, given []WardConsent) { w.wards[ward] = given })
	if len(ask) == 0 {
		return nil
	}
	const query = `
		SELECT ward, since - date '1970-01-01' AS since, until - date '1970-01-01' AS until
		FROM ward_consent WHERE ward = ANY ($1::uuid[]) ORDER BY seq`
	type wardRow struct {
		Ward  string `db:"ward"`
		Since int32  `db:"since"`
		Until int32  `db:"until"`
	}
	rows, err := selectAll[wardRow](ctx, q, query, uuids(ask))
	if err != nil {
		return fmt.Errorf("reading guardians' consents: %w", err)
	}
	for _, r := range rows {
		w.wards[r.Ward] = append(w.wards[r.Ward], WardConsent{r.Ward, ledger.Date(r.Since), ledger.Date(r.Until)})
	}
	for _, ward := range ask {
		w.known.wards[ward] = slices.Clip(w.wards[ward])
	}
	return nil
}

package book

import (
	"context"
	"fmt"

	"github.com/lib/pq"

	"timebank/ledger"
)

// GiveConsent lets a partner hold a volunteer's credit. The actor is the volunteer or the guardian.
func (b *Book) GiveConsent(ctx context.Context, by ledger.Actor, key Key, c Consent) (Receipt, error) {
	if err := by.May(ledger.RoleVolunteer); err != nil {
		return Receipt{}, err
	}
	if err := checkID("/volunteer_id", c.Volunteer); err != nil {
		return Receipt{}, err
	}
	if err := checkID("/partner_id", c.Partner); err != nil {
		return Receipt{}, err
	}
	if c.MinutesMax < 0 || c.MinutesMax > ledger.PostingMinutesMax {
		return Receipt{}, &ledger.Invalid{Code: "minutes_out_of_range", Pointer: "/minutes_max",
			Detail: fmt.Sprintf("a consent is for 0 to %d minutes", ledger.PostingMinutesMax)}
	}
	return b.do(ctx, by, key, &giveConsent{by: by.Subject, consent: c})
}

type giveConsent struct {
	by      string // the volunteer, or the guardian
	consent Consent
}

func (c *giveConsent) want(_ *world, n *wants) {
	n.volunteers.add(c.consent.Volunteer)
	n.partners.add(c.consent.Partner)
}

type consentDetails struct {
	Volunteer  string         `json:"volunteer"`
	Partner    string         `json:"partner"`
	MinutesMax ledger.Minutes `json:"minutes_max"`
	Until      string         `json:"until"`
}

func (c *giveConsent) decide(w *world) (decision, error) {
	v := w.volunteers[c.consent.Volunteer]
	if v == nil || c.by != c.consent.Volunteer && c.by != v.guardian {
		return decision{}, ledger.ErrNotFound
	}
	if !w.partners[c.consent.Partner] {
		return decision{}, &ledger.Invalid{Code: "partner_unknown", Pointer: "/partner_id", Detail: "no such partner is registered"}
	}
	if c.consent.Until < w.today {
		return decision{}, &ledger.Invalid{Code: "date_in_past", Pointer: "/until", Detail: "the consent would have ended already"}
	}
	details, err := encode(consentDetails{c.consent.Volunteer, c.consent.Partner, c.consent.MinutesMax, c.consent.Until.String()})
	if err != nil {
		return decision{}, err
	}
	const insert = `INSERT INTO consent (seq, volunteer, partner, minutes_max, until) VALUES ($1, $2, $3, $4, date '1970-01-01' + $5::int)`
	return decision{effects: []effect{{
		draft:     ledger.Draft{Kind: ledger.KindConsent, Effective: w.today, Details: details},
		volunteer: c.consent.Volunteer, partner: c.consent.Partner,
		rows: func(seq ledger.Seq) []row {
			return []row{{insert, []any{seq, c.consent.Volunteer, c.consent.Partner, c.consent.MinutesMax, int64(c.consent.Until)}}}
		},
		learned: func(w *world, seq ledger.Seq) {
			w.consents[consentKey{c.consent.Volunteer, c.consent.Partner}] =
				&consentFacts{seq: seq, minutesMax: c.consent.MinutesMax, until: c.consent.Until}
		},
	}}}, nil
}

// fetchConsents reads the latest consent of each pair and what is held or was given under it; a hold
// that has ended by its time no longer counts.
func (w *world) fetchConsents(ctx context.Context, tx *writeTx, n *wants) error {
	if len(n.consents.list) == 0 {
		return nil
	}
	volunteers, partners := make([]string, len(n.consents.list)), make([]string, len(n.consents.list))
	for i, c := range n.consents.list {
		volunteers[i], partners[i] = c.volunteer, c.partner
	}
	const query = `
		SELECT c.seq, c.volunteer, c.partner, c.minutes_max, c.until - date '1970-01-01' AS until,
		       (SELECT coalesce(sum(CASE WHEN s.seq IS NOT NULL THEN s.given WHEN h.ends_at > $3 THEN h.minutes ELSE 0 END), 0)
		        FROM hold h LEFT JOIN settlement s ON s.hold = h.seq WHERE h.volunteer = c.volunteer AND h.consent = c.seq) AS used
		FROM unnest($1::uuid[], $2::uuid[]) AS n (volunteer, partner)
		JOIN LATERAL (SELECT seq, volunteer, partner, minutes_max, until FROM consent
		              WHERE volunteer = n.volunteer AND partner = n.partner ORDER BY seq DESC LIMIT 1) c ON true`
	type consentRow struct {
		Seq        ledger.Seq     `db:"seq"`
		Volunteer  string         `db:"volunteer"`
		Partner    string         `db:"partner"`
		MinutesMax ledger.Minutes `db:"minutes_max"`
		Until      int32          `db:"until"`
		Used       ledger.Minutes `db:"used"`
	}
	rows, err := selectAll[consentRow](ctx, tx, query, pq.Array(volunteers), pq.Array(partners), w.now)
	if err != nil {
		return fmt.Errorf("reading consents: %w", err)
	}
	for _, r := range rows {
		w.consents[consentKey{r.Volunteer, r.Partner}] = &consentFacts{r.Seq, r.MinutesMax, ledger.Date(r.Until), r.Used}
	}
	return nil
}

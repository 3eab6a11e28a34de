package book

import (
	"context"
	"fmt"

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
			w.spending.consents[consentKey{c.consent.Volunteer, c.consent.Partner}] =
				&consentFacts{seq: seq, minutesMax: c.consent.MinutesMax, until: c.consent.Until}
		},
	}}}, nil
}

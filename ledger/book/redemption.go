package book

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"timebank/ledger"
	"timebank/policy"
)

// Hold sets a volunteer's care credit aside for care that the actor, a partner, will give. It needs the
// volunteer's consent, credit that the rules let be redeemed, and enough of it. The hold ends by itself.
func (b *Book) Hold(ctx context.Context, by ledger.Actor, key Key, r Redemption) (Receipt, error) {
	if err := by.May(ledger.RolePartner); err != nil {
		return Receipt{}, err
	}
	if err := checkID("/volunteer_id", r.Volunteer); err != nil {
		return Receipt{}, err
	}
	if err := checkRedeemed(r.Minutes); err != nil {
		return Receipt{}, err
	}
	if err := ledger.CheckTexts(ledger.Text{Pointer: "/service", Value: r.Service, BytesMax: ledger.ReferenceBytesMax, Required: true}); err != nil {
		return Receipt{}, err
	}
	if r.For != "" {
		if err := checkID("/for_volunteer_id", r.For); err != nil {
			return Receipt{}, err
		}
	}
	if r.Urgent && r.CareAt == nil {
		return Receipt{}, &ledger.Invalid{Code: "clock_incomplete", Pointer: "/care_at", Detail: "urgent care is booked for a time"}
	}
	return b.do(ctx, by, key, &hold{partner: by.Subject, redemption: r})
}

// Confirm settles a hold for the minutes of care really given, at most the held; the rest goes back to
// the volunteer, and the partner is credited with what it gave.
func (b *Book) Confirm(ctx context.Context, by ledger.Actor, key Key, id string, given ledger.Minutes) (Receipt, error) {
	if err := checkRedeemed(given); err != nil {
		return Receipt{}, err
	}
	return b.settle(ctx, by, key, &settle{id: id, given: given})
}

func (b *Book) settle(ctx context.Context, by ledger.Actor, key Key, s *settle) (Receipt, error) {
	if err := by.May(ledger.RolePartner); err != nil {
		return Receipt{}, err
	}
	if checkID("/id", s.id) != nil {
		return Receipt{}, ledger.ErrNotFound
	}
	s.partner = by.Subject
	return b.do(ctx, by, key, s)
}

func checkRedeemed(m ledger.Minutes) error {
	if m < 1 || m > ledger.ClaimMinutesMax {
		return &ledger.Invalid{Code: "minutes_out_of_range", Pointer: "/minutes",
			Detail: fmt.Sprintf("a redemption is of 1 to %d minutes, not %d", ledger.ClaimMinutesMax, m)}
	}
	return nil
}

type hold struct {
	partner    string
	redemption Redemption
}

func (c *hold) want(_ *world, n *wants) {
	n.partners.add(c.partner)
	n.volunteers.add(c.redemption.Volunteer)
	n.holdsOf.add(c.redemption.Volunteer)
	n.consents.add(consentKey{c.redemption.Volunteer, c.partner})
	n.redeemers.add(c.redemption.Volunteer)
	n.strikes.add(c.redemption.Volunteer)
	n.strikes.add(c.partner)
	if c.redemption.For != "" {
		n.volunteers.add(c.redemption.For)
		n.pairs.add(pairOf(c.redemption.Volunteer, c.redemption.For))
	}
}

func (c *hold) about() (organization, volunteer, partner string) {
	return "", c.redemption.Volunteer, c.partner
}

func (c *hold) decide(w *world) (decision, error) {
	consent, err := c.consent(w)
	if err != nil {
		return decision{}, err
	}
	rules, err := w.rules(w.today)
	if err != nil {
		return decision{}, err
	}
	volunteer := c.redemption.Volunteer
	v, care := w.volunteers[volunteer], w.account(volunteer, ledger.CarePurpose)
	effects := w.endHolds(volunteer)
	available := care.balance + released(effects, care.ID)
	facts := policy.HoldFacts{Age: rules.Age(v.born, w.today), Minutes: c.redemption.Minutes, Available: available,
		Today: w.today, Service: c.redemption.Service}
	c.relative(w, rules, &facts)
	if err := c.booked(w, &facts); err != nil {
		return decision{effects: effects}, err
	}
	facts.RedeemedInMonth, facts.OpenHolds = w.spending.redeemed(volunteer, effects)
	d, err := rules.Hold(facts)
	if err != nil {
		return decision{effects: effects}, err
	}
	if c.redemption.Minutes > available {
		return decision{effects: effects}, &ledger.Refusal{Code: "credit_insufficient",
			Detail: fmt.Sprintf("%s were asked for and %s are available", c.redemption.Minutes, available)}
	}
	e, id, err := c.effect(w, rules, facts, d, consent)
	return decision{effects: append(effects, e), id: id}, err
}

// relative adds to the facts for whom the care is. Of somebody who is no registered relative nothing is
// looked at, and the partner is told no more than of any other refusal.
func (c *hold) relative(w *world, rules *policy.Rules, f *policy.HoldFacts) {
	if c.redemption.For == "" {
		return
	}
	f.ForRelative, f.Relation = true, w.relationOf(c.redemption.Volunteer, c.redemption.For)
	if f.Relation != "" {
		f.RelativeAge = rules.Age(w.volunteers[c.redemption.For].born, w.today)
	}
}

// consent finds what the volunteer lets this partner do. An unknown volunteer is answered in the same
// words as one who gave no consent, so that a partner cannot find out who takes part.
func (c *hold) consent(w *world) (*consentFacts, error) {
	consent := w.spending.consents[consentKey{c.redemption.Volunteer, c.partner}]
	used := ledger.Minutes(0)
	if consent != nil {
		used = w.spending.used(consent, c.redemption.Volunteer, w.now)
	}
	switch {
	case consent == nil || w.volunteers[c.redemption.Volunteer] == nil || w.today > consent.until || consent.minutesMax == 0:
		return nil, &ledger.Refusal{Code: "consent_missing", Detail: "there is no consent of this volunteer for this partner that holds today"}
	case used+c.redemption.Minutes > consent.minutesMax:
		return nil, &ledger.Refusal{Code: "consent_exhausted", Detail: fmt.Sprintf("the volunteer consented to %s in all, of which %s are used",
			consent.minutesMax, used)}
	}
	return consent, nil
}

type holdDetails struct {
	Redemption string           `json:"redemption"`
	Volunteer  string           `json:"volunteer"`
	Partner    string           `json:"partner"`
	Service    string           `json:"service"`
	For        string           `json:"for,omitempty"`
	CareAt     string           `json:"care_at,omitempty"`
	Consent    ledger.Seq       `json:"consent"`
	EndsAt     string           `json:"ends_at"`
	Facts      policy.HoldFacts `json:"facts"`
	Steps      []policy.Step    `json:"steps"`
}

func (c *hold) effect(w *world, rules *policy.Rules, f policy.HoldFacts, d policy.HoldDecision, consent *consentFacts) (effect, string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return effect{}, "", fmt.Errorf("making an id: %w", err)
	}
	h := &holdFacts{id: id.String(), volunteer: c.redemption.Volunteer, partner: c.partner, service: c.redemption.Service,
		minutes: c.redemption.Minutes, consent: consent.seq, on: w.today, careAt: c.redemption.CareAt,
		endsAt: w.now.Add(time.Duration(d.Seconds)*time.Second + time.Duration(f.LeadMinutes)*time.Minute)}
	details, err := encode(holdDetails{h.id, h.volunteer, h.partner, h.service, c.redemption.For, h.careAt.String(), h.consent, instant(h.endsAt), f, d.Steps})
	if err != nil {
		return effect{}, "", err
	}
	return effect{
		draft: ledger.Draft{Kind: ledger.KindHold, Effective: w.today, Rules: rules.Hash(), Details: details,
			Postings: ledger.Move(nil, ledger.Care, w.account(h.volunteer, ledger.CarePurpose).ID,
				w.account(h.volunteer, ledger.CareHeld).ID, h.minutes)},
		volunteer: h.volunteer, partner: h.partner, made: h, decided: &policy.Decided{Steps: d.Steps},
		learned: func(w *world, seq ledger.Seq) {
			h.seq = seq
			w.holds[h.id] = h
			w.spending.hold(h)
		},
	}, h.id, nil
}

type settle struct {
	partner string
	id      string
	given   ledger.Minutes
}

func (c *settle) want(w *world, n *wants) { wantHold(w, n, c.id) }

// wantHold asks for what settling a hold needs.
func wantHold(w *world, n *wants, id string) {
	n.redemptions.add(id)
	if h := w.holds[id]; h != nil {
		n.partners.add(h.partner)
		n.volunteers.add(h.volunteer)
		n.holdsOf.add(h.volunteer)
	}
}

func (c *settle) decide(w *world) (decision, error) {
	h := w.holds[c.id]
	if h == nil || h.partner != c.partner {
		return decision{}, ledger.ErrNotFound
	}
	switch {
	case h.settled:
		return decision{}, &ledger.Refusal{Code: "hold_settled", Entry: h.seq, Detail: "the redemption was confirmed, cancelled or ended before"}
	case !h.endsAt.After(w.now):
		return decision{effects: []effect{w.release(h, ledger.KindHoldExpired)}},
			&ledger.Refusal{Code: "hold_expired", Entry: h.seq, Detail: "the hold ended on " + instant(h.endsAt)}
	case h.careAt != nil && *h.careAt > w.clock:
		return decision{}, &ledger.Refusal{Code: "care_not_yet", Entry: h.seq, Detail: "the care is booked for " + h.careAt.String() + " and cannot have been given yet"}
	case c.given > h.minutes:
		return decision{}, &ledger.Refusal{Code: "more_than_held", Entry: h.seq,
			Detail: fmt.Sprintf("%s were held, %s cannot be confirmed", h.minutes, c.given)}
	default:
		return decision{effects: []effect{w.settleHold(h, ledger.KindConfirm, c.given)}, id: h.id}, nil
	}
}

// endHolds releases the holds of a volunteer whose time is over. Whoever touches the volunteer's credit
// first records it; nobody has to sweep.
func (w *world) endHolds(volunteer string) (effects []effect) {
	for _, h := range w.spending.open[volunteer] {
		if !h.settled && !h.endsAt.After(w.now) {
			effects = append(effects, w.release(h, ledger.KindHoldExpired))
		}
	}
	return effects
}

func (w *world) release(h *holdFacts, kind ledger.Kind) effect { return w.settleHold(h, kind, 0) }

type settlementDetails struct {
	Redemption string         `json:"redemption"`
	Volunteer  string         `json:"volunteer"`
	Partner    string         `json:"partner"`
	Held       ledger.Minutes `json:"held"`
	Given      ledger.Minutes `json:"given"`
}

// settleHold gives the held minutes where they belong: what was given to the partner, the rest back.
func (w *world) settleHold(h *holdFacts, kind ledger.Kind, given ledger.Minutes) effect {
	held := w.account(h.volunteer, ledger.CareHeld).ID
	var ps []ledger.Posting
	if given > 0 {
		ps = ledger.Move(ps, ledger.Care, held, w.account(h.partner, ledger.CarePurpose).ID, given)
	}
	ps = w.creditCare(ps, held, h.volunteer, h.minutes-given)
	details, err := encode(settlementDetails{h.id, h.volunteer, h.partner, h.minutes, given})
	if err != nil {
		panic(err) // five plain fields always encode
	}
	return effect{
		draft:     ledger.Draft{Kind: kind, Effective: w.today, Refers: &h.seq, Postings: ps, Details: details},
		volunteer: h.volunteer, partner: h.partner, system: kind == ledger.KindHoldExpired,
		settles: h, given: given,
		learned: func(w *world, _ ledger.Seq) { w.spending.settle(h, given) },
	}
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

type holdRow struct {
	Seq       ledger.Seq     `db:"seq"`
	ID        string         `db:"id"`
	Volunteer string         `db:"volunteer"`
	Partner   string         `db:"partner"`
	Service   string         `db:"service"`
	Minutes   ledger.Minutes `db:"minutes"`
	Consent   ledger.Seq     `db:"consent"`
	EndsAt    time.Time      `db:"ends_at"`
	Settled   bool           `db:"settled"`
	Given     ledger.Minutes `db:"given"`
	CareAt    sql.NullInt64  `db:"care_at"`
	MadeOn    int32          `db:"made_on"`
}

// learnHold keeps one holdFacts a hold, however it was found.
func (w *world) learnHold(r holdRow) *holdFacts {
	if h := w.holds[r.ID]; h != nil {
		return h
	}
	h := &holdFacts{r.Seq, r.ID, r.Volunteer, r.Partner, r.Service, r.Minutes, r.Consent, r.EndsAt.UTC(), r.Settled, r.Given, ledger.Date(r.MadeOn), careTimeOf(r.CareAt)}
	w.holds[r.ID] = h
	return h
}

// fetchRedemptions reads the holds that commands name.
func (w *world) fetchRedemptions(ctx context.Context, q selecter, n *wants) error {
	ask := missing(n.redemptions.list, w.spending.byID, func(id string, h *holdFacts) { w.holds[id] = h })
	if len(ask) == 0 {
		return nil
	}
	const query = `
		SELECT h.seq, h.id, h.volunteer, h.partner, h.service, h.minutes, h.consent, h.ends_at, h.care_at, s.seq IS NOT NULL AS settled,
		       coalesce(s.given, 0) AS given, e.effective - date '1970-01-01' AS made_on
		FROM hold h JOIN entry e ON e.seq = h.seq LEFT JOIN settlement s ON s.hold = h.seq
		WHERE h.id = ANY ($1::uuid[]) ORDER BY h.seq`
	rows, err := selectAll[holdRow](ctx, q, query, pq.Array(ask))
	if err != nil {
		return fmt.Errorf("reading redemptions: %w", err)
	}
	for _, r := range rows {
		w.learnHold(r)
	}
	return nil
}

func insertHolds(w *world) (insert, error) {
	var seqs, minutes, consents, careAt []int64
	var ids, volunteers, partners, services, endsAt []string
	for i, e := range w.effects {
		h := e.made
		if h == nil {
			continue
		}
		seqs, minutes, consents = append(seqs, int64(w.records[i].Seq)), append(minutes, int64(h.minutes)), append(consents, int64(h.consent))
		ids, volunteers, partners, services = append(ids, h.id), append(volunteers, h.volunteer), append(partners, h.partner), append(services, h.service)
		endsAt, careAt = append(endsAt, instant(h.endsAt)), append(careAt, h.careAt.column())
	}
	if len(seqs) == 0 {
		return insert{}, nil
	}
	const query = `
		INSERT INTO hold (seq, id, volunteer, partner, service, minutes, consent, ends_at, care_at)
		SELECT seq, id, volunteer, partner, service, minutes, consent, ends_at::timestamptz, nullif(care_at, -1)
		FROM (SELECT unnest($1::bigint[]) AS seq, unnest($2::uuid[]) AS id, unnest($3::uuid[]) AS volunteer, unnest($4::uuid[]) AS partner,
		             unnest($5::text[]) AS service, unnest($6::bigint[]) AS minutes, unnest($7::bigint[]) AS consent,
		             unnest($8::text[]) AS ends_at, unnest($9::bigint[]) AS care_at) AS h`
	return insert{query, []any{bigints(seqs), uuids(ids), uuids(volunteers), uuids(partners), texts(services), bigints(minutes),
		bigints(consents), texts(endsAt), bigints(careAt)}}, nil
}

func insertSettlements(w *world) (insert, error) {
	var seqs, holds, held, given []int64
	for i, e := range w.effects {
		if h := e.settles; h != nil {
			seqs, holds = append(seqs, int64(w.records[i].Seq)), append(holds, int64(h.seq))
			held, given = append(held, int64(h.minutes)), append(given, int64(e.given))
		}
	}
	if len(seqs) == 0 {
		return insert{}, nil
	}
	const query = `INSERT INTO settlement (seq, hold, held, given)
		SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::bigint[])`
	return insert{query, []any{bigints(seqs), bigints(holds), bigints(held), bigints(given)}}, nil
}

package book

import (
	"context"
	"fmt"

	"github.com/lib/pq"

	"timebank/ledger"
	"timebank/policy"
)

// CorrectEntry reverses a claim that the actor's organization posted. The service record loses exactly
// the minutes of the claim. Of the credit it gave, what the volunteer still has is taken back; what is
// spent or held follows the rule set's shortfall rule: it is owed, and the volunteer's next earnings
// repay it, or it is written off. No balance becomes negative.
func (b *Book) CorrectEntry(ctx context.Context, by ledger.Actor, key Key, seq ledger.Seq, reason string) (Receipt, error) {
	if err := by.May(ledger.RoleOrganization); err != nil {
		return Receipt{}, err
	}
	if err := ledger.CheckTexts(ledger.Text{Pointer: "/reason", Value: reason, BytesMax: ledger.ReasonBytesMax, Required: true}); err != nil {
		return Receipt{}, err
	}
	return b.do(ctx, by, key, &correctEntry{organization: by.Subject, seq: seq, reason: reason})
}

type correctEntry struct {
	organization string
	seq          ledger.Seq
	reason       string
}

func (c *correctEntry) want(w *world, n *wants) {
	n.targets.add(c.seq)
	if t := w.targets[c.seq]; t != nil && t.volunteer != "" {
		n.volunteers.add(t.volunteer)
		n.organizations.add(t.organization)
		n.holdsOf.add(t.volunteer)
		n.days.add(volunteerDay{t.volunteer, t.effective})
		if w.counts().Carried {
			n.carried.add(t.volunteer)
		}
	}
}

func (c *correctEntry) decide(w *world) (decision, error) {
	t := w.targets[c.seq]
	if t == nil || t.organization != c.organization || t.organization == "" {
		return decision{}, ledger.ErrNotFound
	}
	if t.kind != ledger.KindHours {
		return decision{}, &ledger.Refusal{Code: "not_correctable", Entry: t.seq, Detail: fmt.Sprintf("an entry of kind %s cannot be corrected", t.kind)}
	}
	if t.corrected {
		return decision{}, &ledger.Refusal{Code: "already_corrected", Entry: t.seq, Detail: "the entry was corrected before"}
	}
	rules, err := w.rulesOf(t.rules)
	if err != nil {
		return decision{}, err
	}
	effects := w.endHolds(t.volunteer) // what came back from an ended hold can be taken back
	ps, shortfall := c.postings(w, t, rules, released(effects, w.account(t.volunteer, ledger.CarePurpose).ID))
	details, err := encode(correctionDetails{Corrects: t.seq, Reason: c.reason, Shortfall: shortfall.volunteer, PoolShortfall: shortfall.pool, Rule: string(rules.Shortfall())})
	if err != nil {
		return decision{}, err
	}
	e := effect{
		draft:        ledger.Draft{Kind: ledger.KindCorrection, Effective: t.effective, Rules: t.rules, Refers: &t.seq, Postings: ps, Details: details},
		organization: t.organization, volunteer: t.volunteer,
		learned: func(w *world, _ ledger.Seq) { w.markCorrected(t) },
	}
	decided, err := policy.ReadDecided(t.details)
	if err != nil {
		return decision{}, fmt.Errorf("reading the details of entry %d: %w", t.seq, err)
	}
	care, youth := policy.LeftBy(decided.Steps)
	if changed := w.carryOn(t.volunteer, rules, -care, -youth); changed != nil {
		e.keepCarry(changed)
	}
	return decision{effects: append(effects, e)}, nil
}

type correctionDetails struct {
	Corrects  ledger.Seq     `json:"corrects"`
	Reason    string         `json:"reason"`
	Shortfall ledger.Minutes `json:"shortfall"` // minutes of credit that could not be taken back
	Rule      string         `json:"shortfall_rule"`

	PoolShortfall ledger.Minutes `json:"pool_shortfall,omitzero"` // of credit that the pool has granted already: the bank bears it
}

// shortfall is credit that a correction cannot take back, since it is spent.
type shortfall struct{ volunteer, pool ledger.Minutes }

// postings reverses the target, and moves what is missing on the care account to where the rule says.
// What the pool got and has granted since, the bank bears: nobody owes for a gift.
func (c *correctEntry) postings(w *world, t *target, rules *policy.Rules, back ledger.Minutes) ([]ledger.Posting, shortfall) {
	ps := ledger.Reverse(t.postings)
	care, pool := w.account(t.volunteer, ledger.CarePurpose), w.account(string(ledger.OwnerPool), ledger.CarePurpose)
	var short shortfall
	for _, p := range ps {
		switch p.Account {
		case care.ID:
			short.volunteer = max(0, -p.Minutes-care.balance-back)
		case pool.ID:
			short.pool = max(0, -p.Minutes-pool.balance)
		}
	}
	writtenOff := w.bank(ledger.CareWrittenOff).ID
	bearer := w.account(t.volunteer, ledger.CareOwed).ID
	if rules.Shortfall() == policy.WrittenOff {
		bearer = writtenOff
	}
	ps = ledger.Move(ps, ledger.Care, bearer, care.ID, short.volunteer)
	return ledger.Move(ps, ledger.Care, writtenOff, pool.ID, short.pool), short
}

// released sums what effects bring back to an account.
func released(effects []effect, to ledger.AccountID) (m ledger.Minutes) {
	for _, e := range effects {
		for _, p := range e.draft.Postings {
			if p.Account == to {
				m += p.Minutes
			}
		}
	}
	return m
}

func (w *world) markCorrected(t *target) {
	t.corrected = true
	for _, claim := range w.claims[t.volunteer] {
		if claim.seq == t.seq {
			claim.corrected = true
		}
	}
	for _, claim := range w.references {
		if claim.seq == t.seq {
			claim.corrected = true
		}
	}
}

// fetchReferred reads what commands refer to, entries and redemptions, since these tell whose accounts
// are needed.
func (w *world) fetchReferred(ctx context.Context, q selecter, n *wants) error {
	if err := w.fetchRedemptions(ctx, q, n); err != nil {
		return err
	}
	if len(n.targets.list) == 0 {
		return nil
	}
	seqs := make([]int64, len(n.targets.list))
	for i, s := range n.targets.list {
		seqs[i] = int64(s)
	}
	const entries = `
		SELECT e.seq, e.kind, e.effective - date '1970-01-01' AS effective, e.rules, coalesce(e.organization::text, '') AS organization,
		       coalesce(e.volunteer::text, '') AS volunteer, e.details, x.seq IS NOT NULL AS corrected
		FROM entry e LEFT JOIN entry x ON x.refers = e.seq AND x.kind = 'correction'
		WHERE e.seq = ANY ($1::bigint[])`
	type targetRow struct {
		Seq          ledger.Seq  `db:"seq"`
		Kind         ledger.Kind `db:"kind"`
		Effective    int32       `db:"effective"`
		Rules        []byte      `db:"rules"`
		Organization string      `db:"organization"`
		Volunteer    string      `db:"volunteer"`
		Details      string      `db:"details"`
		Corrected    bool        `db:"corrected"`
	}
	rows, err := selectAll[targetRow](ctx, q, entries, pq.Array(seqs))
	if err != nil {
		return fmt.Errorf("reading the entries referred to: %w", err)
	}
	for _, r := range rows {
		t := &target{seq: r.Seq, kind: r.Kind, effective: ledger.Date(r.Effective), organization: r.Organization,
			volunteer: r.Volunteer, details: []byte(r.Details), corrected: r.Corrected}
		copy(t.rules[:], r.Rules)
		w.targets[r.Seq] = t
	}
	return w.fetchTargetPostings(ctx, q, seqs)
}

func (w *world) fetchTargetPostings(ctx context.Context, q selecter, seqs []int64) error {
	const postings = `SELECT seq, account, unit, minutes FROM posting WHERE seq = ANY ($1::bigint[]) ORDER BY seq, unit, account`
	type postingRow struct {
		Seq     ledger.Seq       `db:"seq"`
		Account ledger.AccountID `db:"account"`
		Unit    ledger.Unit      `db:"unit"`
		Minutes ledger.Minutes   `db:"minutes"`
	}
	rows, err := selectAll[postingRow](ctx, q, postings, pq.Array(seqs))
	if err != nil {
		return fmt.Errorf("reading the postings referred to: %w", err)
	}
	for _, r := range rows {
		t := w.targets[r.Seq]
		t.postings = append(t.postings, ledger.Posting{Account: r.Account, Unit: r.Unit, Minutes: r.Minutes})
	}
	return nil
}

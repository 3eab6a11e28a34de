package book

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"timebank/ledger"
	"timebank/policy"
)

// Expired tells what a sweep over all volunteers ended.
type Expired struct {
	Volunteers int
	Minutes    ledger.Minutes
	More       bool // some are left for another sweep
}

// sweepMax bounds one sweep.
const sweepMax = 500

// Expire ends the credit of all volunteers whose time is over by the rules in force, an entry each, at
// most some hundreds at a time. Asked again under the same key on the same day it ends nothing twice. The
// actor is the operator.
func (b *Book) Expire(ctx context.Context, by ledger.Actor, key Key) (Expired, error) {
	var sum Expired
	if err := by.May(ledger.RoleOperator); err != nil {
		return sum, err
	}
	if err := checkKey(key); err != nil {
		return sum, err
	}
	now, err := b.Now(ctx)
	if err != nil {
		return sum, err
	}
	today := b.today(now)
	rules, err := b.RulesInForce(ctx, today)
	if err != nil {
		return sum, err
	}
	cutoff, ends := rules.ExpiryCutoff(today)
	if !ends {
		_, err := rules.Expire(policy.ExpiryFacts{})
		return sum, err
	}
	who, err := readExpiring(ctx, b.db, cutoff, sweepMax+1)
	if err != nil {
		return sum, err
	}
	if sum.More = len(who) > sweepMax; sum.More {
		who = who[:sweepMax]
	}
	for _, id := range who {
		name := "expiry " + today.String() + " " + id // one wish a day for each, whichever sweep asks
		r, err := b.do(ctx, by, Key{name, sha256.Sum256([]byte(name))}, &expire{volunteer: id})
		switch {
		case errors.Is(err, ledger.ErrRefused): // it was spent, or held, since
			continue
		case err != nil:
			return sum, err
		}
		sum.Volunteers++
		for _, l := range r.Lines {
			if l.Purpose == ledger.CareExpired {
				sum.Minutes += l.Minutes
			}
		}
	}
	return sum, nil
}

type expire struct {
	volunteer string
	flows     flows
}

// flows are what came into a volunteer's credit up to a day, and what went out ever.
type flows struct {
	Received ledger.Minutes `db:"received"`
	Spent    ledger.Minutes `db:"spent"`
}

func (c *expire) want(_ *world, n *wants) {
	n.volunteers.add(c.volunteer)
	n.holdsOf.add(c.volunteer)
}

func (c *expire) look(ctx context.Context, q selecter, w *world, _ *wants) error {
	rules, err := w.rules(w.today)
	if err != nil {
		return nil // decide says so
	}
	cutoff, _ := rules.ExpiryCutoff(w.today)
	c.flows, err = only(selectAll[flows](ctx, q, `SELECT coalesce(sum(received), 0)::bigint AS received, coalesce(sum(spent), 0)::bigint AS spent
		FROM (`+flowQuery(`CROSS JOIN LATERAL postings_of(a.id, 0, $3) p`)+` AND coalesce(a.owner, '00000000-0000-0000-0000-000000000000') = $2::uuid GROUP BY e.seq, a.owner) f`, int64(cutoff), c.volunteer, int64(w.next)))
	if err != nil {
		return fmt.Errorf("reading what %s received and spent: %w", c.volunteer, err)
	}
	return nil
}

// flowQuery gives, entry by entry, what came into somebody's credit up to a day and what went out of it.
// Moves between the accounts of one person are neither. A correction takes back what came in. What joins the accounts' postings
// depends on whether they are of one person or of all.
func flowQuery(postings string) string {
	return `
	SELECT a.owner,
	       CASE WHEN (sum(p.minutes) > 0 OR e.kind = 'correction') AND e.effective <= date '1970-01-01' + $1::int THEN sum(p.minutes) ELSE 0 END AS received,
	       CASE WHEN sum(p.minutes) < 0 AND e.kind <> 'correction' THEN -sum(p.minutes) ELSE 0 END AS spent
	FROM account a ` + postings + ` JOIN entry e ON e.seq = p.seq
	WHERE a.owner_kind = 'volunteer' AND a.purpose IN ('care', 'care-held', 'care-owed')`
}

// readExpiring lists the volunteers who may have something left of credit up to a day, and have some to
// take: not more than so many.
func readExpiring(ctx context.Context, q selecter, cutoff ledger.Date, limit int) ([]string, error) {
	type ownerRow struct {
		Owner string `db:"owner"`
	}
	query := `
		SELECT f.owner
		FROM (SELECT owner, sum(received) AS received, sum(spent) AS spent
		      FROM (` + flowQuery(`JOIN posting p ON p.account = a.id`) + ` GROUP BY e.seq, a.owner) f GROUP BY owner) f
		JOIN account c ON c.owner = f.owner AND c.owner_kind = 'volunteer' AND c.purpose = 'care'
		JOIN account h ON h.owner = f.owner AND h.owner_kind = 'volunteer' AND h.purpose = 'care-held'
		LEFT JOIN LATERAL last_posting(c.id, (SELECT max(seq) + 1 FROM entry)) cb ON true
		LEFT JOIN LATERAL last_posting(h.id, (SELECT max(seq) + 1 FROM entry)) hb ON true
		WHERE cb.balance > 0 AND f.received > f.spent AND f.received - f.spent - coalesce(hb.balance, 0) > 0
		ORDER BY f.owner LIMIT $2`
	rows, err := selectAll[ownerRow](ctx, q, query, int64(cutoff), limit)
	if err != nil {
		return nil, fmt.Errorf("reading whose credit ends: %w", err)
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.Owner
	}
	return ids, nil
}

type expiryDetails struct {
	Volunteer string             `json:"volunteer"`
	Facts     policy.ExpiryFacts `json:"facts"`
	Steps     []policy.Step      `json:"steps"`
}

func (c *expire) decide(w *world) (decision, error) {
	rules, err := w.rules(w.today)
	if err != nil {
		return decision{}, err
	}
	effects := w.endHolds(c.volunteer)
	care, held := w.account(c.volunteer, ledger.CarePurpose), w.account(c.volunteer, ledger.CareHeld)
	back := released(effects, care.ID)
	cutoff, _ := rules.ExpiryCutoff(w.today)
	f := policy.ExpiryFacts{Received: c.flows.Received, Spent: c.flows.Spent, Held: held.balance + released(effects, held.ID),
		Available: care.balance + back, Cutoff: cutoff.String(), Today: w.today.String()}
	d, err := rules.Expire(f)
	if err != nil {
		return decision{effects: effects}, err
	}
	text, err := encode(expiryDetails{c.volunteer, f, d.Steps})
	return decision{effects: append(effects, effect{
		draft: ledger.Draft{Kind: ledger.KindExpiry, Effective: w.today, Rules: rules.Hash(), Details: text,
			Postings: ledger.Move(nil, ledger.Care, care.ID, w.bank(ledger.CareExpired).ID, d.Minutes)},
		volunteer: c.volunteer,
	})}, err
}

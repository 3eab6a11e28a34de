package book

import (
	"context"
	"crypto/sha256"
	"fmt"

	"timebank/ledger"
	"timebank/policy"
)

// RuleSetBytesMax bounds the text of a rule set; the shipped one has half of that.
const RuleSetBytesMax = 64 << 10

// rules gives the rule sets that this process knows.
func (b *Book) rules() []*policy.Rules {
	b.rulesMu.RLock()
	defer b.rulesMu.RUnlock()
	return b.ruleSets
}

// loadRules reads the rule sets anew. They are few, and compiled once.
func (b *Book) loadRules(ctx context.Context, q selecter) error {
	bodies, err := selectAll[string](ctx, q, `SELECT body FROM rule_set ORDER BY effective_from`)
	if err != nil {
		return fmt.Errorf("reading rule sets: %w", err)
	}
	sets := make([]*policy.Rules, len(bodies))
	for i, body := range bodies {
		if known, err := rulesByHash(b.rules(), sha256.Sum256([]byte(body))); err == nil {
			sets[i] = known
			continue
		}
		if sets[i], err = policy.ParseRecorded([]byte(body)); err != nil {
			return fmt.Errorf("reading a rule set: %w", err)
		}
	}
	b.rulesMu.Lock()
	defer b.rulesMu.Unlock()
	if len(sets) >= len(b.ruleSets) { // rule sets are only ever added: fewer were read from an older snapshot
		b.ruleSets = sets
	}
	return nil
}

// RulesInForce gives the rule set that decides what happens on a date.
func (b *Book) RulesInForce(ctx context.Context, on ledger.Date) (*policy.Rules, error) {
	var n int
	if err := b.db.GetContext(ctx, &n, `SELECT count(*) FROM rule_set`); err != nil {
		return nil, fmt.Errorf("counting rule sets: %w", err)
	}
	if n != len(b.rules()) {
		if err := b.loadRules(ctx, b.db); err != nil {
			return nil, err
		}
	}
	return policy.Choose(b.rules(), on)
}

// RuleSetID gives the id of the rule set with a hash, or the hash when it is not known.
func (b *Book) RuleSetID(h ledger.Hash) string {
	r, err := rulesByHash(b.rules(), h)
	if err != nil {
		return h.String()
	}
	return r.ID()
}

// RuleSetState is a rule set on its way into force, or in force.
type RuleSetState struct {
	Rules       *policy.Rules
	Drafted     ledger.Seq // -1 for a book's first set, which nobody drafted
	DraftedBy   string     // client ids; empty where nobody has
	ApprovedBy  string
	ActivatedBy string
	Active      bool
	Activated   ledger.Seq // -1 when it is not active
}

// RuleSets lists every rule set, in force or only drafted, by the day it begins. Drafts are told to policy
// officers and auditors; what is in force is for everybody.
func (b *Book) RuleSets(ctx context.Context, drafts bool) ([]RuleSetState, error) {
	const query = `
		SELECT coalesce(s.body, d.body) AS body, coalesce(d.seq, -1) AS drafted, coalesce(d.by_client::text, '') AS drafted_by,
		       coalesce(a.by_client::text, '') AS approved_by, coalesce(s.activated_by::text, '') AS activated_by,
		       coalesce(s.seq, -1) AS activated
		FROM rule_set s FULL JOIN rule_draft d ON d.hash = s.hash LEFT JOIN rule_approval a ON a.draft = d.hash
		WHERE $1 OR s.seq IS NOT NULL
		ORDER BY s.effective_from NULLS LAST, d.seq LIMIT 1000`
	type stateRow struct {
		Body        string     `db:"body"`
		Drafted     ledger.Seq `db:"drafted"`
		DraftedBy   string     `db:"drafted_by"`
		ApprovedBy  string     `db:"approved_by"`
		ActivatedBy string     `db:"activated_by"`
		Activated   ledger.Seq `db:"activated"`
	}
	rows, err := selectAll[stateRow](ctx, b.db, query, drafts)
	if err != nil {
		return nil, fmt.Errorf("reading rule sets: %w", err)
	}
	states := make([]RuleSetState, len(rows))
	for i, r := range rows {
		rules, err := rulesByHash(b.rules(), sha256.Sum256([]byte(r.Body)))
		if err != nil {
			if rules, err = policy.ParseRecorded([]byte(r.Body)); err != nil {
				return nil, fmt.Errorf("reading a rule set: %w", err)
			}
		}
		states[i] = RuleSetState{rules, r.Drafted, r.DraftedBy, r.ApprovedBy, r.ActivatedBy, r.Activated >= 0, r.Activated}
	}
	return states, nil
}

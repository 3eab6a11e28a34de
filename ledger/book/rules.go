package book

import (
	"context"
	"crypto/sha256"
	"fmt"

	"timebank/ledger"
	"timebank/policy"
)

// RuleSetBytesMax bounds the text of a rule set; the shipped one is a few thousand bytes.
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
		if sets[i], err = policy.Parse([]byte(body)); err != nil {
			return fmt.Errorf("reading a rule set: %w", err)
		}
	}
	b.rulesMu.Lock()
	defer b.rulesMu.Unlock()
	b.ruleSets = sets
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

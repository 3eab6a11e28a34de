package book

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"timebank/ledger"
	"timebank/policy"
)

// RuleSetBytesMax bounds the text of a rule set; the shipped one is a few thousand bytes.
const RuleSetBytesMax = 64 << 10

// ActivateRules puts a rule set into force from its effective date on. A set is never edited: another
// one with a later date follows it. The actor is the operator.
func (b *Book) ActivateRules(ctx context.Context, by ledger.Actor, key Key, yaml []byte) (Receipt, error) {
	if err := by.May(ledger.RoleOperator); err != nil {
		return Receipt{}, err
	}
	if len(yaml) > RuleSetBytesMax {
		return Receipt{}, &ledger.Invalid{Code: "rules_malformed", Pointer: "/source", Detail: fmt.Sprintf("a rule set has at most %d bytes", RuleSetBytesMax)}
	}
	rules, err := policy.Parse(yaml)
	if err != nil {
		return Receipt{}, &ledger.Invalid{Code: "rules_malformed", Pointer: "/source", Detail: err.Error()}
	}
	return b.do(ctx, by, key, &activateRules{rules})
}

// EnsureRules activates a rule set in a book that has none.
func (b *Book) EnsureRules(ctx context.Context, yaml []byte) error {
	if len(b.rules()) > 0 {
		return nil
	}
	_, err := b.ActivateRules(ctx, System, Key{"first rule set", sha256.Sum256(yaml)}, yaml)
	if refusalOf(err) != nil { // another process was first
		return b.loadRules(ctx, b.db)
	}
	return err
}

type activateRules struct{ rules *policy.Rules }

func (c *activateRules) want(*world, *wants) {}

type rulesDetails struct {
	ID            string `json:"id"`
	Hash          string `json:"hash"`
	EffectiveFrom string `json:"effective_from"`
	Source        string `json:"source"`
}

func (c *activateRules) decide(w *world) (decision, error) {
	r := c.rules
	if n := len(w.ruleSets); n > 0 {
		if r.EffectiveFrom() <= w.ruleSets[n-1].EffectiveFrom() {
			return decision{}, &ledger.Refusal{Code: "rules_back_dated", Detail: fmt.Sprintf("a rule set is in force from %s on: a new one must start later",
				w.ruleSets[n-1].EffectiveFrom())}
		}
		if r.EffectiveFrom() <= w.today {
			return decision{}, &ledger.Refusal{Code: "rules_back_dated", Detail: "what was served until today is decided by the rules in force: a new set starts tomorrow at the earliest"}
		}
	}
	details, err := encode(rulesDetails{r.ID(), r.Hash().String(), r.EffectiveFrom().String(), string(r.Source())})
	if err != nil {
		return decision{}, err
	}
	hash := r.Hash()
	const insert = `INSERT INTO rule_set (hash, seq, effective_from, body) VALUES ($1, $2, date '1970-01-01' + $3::int, $4)`
	return decision{effects: []effect{{
		draft: ledger.Draft{Kind: ledger.KindRules, Effective: min(max(r.EffectiveFrom(), ledger.DateMin), ledger.DateMax), Rules: hash, Details: details},
		rows: func(seq ledger.Seq) []row {
			return []row{{insert, []any{hash[:], seq, int64(r.EffectiveFrom()), string(r.Source())}}}
		},
		learned: func(w *world, _ ledger.Seq) {
			w.ruleSets = append(slices.Clone(w.ruleSets), r)
			w.rulesAdded = true
		},
	}}}, nil
}

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

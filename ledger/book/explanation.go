package book

import (
	"context"
	"fmt"

	"timebank/ledger"
	"timebank/policy"
)

// Explanation tells why an entry is what it is: the rule set, the facts it saw, and each rule's part, in
// words.
type Explanation struct {
	Seq           ledger.Seq
	RuleSet       string // id
	Hash          ledger.Hash
	TitleEN       string
	TitleZH       string
	EffectiveFrom ledger.Date
	Facts         []byte // canonical JSON, as recorded
	Grade         ledger.Grade
	Steps         []ExplainedStep
}

// ExplainedStep is one rule's part, as recorded and in words.
type ExplainedStep struct {
	policy.Step
	WordsEN, WordsZH string
}

// Explanation reads why. Who may read the entry may read it; an entry that no rule decided has none and
// is ErrNotFound.
func (b *Book) Explanation(ctx context.Context, by ledger.Actor, seq ledger.Seq) (Explanation, error) {
	r, err := b.Entry(ctx, by, seq)
	if err != nil {
		return Explanation{}, err
	}
	return b.Explain(r)
}

// Explain gives the explanation of an entry that was read.
func (b *Book) Explain(r Record) (Explanation, error) {
	if !policy.Decides(r.Kind) {
		return Explanation{}, ledger.ErrNotFound
	}
	d, err := policy.ReadDecided(r.Details)
	if err != nil {
		return Explanation{}, fmt.Errorf("reading the details of entry %d: %w", r.Seq, err)
	}
	rules, err := rulesByHash(b.rules(), r.Rules)
	if err != nil {
		return Explanation{}, err
	}
	e := Explanation{Seq: r.Seq, RuleSet: rules.ID(), Hash: r.Rules, TitleEN: rules.Title(policy.English), TitleZH: rules.Title(policy.Chinese),
		EffectiveFrom: rules.EffectiveFrom(), Facts: d.Facts, Grade: d.Grade}
	for _, s := range d.Steps {
		e.Steps = append(e.Steps, ExplainedStep{s, rules.Words(s, policy.English), rules.Words(s, policy.Chinese)})
	}
	return e, nil
}

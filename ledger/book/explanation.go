package book

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

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
	Nearly        []NearRule // of a claim: rules that took no part and nearly did
}

// NearRule is a rule that took no part and nearly did, in words.
type NearRule struct{ Rule, WordsEN, WordsZH string }

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
	return b.explain(r)
}

// Reasons gives the grade of what was just written, and what each rule did about it, in words. It tells less
// than an explanation, and decides nothing again.
func (b *Book) Reasons(r Receipt, lang policy.Lang) (grade ledger.Grade, words []string, err error) {
	if !policy.Decides(r.Kind) {
		return "", nil, ledger.ErrNotFound
	}
	d := r.decided
	if d == nil {
		read, err := policy.ReadDecided(r.Details)
		if err != nil {
			return "", nil, fmt.Errorf("reading the details of entry %d: %w", r.Seq, err)
		}
		d = &read
	}
	rules, err := rulesByHash(b.rules(), r.Rules)
	if err != nil {
		return "", nil, err
	}
	for _, s := range d.Steps {
		words = append(words, rules.Words(s, lang))
	}
	return d.Grade, words, nil
}

// explain gives the explanation of an entry that was read.
func (b *Book) explain(r Record) (Explanation, error) {
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
	if r.Kind != ledger.KindHours {
		return e, nil
	}
	e.Nearly, err = nearly(rules, d.Facts)
	return e, err
}

// nearly reads a claim's facts and tells which rules nearly took part.
func nearly(rules *policy.Rules, facts []byte) (all []NearRule, err error) {
	var f policy.ClaimFacts
	if err := json.Unmarshal(facts, &f); err != nil {
		return nil, fmt.Errorf("reading facts: %w", err)
	}
	near, err := rules.Nearly(f)
	if err != nil {
		return nil, fmt.Errorf("asking which rules were near: %w", err)
	}
	for _, n := range near {
		all = append(all, NearRule{n.Rule, rules.NearWords(n, policy.English), rules.NearWords(n, policy.Chinese)})
	}
	return all, nil
}

package book

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/lib/pq"

	"timebank/ledger"
	"timebank/policy"
)

// DraftRules proposes a rule set. The actor is a policy officer; another one must approve it.
func (b *Book) DraftRules(ctx context.Context, by ledger.Actor, key Key, yaml []byte) (Receipt, error) {
	if err := by.May(ledger.RolePolicyOfficer); err != nil {
		return Receipt{}, err
	}
	rules, err := parseRules(yaml)
	if err != nil {
		return Receipt{}, err
	}
	return b.do(ctx, by, key, &draftRules{by.Client, rules})
}

func parseRules(yaml []byte) (*policy.Rules, error) {
	if len(yaml) > RuleSetBytesMax {
		return nil, &ledger.Invalid{Code: "rules_malformed", Pointer: "/source", Detail: fmt.Sprintf("a rule set has at most %d bytes", RuleSetBytesMax)}
	}
	rules, err := policy.Parse(yaml)
	if err != nil {
		return nil, &ledger.Invalid{Code: "rules_malformed", Pointer: "/source", Detail: err.Error()}
	}
	return rules, nil
}

// ApproveRules approves a draft by its hash. The actor is a policy officer, not the one who drafted it.
func (b *Book) ApproveRules(ctx context.Context, by ledger.Actor, key Key, hash ledger.Hash) (Receipt, error) {
	if err := by.May(ledger.RolePolicyOfficer); err != nil {
		return Receipt{}, err
	}
	return b.do(ctx, by, key, &approveRules{by.Client, hash})
}

// ActivateRules puts an approved draft into force from its effective date on. A set is never edited:
// another one with a later date follows it. The actor is a policy officer, not the one who approved it.
func (b *Book) ActivateRules(ctx context.Context, by ledger.Actor, key Key, hash ledger.Hash) (Receipt, error) {
	if err := by.May(ledger.RolePolicyOfficer); err != nil {
		return Receipt{}, err
	}
	return b.do(ctx, by, key, &activateRules{by.Client, hash})
}

// EnsureRules activates a rule set in a book that has none: there is nobody yet to approve it.
func (b *Book) EnsureRules(ctx context.Context, yaml []byte) error {
	if len(b.rules()) > 0 {
		return nil
	}
	rules, err := parseRules(yaml)
	if err != nil {
		return err
	}
	_, err = b.do(ctx, System, Key{"first rule set", sha256.Sum256(yaml)}, &beginRules{rules})
	if refusalOf(err) != nil { // another process was first
		return b.loadRules(ctx, b.db)
	}
	return err
}

// draftFacts is a rule set on its way into force.
type draftFacts struct {
	seq        ledger.Seq
	by         string
	source     string
	approval   ledger.Seq
	approvedBy string // empty: not approved
	active     bool
}

type draftRules struct {
	by    string
	rules *policy.Rules
}

func (c *draftRules) want(_ *world, n *wants) { n.drafts.add(c.rules.Hash()) }

// rulesDetails tell a rule set as a whole: whoever has the entry can decide by it.
type rulesDetails struct {
	ID            string      `json:"id"`
	Hash          string      `json:"hash"`
	EffectiveFrom string      `json:"effective_from"`
	Source        string      `json:"source"`
	Approval      *ledger.Seq `json:"approval,omitempty"` // of what was activated
}

func detailsOf(r *policy.Rules, approval *ledger.Seq) rulesDetails {
	return rulesDetails{r.ID(), r.Hash().String(), r.EffectiveFrom().String(), string(r.Source()), approval}
}

func (c *draftRules) decide(w *world) (decision, error) {
	r, hash := c.rules, c.rules.Hash()
	if d := w.drafts[hash]; d != nil {
		return decision{}, &ledger.Refusal{Code: "rules_drafted", Entry: d.seq, Detail: "this very text was drafted before"}
	}
	if err := w.checkStart(r); err != nil {
		return decision{}, err
	}
	details, err := encode(detailsOf(r, nil))
	if err != nil {
		return decision{}, err
	}
	const insert = `INSERT INTO rule_draft (hash, seq, by_client, body) VALUES ($1, $2, $3, $4)`
	return decision{effects: []effect{{
		draft: ledger.Draft{Kind: ledger.KindRulesDraft, Effective: w.today, Details: details},
		rows: func(seq ledger.Seq) []row {
			return []row{{insert, []any{hash[:], seq, c.by, string(r.Source())}}}
		},
		learned: func(w *world, seq ledger.Seq) {
			w.drafts[hash] = &draftFacts{seq: seq, by: c.by, source: string(r.Source())}
		},
	}}}, nil
}

// checkStart refuses a set that would change what another decides already.
func (w *world) checkStart(r *policy.Rules) error {
	if n := len(w.ruleSets); n > 0 && r.EffectiveFrom() <= w.ruleSets[n-1].EffectiveFrom() {
		return &ledger.Refusal{Code: "rules_back_dated", Detail: fmt.Sprintf("a rule set is in force from %s on: a new one must start later",
			w.ruleSets[n-1].EffectiveFrom())}
	}
	if len(w.ruleSets) > 0 && r.EffectiveFrom() <= w.today {
		return &ledger.Refusal{Code: "rules_back_dated", Detail: "what was served until today is decided by the rules in force: a new set starts tomorrow at the earliest"}
	}
	return nil
}

type approveRules struct {
	by   string
	hash ledger.Hash
}

func (c *approveRules) want(_ *world, n *wants) { n.drafts.add(c.hash) }

type approvalDetails struct {
	Hash  string     `json:"hash"`
	Draft ledger.Seq `json:"draft"`
}

func (c *approveRules) decide(w *world) (decision, error) {
	d := w.drafts[c.hash]
	switch {
	case d == nil:
		return decision{}, ledger.ErrNotFound
	case d.approvedBy != "":
		return decision{}, &ledger.Refusal{Code: "rules_approved", Entry: d.approval, Detail: "the draft was approved before"}
	case d.by == c.by:
		return decision{}, &ledger.Refusal{Code: "rules_same_person", Entry: d.seq, Detail: "who drafted a rule set does not approve it"}
	}
	details, err := encode(approvalDetails{c.hash.String(), d.seq})
	if err != nil {
		return decision{}, err
	}
	const insert = `INSERT INTO rule_approval (seq, draft, drafted_by, by_client) VALUES ($1, $2, $3, $4)`
	return decision{effects: []effect{{
		draft:   ledger.Draft{Kind: ledger.KindRulesApprove, Effective: w.today, Refers: &d.seq, Details: details},
		rows:    func(seq ledger.Seq) []row { return []row{{insert, []any{seq, c.hash[:], d.by, c.by}}} },
		learned: func(_ *world, seq ledger.Seq) { d.approval, d.approvedBy = seq, c.by },
	}}}, nil
}

type activateRules struct {
	by   string
	hash ledger.Hash
}

func (c *activateRules) want(_ *world, n *wants) { n.drafts.add(c.hash) }

func (c *activateRules) decide(w *world) (decision, error) {
	d := w.drafts[c.hash]
	switch {
	case d == nil:
		return decision{}, ledger.ErrNotFound
	case d.active:
		return decision{}, &ledger.Refusal{Code: "rules_active", Detail: "the rule set was activated before"}
	case d.approvedBy == "":
		return decision{}, &ledger.Refusal{Code: "rules_unapproved", Entry: d.seq, Detail: "nobody has approved the draft yet"}
	case d.approvedBy == c.by:
		return decision{}, &ledger.Refusal{Code: "rules_same_person", Entry: d.approval, Detail: "who approved a rule set does not activate it"}
	}
	rules, err := policy.Parse([]byte(d.source))
	if err != nil {
		return decision{}, fmt.Errorf("reading draft %s: %w", c.hash, err)
	}
	if err := w.checkStart(rules); err != nil {
		return decision{}, err
	}
	e, err := w.rulesInForce(rules, &d.approval, d.approvedBy, c.by)
	e.draft.Refers = &d.approval
	return decision{effects: []effect{e}}, err
}

// beginRules puts the first set of a book into force.
type beginRules struct{ rules *policy.Rules }

func (c *beginRules) want(*world, *wants) {}

func (c *beginRules) decide(w *world) (decision, error) {
	if len(w.ruleSets) > 0 {
		return decision{}, &ledger.Refusal{Code: "rules_active", Detail: "the book has rules already"}
	}
	e, err := w.rulesInForce(c.rules, nil, "", "")
	return decision{effects: []effect{e}}, err
}

// rulesInForce is the entry by which a set takes effect.
func (w *world) rulesInForce(r *policy.Rules, approval *ledger.Seq, approvedBy, by string) (effect, error) {
	details, err := encode(detailsOf(r, approval))
	if err != nil {
		return effect{}, err
	}
	hash := r.Hash()
	const insert = `
		INSERT INTO rule_set (hash, seq, effective_from, body, approval, approved_by, activated_by)
		VALUES ($1, $2, date '1970-01-01' + $3::int, $4, $5, nullif($6, '')::uuid, nullif($7, '')::uuid)`
	return effect{
		draft: ledger.Draft{Kind: ledger.KindRules, Effective: min(max(r.EffectiveFrom(), ledger.DateMin), ledger.DateMax), Rules: hash, Details: details},
		rows: func(seq ledger.Seq) []row {
			return []row{{insert, []any{hash[:], seq, int64(r.EffectiveFrom()), string(r.Source()), approval, approvedBy, by}}}
		},
		learned: func(w *world, _ ledger.Seq) {
			w.ruleSets = append(slices.Clone(w.ruleSets), r)
			w.rulesAdded = true
			if d := w.drafts[hash]; d != nil {
				d.active = true
			}
		},
	}, nil
}

// fetchDrafts reads the drafts that commands name, and how far each has come.
func (w *world) fetchDrafts(ctx context.Context, q selecter, n *wants) error {
	if len(n.drafts.list) == 0 {
		return nil
	}
	hashes := make([][]byte, len(n.drafts.list))
	for i, h := range n.drafts.list {
		hashes[i] = h[:]
	}
	const query = `
		SELECT d.hash, d.seq, d.by_client, d.body, coalesce(a.seq, -1) AS approval, coalesce(a.by_client::text, '') AS approved_by,
		       EXISTS (SELECT 1 FROM rule_set s WHERE s.hash = d.hash) AS active
		FROM rule_draft d LEFT JOIN rule_approval a ON a.draft = d.hash
		WHERE d.hash = ANY ($1::bytea[])`
	rows, err := selectAll[draftRow](ctx, q, query, pq.ByteaArray(hashes))
	if err != nil {
		return fmt.Errorf("reading drafts: %w", err)
	}
	for _, r := range rows {
		w.drafts[ledger.Hash(r.Hash)] = &draftFacts{r.Seq, r.By, r.Body, r.Approval, r.ApprovedBy, r.Active}
	}
	return nil
}

type draftRow struct {
	Hash       []byte     `db:"hash"`
	Seq        ledger.Seq `db:"seq"`
	By         string     `db:"by_client"`
	Body       string     `db:"body"`
	Approval   ledger.Seq `db:"approval"`
	ApprovedBy string     `db:"approved_by"`
	Active     bool       `db:"active"`
}

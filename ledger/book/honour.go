package book

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
	"timebank/policy"
)

// Honouring gives an honour of the rules, or nominates somebody for one.
type Honouring struct {
	Volunteer string
	Honour    string // by its id in the rule set
	Reason    string // of a nomination
}

// GiveHonour records a certificate, a commendation or a certified record, with the service record that it
// rests on. An organization certifies what it recorded itself; the operator, who gives in the city's name,
// all of it.
func (b *Book) GiveHonour(ctx context.Context, by ledger.Actor, key Key, h Honouring) (Receipt, error) {
	if err := by.May(ledger.RoleOrganization, ledger.RoleOperator); err != nil {
		return Receipt{}, err
	}
	return b.honour(ctx, by, key, &honour{by: by, honouring: h})
}

// Nominate puts a volunteer forward for an honour. The actor is an organization that recorded service of
// theirs.
func (b *Book) Nominate(ctx context.Context, by ledger.Actor, key Key, h Honouring) (Receipt, error) {
	if err := by.May(ledger.RoleOrganization); err != nil {
		return Receipt{}, err
	}
	if err := ledger.CheckTexts(ledger.Text{Pointer: "/reason", Value: h.Reason, BytesMax: ledger.ReasonBytesMax, Required: true}); err != nil {
		return Receipt{}, err
	}
	return b.honour(ctx, by, key, &honour{by: by, honouring: h, nominate: true})
}

func (b *Book) honour(ctx context.Context, by ledger.Actor, key Key, c *honour) (Receipt, error) {
	if err := checkID("/volunteer_id", c.honouring.Volunteer); err != nil {
		return Receipt{}, err
	}
	if err := ledger.CheckTexts(ledger.Text{Pointer: "/honour", Value: c.honouring.Honour, BytesMax: ledger.ReferenceBytesMax, Required: true}); err != nil {
		return Receipt{}, err
	}
	return b.do(ctx, by, key, c)
}

type honour struct {
	by        ledger.Actor
	honouring Honouring
	nominate  bool

	claims []servedClaim
	before []honourFacts
}

// honourFacts is an honour that was given, or a nomination.
type honourFacts struct {
	seq       ledger.Seq
	kind      ledger.Kind
	volunteer string
	honour    string
	refers    *ledger.Seq
}

type honourDetails struct {
	Volunteer    string             `json:"volunteer"`
	Organization string             `json:"organization,omitempty"`
	Honour       string             `json:"honour"`
	Kind         string             `json:"kind"`
	Reason       string             `json:"reason,omitempty"`
	Facts        policy.HonourFacts `json:"facts"`
	Steps        []policy.Step      `json:"steps"`
}

func (c *honour) want(_ *world, n *wants) {
	n.volunteers.add(c.honouring.Volunteer)
	if c.by.Role == ledger.RoleOrganization {
		n.organizations.add(c.by.Subject)
	}
}

func (c *honour) look(ctx context.Context, q selecter, w *world, _ *wants) (err error) {
	const certified = `(SELECT * FROM claims_of($2::uuid) WHERE $3 = '' OR organization = nullif($3, '')::uuid)`
	if c.claims, err = selectServed(ctx, q, int64(w.next), certified, c.honouring.Volunteer, c.by.Subject); err != nil {
		return err
	}
	c.before, err = readHonours(ctx, q, c.honouring.Volunteer)
	return err
}

// readHonours reads somebody's honours and nominations, in the order in which they were recorded.
func readHonours(ctx context.Context, q selecter, volunteer string) ([]honourFacts, error) {
	const query = `SELECT seq, kind, volunteer, coalesce(refers, -1) AS refers, details FROM entry WHERE kind IN ('honour', 'nomination') AND volunteer = $1 ORDER BY seq`
	type honourRow struct {
		Seq       ledger.Seq  `db:"seq"`
		Kind      ledger.Kind `db:"kind"`
		Volunteer string      `db:"volunteer"`
		Refers    ledger.Seq  `db:"refers"`
		Details   string      `db:"details"`
	}
	rows, err := selectAll[honourRow](ctx, q, query, volunteer)
	if err != nil {
		return nil, fmt.Errorf("reading honours: %w", err)
	}
	all := make([]honourFacts, len(rows))
	for i, r := range rows {
		var d honourDetails
		if err := json.Unmarshal([]byte(r.Details), &d); err != nil {
			return nil, fmt.Errorf("reading honour %d: %w", r.Seq, err)
		}
		all[i] = honourFacts{r.Seq, r.Kind, r.Volunteer, d.Honour, nil}
		if r.Refers >= 0 {
			all[i].refers = &r.Refers
		}
	}
	return all, nil
}

// nominated gives the nomination for an honour that was not answered yet, and how often it was given.
func nominated(before []honourFacts, honour string) (open *ledger.Seq, given int) {
	for _, h := range before {
		switch {
		case h.honour != honour:
		case h.kind == ledger.KindNomination:
			open = &h.seq
		default:
			given++
			open = nil
		}
	}
	return open, given
}

func (c *honour) decide(w *world) (decision, error) {
	h := c.honouring
	v := w.volunteers[h.Volunteer]
	if v == nil || c.by.Role == ledger.RoleOrganization && len(c.claims) == 0 {
		return decision{}, &ledger.Invalid{Code: "volunteer_unknown", Pointer: "/volunteer_id", Detail: "no such volunteer has served here"}
	}
	rules, err := w.rules(w.today)
	if err != nil {
		return decision{}, err
	}
	f := policy.HonourFacts{Honour: h.Honour, Giver: ledger.OwnerBank, Age: rules.Age(v.born, w.today), Roles: slices.Clone(v.roles),
		Today: w.today.String(), RecordFacts: recordFacts(c.claims, rules.LevelGrades())}
	if c.by.Role == ledger.RoleOrganization {
		f.Giver = ledger.OwnerOrganization
	}
	nomination, given := nominated(c.before, h.Honour)
	f.Nominated, f.GivenBefore = nomination != nil, given
	if c.nominate {
		return c.nomination(rules, w, f)
	}
	steps, err := rules.Honour(f)
	if err != nil {
		return decision{}, err
	}
	return c.record(rules, w, ledger.KindHonour, nomination, f, steps)
}

func (c *honour) nomination(rules *policy.Rules, w *world, f policy.HonourFacts) (decision, error) {
	if f.Nominated {
		return decision{}, &ledger.Refusal{Code: "nominated_before", Detail: "a nomination for this honour waits for its answer"}
	}
	steps, err := rules.Nominate(f)
	if err != nil {
		return decision{}, err
	}
	return c.record(rules, w, ledger.KindNomination, nil, f, steps)
}

func (c *honour) record(rules *policy.Rules, w *world, kind ledger.Kind, refers *ledger.Seq, f policy.HonourFacts, steps []policy.Step) (decision, error) {
	h, _ := rules.HonourOf(f.Honour)
	text, err := encode(honourDetails{c.honouring.Volunteer, c.by.Subject, f.Honour, h.Kind, c.honouring.Reason, f, steps})
	return decision{effects: []effect{{
		draft:     ledger.Draft{Kind: kind, Effective: w.today, Rules: rules.Hash(), Refers: refers, Details: text},
		volunteer: c.honouring.Volunteer, organization: c.by.Subject,
	}}}, err
}

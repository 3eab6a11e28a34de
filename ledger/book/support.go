package book

import (
	"context"
	"fmt"

	"timebank/ledger"
	"timebank/policy"
)

// Assess records what support a team has earned by what it did in a period that is over: the one that the
// day lies in. It is assessed once. The actor is the operator.
func (b *Book) Assess(ctx context.Context, by ledger.Actor, key Key, organization string, in ledger.Date) (Receipt, error) {
	if err := by.May(ledger.RoleOperator); err != nil {
		return Receipt{}, err
	}
	if err := checkID("/organization_id", organization); err != nil {
		return Receipt{}, err
	}
	return b.do(ctx, by, key, &assess{organization: organization, in: in})
}

type assess struct {
	organization string
	in           ledger.Date

	claims []servedClaim
	done   []string // first days of the periods that were assessed
}

type supportDetails struct {
	Organization string              `json:"organization"`
	Level        string              `json:"level,omitempty"`
	Supports     []string            `json:"supports,omitempty"`
	Facts        policy.SupportFacts `json:"facts"`
	Steps        []policy.Step       `json:"steps"`
}

func (c *assess) want(_ *world, n *wants) { n.organizations.add(c.organization) }

func (c *assess) look(ctx context.Context, q selecter, w *world, _ *wants) error {
	rules, err := w.rules(w.today)
	if err != nil || rules.SupportPer() == "" {
		return nil // decide says so
	}
	before, _, to := periodsOf(rules.SupportPer(), c.in)
	const ofTeam = `(SELECT * FROM claim WHERE organization = $2::uuid AND served_on BETWEEN date '1970-01-01' + $3::int AND date '1970-01-01' + $4::int)`
	if c.claims, err = selectServed(ctx, q, int64(w.next), ofTeam, c.organization, int64(before), int64(to)); err != nil {
		return err
	}
	type fromRow struct {
		From string `db:"from"`
	}
	const query = `SELECT details::json -> 'facts' ->> 'from' AS "from" FROM entry WHERE kind = 'support' AND organization = $1::uuid`
	rows, err := selectAll[fromRow](ctx, q, query, c.organization)
	if err != nil {
		return fmt.Errorf("reading assessments: %w", err)
	}
	c.done = nil
	for _, r := range rows {
		c.done = append(c.done, r.From)
	}
	return nil
}

// periodsOf gives the first day of the period before, and the first and last day of the period of a day.
func periodsOf(per ledger.Period, in ledger.Date) (before, from, to ledger.Date) {
	from = per.Start(in)
	return per.Start(from - 1), from, per.End(in)
}

func (c *assess) decide(w *world) (decision, error) {
	kind, ok := w.organizations[c.organization]
	if !ok {
		return decision{}, &ledger.Invalid{Code: "organization_unknown", Pointer: "/organization_id", Detail: "no such organization is registered"}
	}
	rules, err := w.rules(w.today)
	if err != nil {
		return decision{}, err
	}
	f := policy.SupportFacts{OrganizationKind: kind}
	if rules.SupportPer() != "" {
		before, from, to := periodsOf(rules.SupportPer(), c.in)
		if to >= w.today {
			return decision{}, &ledger.Refusal{Code: "period_not_over", Detail: fmt.Sprintf("the period from %s to %s is not over", from, to)}
		}
		f = supportFacts(c.claims, before, from, to)
		f.OrganizationKind = kind
	}
	for _, from := range c.done {
		if from == f.From {
			return decision{}, &ledger.Refusal{Code: "assessed_before", Detail: "the team was assessed for the period from " + from}
		}
	}
	d, err := rules.Support(f)
	if err != nil {
		return decision{}, err
	}
	text, err := encode(supportDetails{c.organization, d.Level, d.Supports, f, d.Steps})
	var ps []ledger.Posting
	if d.Level != "" {
		ps = ledger.Move(nil, ledger.Support, w.bank(ledger.SupportIssued).ID, w.account(c.organization, ledger.TeamSupport).ID, f.Minutes)
	}
	return decision{effects: []effect{{
		draft:        ledger.Draft{Kind: ledger.KindSupport, Effective: w.today, Rules: rules.Hash(), Postings: ps, Details: text},
		organization: c.organization,
	}}}, err
}

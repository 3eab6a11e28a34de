package book

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
	"timebank/policy"
)

// Standing is a team's support for a period, as everybody may read it.
type Standing struct {
	Seq                ledger.Seq
	Organization, Name string
	Level              string // empty when none was reached
	Supports           []string
	Facts              policy.SupportFacts
	Rules              *policy.Rules
}

// Standings lists the assessments of teams in the order in which they were recorded.
func (b *Book) Standings(ctx context.Context, organization string, before int64, after ledger.Seq, limit int) ([]Standing, error) {
	if organization != "" && checkID("/organization_id", organization) != nil {
		return nil, nil
	}
	const query = `
		SELECT e.seq, e.organization, o.name, e.rules, e.details FROM entry e JOIN organization o ON o.id = e.organization
		WHERE e.kind = 'support' AND ($1 = '' OR e.organization = nullif($1, '')::uuid) AND e.seq > $2 AND e.seq < $3 ORDER BY e.seq LIMIT $4`
	type standingRow struct {
		Seq          ledger.Seq `db:"seq"`
		Organization string     `db:"organization"`
		Name         string     `db:"name"`
		Rules        []byte     `db:"rules"`
		Details      string     `db:"details"`
	}
	rows, err := selectAll[standingRow](ctx, b.db, query, organization, after, before, min(limit, PageMax))
	if err != nil {
		return nil, fmt.Errorf("reading assessments: %w", err)
	}
	all := make([]Standing, len(rows))
	for i, r := range rows {
		var d supportDetails
		if err := json.Unmarshal([]byte(r.Details), &d); err != nil {
			return nil, fmt.Errorf("reading assessment %d: %w", r.Seq, err)
		}
		rules, err := rulesByHash(b.rules(), ledger.Hash(r.Rules))
		if err != nil {
			return nil, err
		}
		all[i] = Standing{r.Seq, r.Organization, r.Name, d.Level, d.Supports, d.Facts, rules}
	}
	return all, nil
}

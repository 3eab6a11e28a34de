package book

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
	"timebank/policy"
)

// PoolState is the public pool as everybody may read it: what it has, what came and went, who waits, in
// numbers, never in names.
type PoolState struct {
	LogSize int64
	Balance ledger.Minutes
	Month   ledger.Date // its first day
	Granted ledger.Minutes
	Rules   *policy.Rules
	Waiting []int // by priority, the first first
	Months  []PoolMonth
}

// PoolMonth is what came into the pool and what went out of it in a month.
type PoolMonth struct {
	From    ledger.Date
	In, Out ledger.Minutes
}

// poolMonths is how many months the public sees at a time.
const poolMonths = 24

// Pool reads it.
func (b *Book) Pool(ctx context.Context) (PoolState, error) {
	var p PoolState
	now, err := b.Now(ctx)
	if err != nil {
		return p, err
	}
	today := b.today(now)
	p.Month = ledger.Month.Start(today)
	if p.LogSize, err = b.sizeAt(ctx, AsOf{}); err != nil {
		return p, err
	}
	if p.Rules, err = b.RulesInForce(ctx, today); err != nil {
		return p, err
	}
	const query = `
		SELECT date_trunc('month', e.recorded AT TIME ZONE $1)::date - date '1970-01-01' AS month,
		       sum(greatest(p.minutes, 0))::bigint AS came, sum(greatest(-p.minutes, 0))::bigint AS went
		FROM account a JOIN posting p ON p.account = a.id JOIN entry e ON e.seq = p.seq
		WHERE a.owner_kind = 'pool' AND p.seq < $2 GROUP BY 1 ORDER BY 1`
	type monthRow struct {
		Month int32          `db:"month"`
		Came  ledger.Minutes `db:"came"`
		Went  ledger.Minutes `db:"went"`
	}
	rows, err := selectAll[monthRow](ctx, b.db, query, b.cfg.Zone.String(), p.LogSize)
	if err != nil {
		return p, fmt.Errorf("reading the pool: %w", err)
	}
	for _, r := range rows {
		p.Balance += r.Came - r.Went
		p.Months = append(p.Months, PoolMonth{ledger.Date(r.Month), r.Came, r.Went})
	}
	p.Months = p.Months[max(0, len(p.Months)-poolMonths):]
	return p, b.whoWaits(ctx, today, &p)
}

func (b *Book) whoWaits(ctx context.Context, today ledger.Date, p *PoolState) error {
	line, err := readLine(ctx, b.db, today)
	if err != nil {
		return err
	}
	p.Waiting = make([]int, p.Rules.PoolPriorities())
	p.Granted = grantedToAll(line)
	for _, s := range line {
		if 0 < s.priority && s.priority <= len(p.Waiting) {
			p.Waiting[s.priority-1]++
		}
	}
	return nil
}

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

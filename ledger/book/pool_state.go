package book

import (
	"context"
	"fmt"

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
		FROM account a CROSS JOIN LATERAL postings_of(a.id, 0, $2) p JOIN entry e ON e.seq = p.seq
		WHERE a.owner_kind = 'pool' GROUP BY 1 ORDER BY 1`
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

package book

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/jmoiron/sqlx"

	"timebank/ledger/translog"
)

// groupPlan is how rows are read that no index has in the order of their entries: sorted once, and handed over a page
// at a time. Aggregated by hash they would all be in memory at once.
const groupPlan = `SET LOCAL enable_hashagg = off; SET LOCAL work_mem = '32MB'; SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0`

// groups reads the rows of such a table, page after page.
type groups struct {
	name  string
	fetch *sqlx.Stmt
	page  int64 // of rows; after the last it is of no page
	rows  []byte
}

// The queries of groups. The first %d is the most entries that a log has, the second the number of bits by which an entry's
// number is shifted to that of its page. What is of no entry, or of one below zero, is of page -1, and what is of one beyond all
// is of the page after the last. A rollup belongs to the last entry that is in it.
const (
	answerGroups = `DECLARE answers NO SCROLL CURSOR FOR
		SELECT least(greatest(seq, -1), %d) >> %d AS page, string_agg(record_send(ROW(client, key, request, recorded, seq, subject, refusal)), '')
		FROM answer GROUP BY 1 ORDER BY 1`
	carryGroups = `DECLARE carries NO SCROLL CURSOR FOR
		SELECT least(greatest(seq, -1), %d) >> %d AS page, string_agg(record_send(ROW(seq, volunteer, unit, rest, parts)), '') FROM carry GROUP BY 1 ORDER BY 1`
	rollupGroups = `DECLARE rollups NO SCROLL CURSOR FOR
		SELECT least(greatest(upto, 0) - 1, %d) >> %d AS page, string_agg(record_send(ROW(account, level, period, upto, minutes, entries)), '') FROM rollup GROUP BY 1 ORDER BY 1`
)

// noPage is the page of no rows, after all others.
const noPage = math.MaxInt64

// besideRows are the tables that are read so.
type besideRows struct{ answers, carries, rollups *groups }

func openBeside(ctx context.Context, tx *sqlx.Tx, bits uint) (b besideRows, err error) {
	if b.answers, err = openGroups(ctx, tx, "answers", fmt.Sprintf(answerGroups, int64(translog.SizeMax), bits), `FETCH NEXT FROM answers`); err != nil {
		return b, err
	}
	if b.carries, err = openGroups(ctx, tx, "what rounding left", fmt.Sprintf(carryGroups, int64(translog.SizeMax), bits), `FETCH NEXT FROM carries`); err != nil {
		return b, err
	}
	b.rollups, err = openGroups(ctx, tx, "rollups", fmt.Sprintf(rollupGroups, int64(translog.SizeMax), bits), `FETCH NEXT FROM rollups`)
	return b, err
}

// first gives the next page of which something is read.
func (b besideRows) first() int64 { return min(b.answers.page, b.carries.page, b.rollups.page) }

// give puts what is read of a page into it, whether or not it has entries.
func (b besideRows) give(ctx context.Context, p *page) (err error) {
	if p.answers, err = b.answers.take(ctx, p.number); err != nil {
		return err
	}
	if p.carries, err = b.carries.take(ctx, p.number); err != nil {
		return err
	}
	p.rollups, err = b.rollups.take(ctx, p.number)
	return err
}

func openGroups(ctx context.Context, tx *sqlx.Tx, name, declare, fetch string) (*groups, error) {
	if _, err := tx.ExecContext(ctx, declare); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	statement, err := tx.PreparexContext(ctx, fetch)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	g := &groups{name: name, fetch: statement}
	return g, g.next(ctx)
}

func (g *groups) next(ctx context.Context) error {
	err := g.fetch.QueryRowContext(ctx).Scan(&g.page, &g.rows)
	if errors.Is(err, sql.ErrNoRows) {
		g.rows, g.page = nil, noPage
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", g.name, err)
	}
	return nil
}

// take gives the rows of a page that is the next or comes before it.
func (g *groups) take(ctx context.Context, page int64) ([]byte, error) {
	if g.page != page {
		return nil, nil
	}
	rows := g.rows
	return rows, g.next(ctx)
}

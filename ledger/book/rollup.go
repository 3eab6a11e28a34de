package book

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"timebank/ledger"
)

const (
	// rollupBlock is how many entries are rolled up at a time. Whoever reads the past of a line of the chart adds up at most the postings of
	// so many by hand; of an account, some hundreds.
	rollupBlock = 1024
	// rollupFrom is how many postings must have gathered on an account before they are rolled up: fewer
	// are read faster than the sums of their days would be.
	rollupFrom = 256
	// rollupChance, a power of two, is how many postings of one block on an account make it sure that what has gathered is counted.
	// With fewer it is by chance, and in proportion, so that an account gathers about as many again whether it moves little
	// or much: counting all would take a tenth of what posting itself does.
	rollupChance = 256
	// rollupEvery is how often the book looks whether a block is full: often enough that where they come fast
	// it is one block, and nobody waits for a core that rolls up many.
	rollupEvery = 200 * time.Millisecond
)

// periods gives of each movement (of, effective, minutes, n) its sums by day, month, year and in all.
const periods = `
	SELECT of, 0 AS level, effective - date '1970-01-01' AS period, sum(minutes) AS minutes, sum(n) AS n FROM moved GROUP BY 1, 2, 3
	UNION ALL SELECT of, 1, (extract(year FROM effective) * 12 + extract(month FROM effective) - 1)::int, sum(minutes), sum(n) FROM moved GROUP BY 1, 2, 3
	UNION ALL SELECT of, 2, extract(year FROM effective)::int, sum(minutes), sum(n) FROM moved GROUP BY 1, 2, 3`

// sumsAt, in a LATERAL, gives balance and entries of the rollup's account %[1]s as of log size %[2]s and of
// the date %[3]s, or of all dates where it is NULL: the sums up to the last rollup, and %[4]s, what was posted
// since, after the log size since.upto.
const sumsAt = `
	(SELECT coalesce((SELECT upto FROM rollup WHERE account = %[1]s AND level = 3 AND period = 0 AND upto <= %[2]s ORDER BY upto DESC LIMIT 1), 0) AS upto) since,
	LATERAL (SELECT coalesce(sum(x.minutes), 0)::bigint AS balance, coalesce(sum(x.entries), 0)::bigint AS entries FROM (
		SELECT r.minutes, r.entries FROM rollup r
		WHERE %[3]s IS NULL AND r.account = %[1]s AND r.level = 3 AND r.period = 0 AND r.upto = since.upto
		UNION ALL
		SELECT r.minutes, r.entries FROM (
			SELECT 2 AS level, generate_series((SELECT min(y.period) FROM rollup y WHERE y.account = %[1]s AND y.level = 2), extract(year FROM %[3]s)::int - 1) AS period
			UNION ALL SELECT 1, generate_series(extract(year FROM %[3]s)::int * 12, (extract(year FROM %[3]s) * 12 + extract(month FROM %[3]s) - 2)::int)
			UNION ALL SELECT 0, generate_series(date_trunc('month', %[3]s)::date - date '1970-01-01', %[3]s - date '1970-01-01')) d,
			LATERAL (SELECT r.minutes, r.entries FROM rollup r WHERE r.account = %[1]s AND r.level = d.level AND r.period = d.period AND r.upto <= since.upto
			         ORDER BY r.upto DESC LIMIT 1) r
		WHERE since.upto > 0 AND %[3]s IS NOT NULL
		UNION ALL %[4]s) x) s`

// postedSince is what was posted on one account since the last rollup.
const postedSince = `SELECT p.minutes, 1 FROM postings_of(%[1]s, since.upto, %[2]s) p
		WHERE %[3]s IS NULL OR p.effective <= %[3]s`

// postedOnLine is what was posted on the accounts of one line of the chart, l, since the last rollup.
const postedOnLine = `SELECT p.minutes, 1 FROM posting p JOIN account a ON a.id = p.account
		WHERE a.owner_kind = l.owner_kind AND a.purpose = l.purpose
		  AND p.seq >= since.upto AND p.seq < %[2]s AND (%[3]s IS NULL OR p.effective <= %[3]s)`

func sumsOf(account, logSize, effective, posted string) string {
	return fmt.Sprintf(sumsAt, account, logSize, effective, fmt.Sprintf(posted, account, logSize, effective))
}

// chartLines gives the lines of the chart of accounts as columns; a line's rollups stand under -1, -2 and on.
func chartLines() (of []int64, owners, purposes, units []string) {
	for i, l := range ledger.Chart {
		of, owners = append(of, int64(-1-i)), append(owners, string(l.Owner))
		purposes, units = append(purposes, string(l.Purpose)), append(units, string(l.Unit))
	}
	return of, owners, purposes, units
}

// rollUp rolls up what has gathered, until ctx ends. It is no part of writing: when it stands still, the past
// is read more slowly and just as right.
func (b *Book) rollUp(ctx context.Context) error {
	tick := time.NewTicker(rollupEvery)
	defer tick.Stop()
	for {
		if _, err := b.RollUp(ctx); err != nil && ctx.Err() == nil {
			slog.Error("rolling up", "error", err) // tried again
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// RollUp rolls up every full block of entries that is not yet, and gives in how many transactions; of several
// processes one does the work and the others pass.
func (b *Book) RollUp(ctx context.Context) (times int, err error) {
	for {
		done, err := b.rollUpBlock(ctx)
		if err != nil || !done {
			return times, err
		}
		times++
	}
}

func (b *Book) rollUpBlock(ctx context.Context) (done bool, err error) {
	begun, err := b.lookups.BeginTxx(ctx, nil)
	if err != nil {
		return false, fmt.Errorf("beginning to roll up: %w", err)
	}
	defer begun.Rollback()
	tx := &writeTx{begun, b.ofLookups}
	mine, err := only(selectAll[bool](ctx, tx, `SELECT pg_try_advisory_xact_lock('rollup'::regclass::oid::bigint)`))
	if err != nil || !mine {
		return false, err
	}
	const query = `
		SELECT rolled, size, (SELECT salt FROM entry WHERE seq = rolled + $1 - 1) AS salt FROM (
			SELECT coalesce((SELECT upto FROM rollup WHERE account = -1 AND level = 3 AND period = 0 ORDER BY upto DESC LIMIT 1), 0) AS rolled,
			       coalesce((SELECT seq + 1 FROM entry ORDER BY seq DESC LIMIT 1), 0) AS size) e`
	type extent struct {
		Rolled int64  `db:"rolled"`
		Size   int64  `db:"size"`
		Salt   []byte `db:"salt"` // of the last entry of the block
	}
	upto, err := only(selectAll[extent](ctx, tx, query, rollupBlock))
	if err != nil {
		return false, fmt.Errorf("looking what to roll up: %w", err)
	}
	to := upto.Rolled + rollupBlock
	if upto.Size < to {
		return false, nil
	}
	moved := b.moves.take(upto.Rolled, upto.Salt)
	if moved == nil { // another process posted some of it, or this one before it was started anew, or has not taken note of it yet
		if moved, err = readMoves(ctx, tx, upto.Rolled, to); err != nil {
			return false, err
		}
	}
	if err := addSums(ctx, tx, to, moved); err != nil {
		return false, err
	}
	if err := begun.Commit(); err != nil {
		return false, fmt.Errorf("rolling up to %d: %w", to, err)
	}
	return true, nil
}

// addSums adds to each sum of a period what moved, on top of its last: of the lines of the chart, and of the accounts on which
// enough has gathered. "whole" are those, each of which gets a sum in all, which marks that it is rolled up to $1.
func addSums(ctx context.Context, tx *writeTx, to int64, m *blockMoves) error {
	const insert = `
		WITH ready AS MATERIALIZED (
			SELECT t.account AS of, t.since FROM (
				SELECT c.account, coalesce((SELECT upto FROM rollup r WHERE r.account = c.account AND r.level = 3 AND r.period = 0
				                            ORDER BY upto DESC LIMIT 1), 0) AS since FROM unnest($7::bigint[]) AS c (account)) t
			WHERE (SELECT count(*) FROM (SELECT 1 FROM postings_of(t.account, t.since, $1) LIMIT $8) few) >= $8),
		whole AS (SELECT of FROM unnest($2::bigint[]) AS l (of) UNION ALL SELECT of FROM ready),
		moved AS MATERIALIZED (
			SELECT of, date '1970-01-01' + effective AS effective, minutes, n
			FROM unnest($3::bigint[], $4::int[], $5::bigint[], $6::bigint[]) AS l (of, effective, minutes, n)
			UNION ALL SELECT r.of, p.effective, sum(p.minutes), count(*) FROM ready r, LATERAL postings_of(r.of, r.since, $1) p GROUP BY 1, 2),
		node AS (` + periods + `
			UNION ALL SELECT of, 3, 0, sum(minutes), sum(n) FROM (SELECT of, minutes, n FROM moved UNION ALL SELECT of, 0, 0 FROM whole) m GROUP BY 1)
		INSERT INTO rollup (account, level, period, upto, minutes, entries)
		SELECT n.of, n.level, n.period, $1, n.minutes + coalesce(before.minutes, 0), n.n + coalesce(before.entries, 0)
		FROM node n LEFT JOIN LATERAL (SELECT r.minutes, r.entries FROM rollup r
			WHERE r.account = n.of AND r.level = n.level AND r.period = n.period ORDER BY r.upto DESC LIMIT 1) before ON true`
	whole, _, _, _ := chartLines()
	of, effective, minutes, n := m.columns()
	if _, err := tx.ExecContext(ctx, insert, to, bigints(whole), bigints(of), ints(effective), bigints(minutes), bigints(n), bigints(m.chosen(to)), rollupFrom); err != nil {
		return fmt.Errorf("rolling up to %d: %w", to, err)
	}
	return nil
}

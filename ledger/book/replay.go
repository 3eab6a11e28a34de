package book

import (
	"context"
	"errors"
	"fmt"

	"timebank/ledger"
	"timebank/policy"
)

// Replayed is what deciding history again came to.
type Replayed struct {
	Decided  int64 // entries decided again
	Findings []Finding
}

// Err is nil when every decision came out as it is recorded.
func (r Replayed) Err() error { return Verification{Findings: r.Findings}.Err() }

// replayPage is how many entries are read at a time.
const replayPage = 2000

// Replay decides every entry again from the facts and the rule set that it names, and nothing else: no
// balance and no row beside it is asked. It reads one snapshot. progress, which may be nil, is told how
// many entries of how many are done.
func (b *Book) Replay(ctx context.Context, progress func(done, of int64)) (r Replayed, err error) {
	tx, err := b.db.BeginTxx(ctx, readSnapshot)
	if err != nil {
		return r, fmt.Errorf("beginning to replay: %w", err)
	}
	defer tx.Rollback()
	if err := b.loadRules(ctx, tx); err != nil {
		return r, err
	}
	var of int64
	if err := tx.GetContext(ctx, &of, `SELECT count(*) FROM entry`); err != nil {
		return r, fmt.Errorf("counting entries: %w", err)
	}
	type decidedRow struct {
		Seq     ledger.Seq  `db:"seq"`
		Kind    ledger.Kind `db:"kind"`
		Rules   []byte      `db:"rules"`
		Details string      `db:"details"`
	}
	const query = `SELECT seq, kind, coalesce(rules, ''::bytea) AS rules, details FROM entry WHERE seq > $1 ORDER BY seq LIMIT $2`
	for after := ledger.Seq(-1); ; {
		rows, err := selectAll[decidedRow](ctx, tx, query, after, replayPage)
		if err != nil {
			return r, fmt.Errorf("reading entries after %d: %w", after, err)
		}
		if len(rows) == 0 {
			return r, nil
		}
		for _, row := range rows {
			after = row.Seq
			if !policy.Decides(row.Kind) {
				continue
			}
			r.Decided++
			if err := b.replay(row.Kind, row.Rules, []byte(row.Details)); err != nil && len(r.Findings) < findingsMax {
				r.Findings = append(r.Findings, Finding{row.Seq, err.Error()})
			}
		}
		if progress != nil {
			progress(int64(after)+1, of)
		}
	}
}

func (b *Book) replay(kind ledger.Kind, hash, details []byte) error {
	if len(hash) != len(ledger.Hash{}) {
		return errors.New("names no rule set that decided it")
	}
	rules, err := rulesByHash(b.rules(), ledger.Hash(hash))
	if err != nil {
		return err
	}
	return rules.Replay(kind, details)
}

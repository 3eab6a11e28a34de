package book

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// snapshot is one moment of the book, read by several connections at once.
type snapshot []*sqlx.Tx

// snapshot opens it on some connections. Of two who want some each waits until the other has all of its own,
// since two who have a part of them could wait for each other for ever.
func (b *Book) snapshot(ctx context.Context, connections int) (s snapshot, err error) {
	select {
	case b.snapshots <- struct{}{}:
		defer func() { <-b.snapshots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	first, err := b.db.BeginTxx(ctx, readSnapshot)
	if err != nil {
		return nil, fmt.Errorf("beginning to read a snapshot: %w", err)
	}
	s = snapshot{first}
	var name string
	if err := first.GetContext(ctx, &name, `SELECT pg_export_snapshot()`); err != nil {
		return s, fmt.Errorf("sharing a snapshot: %w", err)
	}
	for len(s) < connections {
		tx, err := b.db.BeginTxx(ctx, readSnapshot)
		if err != nil {
			return s, fmt.Errorf("beginning to read a snapshot: %w", err)
		}
		s = append(s, tx)
		// PostgreSQL made the name: hexadecimal digits and hyphens. The statement takes no parameter.
		if _, err := tx.ExecContext(ctx, `SET TRANSACTION SNAPSHOT '`+name+`'`); err != nil {
			return s, fmt.Errorf("taking a shared snapshot: %w", err)
		}
	}
	return s, nil
}

// plan sets for these connections how they read: by ranges, one query after the other, whatever the statistics of
// a young table say.
func (s snapshot) plan(ctx context.Context, settings string) error {
	for _, tx := range s {
		if _, err := tx.ExecContext(ctx, settings); err != nil {
			return fmt.Errorf("setting how a snapshot is read: %w", err)
		}
	}
	return nil
}

// close gives the connections back.
func (s snapshot) close() {
	for _, tx := range s {
		tx.Rollback() // nothing was written; that it is over already is no loss
	}
}

package book

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// writeTx is the transaction of a batch, on the one connection that writes. Its statements are prepared
// there once, and planned once: planning them anew for each batch costs more than running them.
type writeTx struct {
	tx *sqlx.Tx
	writerConn
}

// writerConn is the connection that writes, with what was prepared on it. Only the writer uses it.
type writerConn struct {
	conn     *sqlx.Conn
	prepared map[string]*sqlx.Stmt
	joined   map[string]string // statements that were made of several, by those
}

// lookupsOnly makes every statement of the writer, and of the triggers it fires, look rows up by index.
// They are planned once, often while the tables are small or their statistics are old, and a plan that
// then chose to scan a table would be kept while the table grows.
const lookupsOnly = `
	SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off;
	SET plan_cache_mode = force_generic_plan; SET jit = off`

// beginWrite begins a batch, on a new connection when the last one was lost. Read committed: the snapshot
// of REPEATABLE READ would be taken before the wait for the lock.
func (b *Book) beginWrite(ctx context.Context) (*writeTx, error) {
	options := &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	if b.write.conn != nil {
		if tx, err := b.write.conn.BeginTxx(ctx, options); err == nil {
			return &writeTx{tx, b.write}, nil
		}
		b.write.conn.Close() // it was lost: what it says on closing is nothing new
		b.write = writerConn{}
	}
	conn, err := b.writer.Connx(ctx)
	if err != nil {
		return nil, fmt.Errorf("connecting the writer: %w", err)
	}
	if _, err := conn.ExecContext(ctx, lookupsOnly); err != nil {
		return nil, errors.Join(fmt.Errorf("setting up the writer: %w", err), conn.Close())
	}
	b.write = writerConn{conn, map[string]*sqlx.Stmt{}, map[string]string{}}
	tx, err := conn.BeginTxx(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("beginning a batch: %w", err)
	}
	return &writeTx{tx, b.write}, nil
}

// statement gives the prepared statement of a query. It is prepared on the connection, not in the
// transaction, so that it outlives it; it runs within the transaction, which is the connection's only one.
func (w *writeTx) statement(ctx context.Context, query string) (*sqlx.Stmt, error) {
	if s, ok := w.prepared[query]; ok {
		return s, nil
	}
	s, err := w.conn.PreparexContext(ctx, query)
	if err == nil {
		w.prepared[query] = s
	}
	return s, err
}

// ExecContext runs a prepared statement that gives no rows.
func (w *writeTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := w.statement(ctx, query) //nolint:sqlclosecheck // it is kept for the next batch
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// SelectContext reads all rows of a prepared statement into a slice.
func (w *writeTx) SelectContext(ctx context.Context, into any, query string, args ...any) error {
	s, err := w.statement(ctx, query) //nolint:sqlclosecheck // it is kept for the next batch
	if err != nil {
		return err
	}
	return s.SelectContext(ctx, into, args...)
}

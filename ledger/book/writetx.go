package book

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"github.com/jmoiron/sqlx"
)

// writeTx is a transaction whose statements are prepared: of a batch, or of rolling up.
type writeTx struct {
	tx         *sqlx.Tx
	statements *statements
}

// afterTheLock makes the writer's statements that take the lock see what was committed before they had it, whatever the
// database's default: the snapshot of REPEATABLE READ would be taken before the wait.
const afterTheLock = "default_transaction_isolation=read committed"

// lookupsOnly makes every statement of the writer, and of the triggers it fires, look rows up by index.
// They are planned once, often while the tables are small or their statistics are old, and a plan that
// then chose to scan a table would be kept while the table grows.
var lookupsOnly = []string{"enable_seqscan=off", "enable_hashjoin=off", "enable_mergejoin=off", "enable_material=off",
	"plan_cache_mode=force_generic_plan", "jit=off"}

// writersMax is how many connections the writer has.
const writersMax = 2

// beginWrite begins a batch, on a new connection where those that are open turn out to be lost. Read committed: the
// snapshot of REPEATABLE READ would be taken before the wait for the lock.
func (b *Book) beginWrite(ctx context.Context) (tx *writeTx, err error) {
	for range writersMax + 1 {
		var begun *sqlx.Tx
		if begun, err = b.writer.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted}); err == nil {
			return &writeTx{begun, b.statements}, nil
		}
	}
	return nil, fmt.Errorf("beginning a batch: %w", err)
}

// statements are those of the writer, or of rolling up. Each is prepared once on a connection, and planned once: planning them anew for
// each batch costs more than running them. They belong to the pool, not to a connection: one of a connection that is
// lost within a transaction would wait for the transaction's end, which waits for it.
type statements struct {
	db       *sqlx.DB
	mu       sync.Mutex
	prepared map[string]*sqlx.Stmt
	joined   map[string]string // statements that were made of several, by those
}

func newStatements(db *sqlx.DB) *statements {
	return &statements{db: db, prepared: map[string]*sqlx.Stmt{}, joined: map[string]string{}}
}

// of gives the prepared statement of a query.
func (s *statements) of(ctx context.Context, query string) (*sqlx.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.prepared[query]; ok {
		return p, nil
	}
	p, err := s.db.PreparexContext(ctx, query) //nolint:sqlclosecheck // it is kept for the next batch
	if err == nil {
		s.prepared[query] = p
	}
	return p, err
}

// SelectContext reads all rows of a prepared statement into a slice, in no transaction.
func (s *statements) SelectContext(ctx context.Context, into any, query string, args ...any) error {
	p, err := s.of(ctx, query) //nolint:sqlclosecheck // it is kept for the next batch
	if err != nil {
		return err
	}
	return p.SelectContext(ctx, into, args...)
}

// ExecContext runs a prepared statement that gives no rows.
func (w *writeTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := w.statements.of(ctx, query)
	if err != nil {
		return nil, err
	}
	return w.tx.StmtxContext(ctx, s).ExecContext(ctx, args...)
}

// SelectContext reads all rows of a prepared statement into a slice.
func (w *writeTx) SelectContext(ctx context.Context, into any, query string, args ...any) error {
	s, err := w.statements.of(ctx, query)
	if err != nil {
		return err
	}
	return w.tx.StmtxContext(ctx, s).SelectContext(ctx, into, args...) //nolint:sqlclosecheck // the transaction closes it
}

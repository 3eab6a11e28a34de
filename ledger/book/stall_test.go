package book_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
)

// stalled is a claim whose recording waits for a transaction of the test.
type stalled struct {
	db     *sqlx.DB
	let    func() // lets it go on
	result <-chan book.HoursResult
}

// Queries that tell how far the writers are.
const (
	recording = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'transactionid' AND query LIKE '%INSERT INTO entry%'`
	lookedUp  = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle' AND (query LIKE '%claims_%(n.volunteer%' OR query LIKE '%JOIN claim c ON c.%')
		AND state_change > (SELECT max(xact_start) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%INSERT INTO entry%' AND wait_event = 'transactionid')`
	waitsATurn = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'advisory'`
	waitsAhead = waitsATurn + ` AND query LIKE '%INSERT INTO entry%'` // with what is decided already
)

// stall posts a claim and holds it up while it is being recorded: it has the writers' turn, and the next hash of the log
// is perhaps there already.
func stall(t *testing.T, b *booktest.Book, org ledger.Actor, r book.HoursRequest) *stalled {
	t.Helper()
	s := &stalled{db: b.Reader(t)}
	tx := s.db.MustBegin()
	tx.MustExec(`INSERT INTO hash SELECT max(id) + 1, sha256('') FROM hash`)
	s.let = func() {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
	s.result = ask(b, org, r)
	s.await(t, recording)
	return s
}

// ask posts a claim, for somebody who waits for the answer later.
func ask(b *booktest.Book, org ledger.Actor, r book.HoursRequest) <-chan book.HoursResult {
	result := make(chan book.HoursResult, 1)
	go func() {
		receipt, err := postOne(b, org, r)
		result <- book.HoursResult{Receipt: receipt, Err: err}
	}()
	return result
}

// await waits until a query counts something.
func (s *stalled) await(t *testing.T, query string) {
	t.Helper()
	await(t, s.db, query)
}

func await(t *testing.T, db *sqlx.DB, query string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		var n int
		if err := db.Get(&n, query); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return
		}
	}
	t.Fatalf("nothing came of %s", query)
}

// cutOff ends the connection that records it.
func (s *stalled) cutOff(t *testing.T) { s.end(t, "pg_terminate_backend") }

// cancel ends the statement that records it.
func (s *stalled) cancel(t *testing.T) { s.end(t, "pg_cancel_backend") }

func (s *stalled) end(t *testing.T, by string) {
	t.Helper()
	s.await(t, strings.Replace(recording, "count(*)", "count("+by+"(pid))", 1))
	s.let()
}

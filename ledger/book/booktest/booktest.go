// Package booktest gives each test a book of its own, on a real PostgreSQL: a private server for the
// test binary, a database for the test cloned from a migrated template, and factories whose defaults
// are a small city.
package booktest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"timebank/ledger/book"
	"timebank/ledger/localpg"
	"timebank/policy"
)

// server is the test binary's PostgreSQL, started by the first test that needs it.
var server struct {
	once sync.Once
	pg   *localpg.Server
	dir  string
	err  error
	next atomic.Int64
}

const template = "template_book"

// Main runs a package's tests and then ends the server they used; call it from TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if server.pg != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if err := errors.Join(server.pg.Stop(ctx), os.RemoveAll(server.dir)); err != nil {
			fmt.Fprintln(os.Stderr, "ending the test server:", err)
		}
		cancel()
	}
	os.Exit(code)
}

func start() {
	server.dir, server.err = os.MkdirTemp("", "timebank-test-")
	if server.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	// Without fsync: these tests are about what is decided, and localpg's own tests about what survives.
	server.pg, server.err = localpg.Start(ctx, localpg.Config{Dir: server.dir, Settings: map[string]string{"max_connections": "400"}})
	if server.err != nil {
		return
	}
	if server.err = execute(localpg.Superuser, "postgres", `CREATE DATABASE `+template+` OWNER timebank_owner`); server.err != nil {
		return
	}
	server.err = book.Migrate(ctx, server.pg.URL(localpg.OwnerRole, template))
}

func execute(role, database, statement string) error {
	db, err := sql.Open("postgres", server.pg.URL(role, database))
	if err != nil {
		return err
	}
	_, err = db.Exec(statement)
	return errors.Join(err, db.Close())
}

// Server gives the test binary's server. A machine without PostgreSQL fails the test with what to
// install; nothing is skipped.
func Server(t testing.TB) *localpg.Server {
	t.Helper()
	server.once.Do(start)
	if server.err != nil {
		t.Fatalf("starting PostgreSQL for tests: %v", server.err)
	}
	return server.pg
}

// Database gives the name of a fresh migrated database, dropped when the test ends.
func Database(t testing.TB) string {
	t.Helper()
	Server(t)
	return clone(t, template)
}

// Copy gives the name of a copy of the book's database as it stands, for a book that is stopped.
func (b *Book) Copy(t testing.TB) string {
	t.Helper()
	return clone(t, b.Database)
}

func clone(t testing.TB, from string) string {
	t.Helper()
	name := fmt.Sprintf("book_%d", server.next.Add(1))
	if err := execute(localpg.Superuser, "postgres", `CREATE DATABASE `+name+` TEMPLATE `+from+` OWNER timebank_owner`); err != nil {
		t.Fatalf("cloning %s: %v", from, err)
	}
	t.Cleanup(func() {
		if err := execute(localpg.Superuser, "postgres", `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			t.Errorf("dropping %s: %v", name, err)
		}
	})
	return name
}

// Book is a book of a test, with who is registered in it.
type Book struct {
	*book.Book
	Database string
	Config   book.Config
	stop     context.CancelFunc
	ended    chan error
	serial   atomic.Int64
}

// New gives a book of its own to a test: running, with the shipped rules, closed by t.Cleanup, and
// verified there from the first entry to the last unless the test tampered with it.
func New(t testing.TB) *Book {
	t.Helper()
	return Open(t, Database(t), policy.Shipped())
}

// Open opens a book on a database of the test; several may share one, like several server processes.
func Open(t testing.TB, database string, rules []byte) *Book {
	t.Helper()
	keys, err := book.LoadKeys(filepath.Join(keysDir(t), "keys"), Origin)
	if err != nil {
		t.Fatalf("making keys: %v", err)
	}
	b := &Book{Database: database, Config: book.Config{
		Service: Server(t).URL(localpg.ServiceRole, database), Zone: Zone, Origin: Origin, Keys: keys, AcceptDataLoss: true,
	}}
	b.start(t)
	t.Cleanup(func() { b.Stop(t) })
	if err := b.EnsureRules(t.Context(), rules); err != nil {
		t.Fatalf("activating rules: %v", err)
	}
	return b
}

// Origin is the log's name in tests.
const Origin = "timebank.test/book"

// Zone is where test books are.
var Zone = time.FixedZone("CST", 8*60*60)

// keysDir gives one folder of keys to the test binary, since two processes of one book share keys.
var keysOnce sync.Once
var keysPath string

func keysDir(t testing.TB) string {
	t.Helper()
	keysOnce.Do(func() { keysPath = filepath.Join(server.dir, "secrets") })
	return keysPath
}

func (b *Book) start(t testing.TB) {
	t.Helper()
	opened, err := book.Open(context.Background(), b.Config)
	if err != nil {
		t.Fatalf("opening the book: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.Book, b.stop, b.ended = opened, cancel, make(chan error, 1)
	go func() { b.ended <- opened.Run(ctx) }()
}

// Stop ends the book, as a server process that ends; a second Stop does nothing.
func (b *Book) Stop(t testing.TB) {
	t.Helper()
	if b.stop == nil {
		return
	}
	b.stop()
	b.stop = nil
	if err := errors.Join(<-b.ended, b.Close()); err != nil {
		t.Errorf("stopping the book: %v", err)
	}
}

// Restart starts a stopped book, as a server process that starts again.
func (b *Book) Restart(t testing.TB) {
	t.Helper()
	b.start(t)
}

// CheckBook verifies the whole book and fails the test with every finding.
func (b *Book) CheckBook(t testing.TB) {
	t.Helper()
	v, err := b.Verify(context.Background(), nil)
	if err != nil {
		t.Fatalf("verifying the book: %v", err)
	}
	for _, f := range v.Findings {
		t.Errorf("verify: %s", f)
	}
}

// Tamper runs a statement as superuser with triggers off, as somebody with the whole database in hand.
func (b *Book) Tamper(t testing.TB, statement string) {
	t.Helper()
	Tamper(t, b.Database, statement)
}

// Tamper does so with any database.
func Tamper(t testing.TB, database, statement string) {
	t.Helper()
	if err := execute(localpg.Superuser, database, `SET session_replication_role = replica; `+statement); err != nil {
		t.Fatalf("tampering: %v", err)
	}
}

// As runs a statement in the book's database as a role.
func (b *Book) As(role, statement string) error { return execute(role, b.Database, statement) }

// Reader gives a connection to the book's database that may read and change everything.
func (b *Book) Reader(t testing.TB) *sqlx.DB {
	t.Helper()
	db, err := sqlx.Open("postgres", server.pg.URL(localpg.Superuser, b.Database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

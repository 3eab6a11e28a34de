package book

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"golang.org/x/sync/errgroup"

	"timebank/ledger"
	"timebank/ledger/witness"
	"timebank/policy"
)

// Config says which book to open.
type Config struct {
	Service        string         // DSN of a login that may only INSERT and SELECT
	Zone           *time.Location // the book's place: what day it is there
	Origin         string         // first line of checkpoints
	Keys           Keys
	CheckpointFile string // where the last signed checkpoint is kept outside the database; "" keeps none
	Witnesses      *witness.Group
	AcceptDataLoss bool // open although the server is set so that a crash loses what was acknowledged
}

const (
	// batchMax bounds the commands of one transaction that came one by one, and so the wait of everybody behind the
	// lock: a batch of this size takes some tens of milliseconds.
	batchMax = 256
	// queueMax bounds the commands that wait for their turn; beyond it the book is busy.
	queueMax = 8192
	// readersMax bounds the connections that read; with the writer's they stay far below PostgreSQL's
	// default of 100, so that a few server processes fit.
	readersMax = 16
	// lookupsMax bounds those that look up the past.
	lookupsMax = 8
	// listsMax bounds those that list entries: a filter that lets nothing through reads all of the book, and nobody
	// but other lists should wait for it.
	listsMax = 4
)

// ErrBusy says that too many writes wait; try again in a moment.
var ErrBusy = errors.New("the book is busy")

// Book is a ledger kept in PostgreSQL.
type Book struct {
	cfg         Config
	keys        Keys
	db          *sqlx.DB    // reads
	lookups     *sqlx.DB    // reads what must be looked up by index, whatever the statistics say
	ofLookups   *statements // of what is rolled up
	lists       *sqlx.DB    // the same, for lists of entries
	writer      *sqlx.DB    // for the writer alone: one connection records, and on the other the next batch is looked up
	statements  *statements
	flying      *flight       // the batch that is being recorded
	busy        atomic.Bool   // the last batch was of many
	overtaken   bool          // another process has written since the batch before, or that one failed
	committed   ledger.Seq    // the next entry's number, as this process left it
	lastBatch   int           // commands of the last batch of those who ask one by one
	asking      int           // how many of those there were lately
	known       *known        // what the last batch left behind; the writer's alone
	moves       moves         // what was posted and is not rolled up
	bulkTurns   int           // turns of those that came at once since somebody came alone
	singlesLast bool          // the last turn was of those who ask one by one
	queue       chan *pending // those who ask one by one
	bulk        chan *pending // those of a batch
	rulesMu     sync.RWMutex
	ruleSets    []*policy.Rules // by effective-from, oldest first
	appendMu    sync.Mutex      // one checkpoint at a time in this process
	snapshots   chan struct{}   // one takes its connections at a time
	asked       bool            // the witnesses were asked since this process began
}

// Open checks the database and opens the book on it. It starts nothing: Run does.
func Open(ctx context.Context, cfg Config) (*Book, error) {
	if cfg.Zone == nil || cfg.Origin == "" {
		return nil, errors.New("a book needs its time zone and its origin")
	}
	b := &Book{cfg: cfg, keys: cfg.Keys, queue: make(chan *pending, queueMax), bulk: make(chan *pending, queueMax), snapshots: make(chan struct{}, 1)}
	var err error
	if b.db, err = connect(ctx, cfg.Service, readersMax); err != nil {
		return nil, err
	}
	// What is asked of the past is some tens of look-ups. A planner that has not counted a young table yet would
	// rather read all of it.
	byIndex := []string{"enable_seqscan=off", "enable_bitmapscan=off", "enable_hashjoin=off", "enable_mergejoin=off", "jit=off"}
	if b.lookups, err = connect(ctx, cfg.Service, lookupsMax, byIndex...); err != nil {
		return nil, errors.Join(err, b.db.Close())
	}
	if b.lists, err = connect(ctx, cfg.Service, listsMax, byIndex...); err != nil {
		return nil, errors.Join(err, b.db.Close(), b.lookups.Close())
	}
	if b.writer, err = connectBy(ctx, &promptDialer{busy: &b.busy}, cfg.Service, writersMax, append(lookupsOnly, afterTheLock)...); err != nil {
		return nil, errors.Join(err, b.db.Close(), b.lookups.Close(), b.lists.Close())
	}
	b.statements, b.ofLookups = newStatements(b.writer), newStatements(b.lookups)
	if err := errors.Join(b.checkServer(ctx)); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	if err := b.loadRules(ctx, b.db); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func connect(ctx context.Context, dsn string, most int, parameters ...string) (*sqlx.DB, error) {
	return connectBy(ctx, nil, dsn, most, parameters...)
}

// connectBy connects by a dialer of our own; without one by the driver's.
func connectBy(ctx context.Context, dialer pq.Dialer, dsn string, most int, parameters ...string) (*sqlx.DB, error) {
	// binary_parameters saves a round trip a query.
	connector, err := pq.NewConnector(withParameters(dsn, append(parameters, "binary_parameters=yes")...))
	if err != nil {
		return nil, fmt.Errorf("connecting to the book: %w", err)
	}
	if dialer != nil {
		connector.Dialer(dialer)
	}
	db := sqlx.NewDb(sql.OpenDB(connector), "postgres")
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connecting to the book: %w", err), db.Close())
	}
	return db, nil
}

// Close lets go of the database. Run must have ended.
func (b *Book) Close() error {
	return errors.Join(letGo(b.db), letGo(b.lookups), letGo(b.lists), letGo(b.writer))
}

// letGo closes connections; that one which nobody used was lost meanwhile is no error.
func letGo(db *sqlx.DB) error {
	err := db.Close()
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return nil
	}
	return err
}

// Run takes the book's turns, publishes checkpoints and rolls up what is past until ctx ends. Writes wait until it runs. Before
// the first it proves that the database continues what was signed: on another one nothing is written.
func (b *Book) Run(ctx context.Context) error {
	if err := b.Publish(ctx); errors.Is(err, ErrNoQuorum) {
		slog.Error("publishing a checkpoint", "error", err) // tried again every second
	} else if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return b.takeTurns(ctx) })
	g.Go(func() error { return b.publishCheckpoints(ctx) })
	g.Go(func() error { return b.rollUp(ctx) })
	return g.Wait()
}

// Now gives the database's clock, the only one by which deadlines are told.
func (b *Book) Now(ctx context.Context) (now time.Time, err error) {
	err = b.db.GetContext(ctx, &now, `SELECT clock_timestamp()`)
	return now.UTC(), err
}

// today gives the civil date of an instant at the book's place.
func (b *Book) today(now time.Time) ledger.Date { return ledger.DateOf(now.In(b.cfg.Zone)) }

// Origin gives the origin line of the book's checkpoints.
func (b *Book) Origin() string { return b.cfg.Origin }

// Zone gives the book's time zone.
func (b *Book) Zone() *time.Location { return b.cfg.Zone }

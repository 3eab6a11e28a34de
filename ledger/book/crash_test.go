package book_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/ledger/localpg"
	"timebank/policy"
)

// write is one request of the load, and what was answered.
type write struct {
	ask func(*booktest.Book) (book.Receipt, error)
	seq ledger.Seq
	ok  bool // acknowledged before the crash
}

// load collects the writes of all callers, and tells when enough of them were acknowledged.
type load struct {
	mu     sync.Mutex
	writes []write
	acked  atomic.Int64
	enough chan struct{}
}

// ackedMin is how many writes are acknowledged before PostgreSQL is killed.
const ackedMin = 1500

func (l *load) note(ask func(*booktest.Book) (book.Receipt, error), r book.Receipt, err error) {
	l.mu.Lock()
	l.writes = append(l.writes, write{ask, r.Seq, err == nil})
	l.mu.Unlock()
	if err == nil && l.acked.Add(1) == ackedMin {
		close(l.enough)
	}
}

// PostgreSQL, careful with its disk, is killed with all its processes while single claims, batches of 500
// and redemptions are being written. What was acknowledged is there once; what was not has one effect when
// it is asked again, and every key answers with its one entry for ever.
func TestAcknowledgedWritesSurviveAKillAtFullSpeed(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "timebank-crash-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	pg := startDurable(t, dir)
	if err := book.Migrate(t.Context(), pg.URL(localpg.OwnerRole, localpg.Database)); err != nil {
		t.Fatal(err)
	}
	keys, err := book.LoadKeys(filepath.Join(dir, "secrets"), booktest.Origin)
	if err != nil {
		t.Fatal(err)
	}
	cfg := book.Config{Service: pg.URL(localpg.ServiceRole, localpg.Database), Zone: booktest.Zone, Origin: booktest.Origin, Keys: keys}
	opened, err := book.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- opened.Run(ctx) }()
	b := &booktest.Book{Book: opened}
	if err := b.EnsureRules(t.Context(), policy.Shipped()); err != nil {
		t.Fatal(err)
	}
	l := &load{enough: make(chan struct{})}
	callers := startLoad(t, b, l)
	before := logSize(t, b)
	callers.begin()
	<-l.enough
	killPostgres(t, pg)
	callers.wg.Wait()
	cancel()
	t.Logf("the book that lost its server ended: %v, %v", <-ended, opened.Close())
	if err := pg.Stop(context.Background()); err == nil {
		t.Error("Stop() of a killed server = nil, want that it ended by itself")
	}

	pg = startDurable(t, dir)
	t.Cleanup(func() {
		if err := pg.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	cfg.Service = pg.URL(localpg.ServiceRole, localpg.Database)
	again := &booktest.Book{Config: cfg}
	again.Restart(t)
	defer again.Stop(t)
	l.check(t, again)
	if have, want := logSize(t, again)-before, int64(len(l.writes)); have != want {
		t.Errorf("%d entries for %d keys", have, want)
	}
	again.CheckBook(t)
}

// check asks again under every key, twice.
func (l *load) check(t *testing.T, b *booktest.Book) {
	t.Helper()
	seqs := make([]ledger.Seq, len(l.writes))
	lost := 0
	for round := range 2 {
		var wg sync.WaitGroup
		for part := range 32 {
			wg.Go(func() {
				for i := part; i < len(l.writes); i += 32 {
					w := l.writes[i]
					r, err := w.ask(b)
					switch {
					case err != nil:
						t.Errorf("asking again: %v", err)
					case w.ok && (r.Seq != w.seq || !r.Replayed):
						t.Errorf("acknowledged as entry %d, now %d (replayed: %t)", w.seq, r.Seq, r.Replayed)
					case round == 1 && (r.Seq != seqs[i] || !r.Replayed):
						t.Errorf("entry %d, then %d (replayed: %t) under one key", seqs[i], r.Seq, r.Replayed)
					}
					seqs[i] = r.Seq
				}
			})
		}
		wg.Wait()
	}
	one := map[ledger.Seq]bool{}
	for i, w := range l.writes {
		one[seqs[i]] = true
		if !w.ok {
			lost++
		}
	}
	if len(one) != len(l.writes) {
		t.Errorf("%d keys lead to %d entries", len(l.writes), len(one))
	}
	t.Logf("%d writes, %d of them not acknowledged", len(l.writes), lost)
	if lost == 0 {
		t.Error("nothing was in flight: the test says nothing")
	}
}

func logSize(t *testing.T, b *booktest.Book) int64 {
	t.Helper()
	n, err := b.LogSize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func startDurable(t *testing.T, dir string) *localpg.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pg, err := localpg.Start(ctx, localpg.Config{Dir: filepath.Join(dir, "pg"), Fsync: true})
	if err != nil {
		t.Fatal(err)
	}
	return pg
}

// killPostgres kills the postmaster first, which then can start or end nobody, and then its processes.
func killPostgres(t *testing.T, pg *localpg.Server) {
	t.Helper()
	db, err := sqlx.Open("postgres", pg.URL(localpg.Superuser, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var file string
	if err := db.Get(&file, `SELECT pg_read_file('postmaster.pid')`); err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(file, "\n")
	postmaster, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	if err := db.Select(&pids, `SELECT pid FROM pg_stat_activity`); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(postmaster, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended with its postmaster
	}
	<-pg.Done()
}

type loadCallers struct {
	wg   sync.WaitGroup
	runs []func()
}

func (c *loadCallers) begin() {
	for _, run := range c.runs {
		c.wg.Go(run)
	}
}

// startLoad registers who takes part; each caller then writes until it is not answered.
func startLoad(t *testing.T, b *booktest.Book, l *load) *loadCallers {
	t.Helper()
	c := &loadCallers{}
	org := b.Organization(t)
	start := booktest.Date(t, "2026-03-01")
	for n := range 8 {
		helper := b.Volunteer(t, "1960-05-01")
		c.runs = append(c.runs, func() {
			for i := 0; ; i++ {
				request := claimOn(t, b, helper, start-ledger.Date(i), fmt.Sprintf("single %d %d", n, i))
				ask := func(b *booktest.Book) (book.Receipt, error) { return postOne(b, org, request) }
				r, err := ask(b)
				if l.note(ask, r, err); err != nil {
					return
				}
			}
		})
	}
	for n := range 2 {
		var helpers []string
		for range 25 {
			helpers = append(helpers, b.Volunteer(t, "1960-05-01"))
		}
		c.runs = append(c.runs, func() { importUntilKilled(t, b, l, org, helpers, n) })
	}
	for n := range 2 {
		elder, _, partner, _ := saved(t, b, 480)
		c.runs = append(c.runs, func() { redeemUntilKilled(b, l, elder, partner, n) })
	}
	return c
}

func claimOn(t *testing.T, b *booktest.Book, helper string, on ledger.Date, key string) book.HoursRequest {
	return book.HoursRequest{Key: b.NamedKey(key), Claim: booktest.Served(t, helper, on.String(), 60)}
}

func postOne(b *booktest.Book, org ledger.Actor, r book.HoursRequest) (book.Receipt, error) {
	result := b.PostHours(context.Background(), org, []book.HoursRequest{r})[0]
	return result.Receipt, result.Err
}

func importUntilKilled(t *testing.T, b *booktest.Book, l *load, org ledger.Actor, helpers []string, n int) {
	start := booktest.Date(t, "2026-03-01")
	for row, failed := 0, false; !failed; {
		requests := make([]book.HoursRequest, 500)
		for i := range requests {
			requests[i] = claimOn(t, b, helpers[row%len(helpers)], start-ledger.Date(row/len(helpers)), fmt.Sprintf("import %d %d", n, row))
			row++
		}
		for i, r := range b.PostHours(context.Background(), org, requests) {
			l.note(func(b *booktest.Book) (book.Receipt, error) { return postOne(b, org, requests[i]) }, r.Receipt, r.Err)
			failed = failed || r.Err != nil
		}
	}
}

func redeemUntilKilled(b *booktest.Book, l *load, elder string, partner ledger.Actor, n int) {
	for i := range 400 { // the credit of the elder
		hold := func(b *booktest.Book) (book.Receipt, error) {
			return b.Hold(context.Background(), partner, b.NamedKey(fmt.Sprintf("hold %d %d", n, i)),
				book.Redemption{Volunteer: elder, Service: "CLEAN-HOME", Minutes: 1})
		}
		held, err := hold(b)
		if l.note(hold, held, err); err != nil {
			return
		}
		confirm := func(b *booktest.Book) (book.Receipt, error) {
			return b.Confirm(context.Background(), partner, b.NamedKey(fmt.Sprintf("confirm %d %d", n, i)), held.ID, 1)
		}
		confirmed, err := confirm(b)
		if l.note(confirm, confirmed, err); err != nil {
			return
		}
	}
}

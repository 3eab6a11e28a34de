package main

import (
	"context"
	"errors"
	"time"
)

// benchLine is one thing that is measured.
type benchLine struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Load    loadKind `json:"-"`
	Clients int      `json:"clients"`
	Beside  loadKind `json:"beside,omitempty"` // what others do meanwhile
}

// besideClients is how many clients make the load beside which a line is measured.
const besideClients = 8

var benchLines = []benchLine{
	{"claims-1", "single claims, 1 client", loadClaims, 1, ""},
	{"claims-8", "single claims, 8 clients", loadClaims, 8, ""},
	{"claims-64", "single claims, 64 clients", loadClaims, 64, ""},
	{"claims-256", "single claims, 256 clients", loadClaims, 256, ""},
	{"batches-500", "batches of 500, claims", loadBatches, 4, ""},
	{"import", "files of 5,000 rows by the import command, rows", loadImport, 2, ""},
	{"pairs-spread", "hold + confirm on 200 accounts, pairs", loadPairsSpread, 64, ""},
	{"pairs-hot", "hold + confirm on one account, pairs", loadPairsHot, 2, ""},
	{"pair-alone", "hold + confirm, nobody else", loadPairsSpread, 1, ""},
	{"pair-import", "hold + confirm while files are imported", loadPairsSpread, 1, loadImport},
	{"balance", "balance now", loadBalance, 1, ""},
	{"as-of", "balance as of a day", loadAsOf, 1, ""},
	{"statement", "statement of 50 days", loadStatement, 1, ""},
	{"list", "list of 50 entries", loadList, 1, ""},
	{"proof", "inclusion proof", loadProof, 1, ""},
	{"balance-posting", "balance now, while posting", loadBalance, 1, loadClaims},
	{"as-of-posting", "balance as of a day, while posting", loadAsOf, 1, loadClaims},
	{"statement-posting", "statement of 50 days, while posting", loadStatement, 1, loadClaims},
	{"list-posting", "list of 50 entries, while posting", loadList, 1, loadClaims},
	{"proof-posting", "inclusion proof, while posting", loadProof, 1, loadClaims},
}

// benchRow is a line with what was measured.
type benchRow struct {
	benchLine
	Runs       []loadAnswer `json:"runs"`
	Median     loadAnswer   `json:"median"`                      // each figure's own median
	Percent    int64        `json:"percent_of_pgbench"`          // of the rates: the median of the runs' ratios
	P99Percent int64        `json:"p99_percent_of_pgbench_mean"` // of the mean time of a transaction: the median of the runs' ratios
}

// beside gives a row's rate against that of another line, or on another book, in percent: the median of the rounds, in each of which both
// were measured.
func (r benchRow) beside(other benchRow) int64 {
	return r.each(func(round int) int64 { return percent(r.Runs[round].PerSecond, other.Runs[round].PerSecond) })
}

func percent(n, of int64) int64 { return 100 * n / max(1, of) }

// each gives the median of a figure of each round.
func (r benchRow) each(figure func(round int) int64) int64 {
	all := make([]int64, len(r.Runs))
	for round := range r.Runs {
		all[round] = figure(round)
	}
	return median(all)
}

// conclude gives the medians, and the ratios to pgbench on the same book.
func (r *benchRow) conclude(pgbench benchRow) {
	of := func(figure func(a loadAnswer) int64) int64 {
		return r.each(func(round int) int64 { return figure(r.Runs[round]) })
	}
	r.Median = loadAnswer{Done: of(func(a loadAnswer) int64 { return a.Done }), PerSecond: of(func(a loadAnswer) int64 { return a.PerSecond }),
		P50: of(func(a loadAnswer) int64 { return a.P50 }), P99: of(func(a loadAnswer) int64 { return a.P99 }),
		P999: of(func(a loadAnswer) int64 { return a.P999 })}
	r.Percent = r.beside(pgbench)
	r.P99Percent = r.each(func(round int) int64 {
		return percent(r.Runs[round].P99, meanMicros(pgbench.Clients, pgbench.Runs[round].PerSecond))
	})
}

// meanMicros is for how long each of some clients waits, in the mean, where they do so much a second.
func meanMicros(clients int, perSecond int64) int64 {
	return int64(clients) * 1_000_000 / max(1, perSecond)
}

// measure runs the line's load for so long; what is beside it begins a little earlier and ends a little later.
func (l benchLine) measure(ctx context.Context, bank *benchBank, long time.Duration) (loadAnswer, error) {
	if l.Beside == "" {
		return bank.load(ctx, l.Load, l.Clients, long)
	}
	clients := besideClients
	if l.Beside == loadImport {
		clients = 2
	}
	beside := make(chan error, 1)
	go func() {
		_, err := bank.load(ctx, l.Beside, clients, long+2*besideMargin)
		beside <- err
	}()
	select {
	case err := <-beside:
		return loadAnswer{}, errors.Join(errors.New("the load beside it ended early"), err)
	case <-time.After(besideMargin):
	}
	a, err := bank.load(ctx, l.Load, l.Clients, long)
	return a, errors.Join(err, <-beside)
}

const besideMargin = 500 * time.Millisecond

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"timebank/ledger"
)

// loadPlan is what the load generator's process is told.
type loadPlan struct {
	Host       string            `json:"host"`
	Load       loadKind          `json:"load"`
	Tokens     map[string]string `json:"tokens"` // by role
	Volunteers []string          `json:"volunteers"`
	Savers     []string          `json:"savers"` // volunteers with credit, who let the partner hold it
	Accounts   []string          `json:"accounts"`
	Entries    int64             `json:"entries"`
	Clients    int               `json:"clients"`
	Millis     int               `json:"millis"`
	First      int               `json:"first"` // number of the first write: those of different runs differ
}

// loadAnswer is what the load generator measured. Times are in microseconds.
type loadAnswer struct {
	Done      int64 `json:"done"`
	PerSecond int64 `json:"per_second"`
	P50       int64 `json:"p50_us"`
	P99       int64 `json:"p99_us"`
	P999      int64 `json:"p999_us"`
	Next      int   `json:"next"` // number of the first write that was not made
}

func benchLoadCommand() *cobra.Command {
	return &cobra.Command{
		Use: "load PLAN", Short: "The benchmark's load generator", Hidden: true, Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			var plan loadPlan
			if err := json.Unmarshal(text, &plan); err != nil {
				return err
			}
			do, ok := loads[plan.Load]
			if !ok {
				return fmt.Errorf("no load is named %q", plan.Load)
			}
			// What it takes of the machine is in every figure. Its work is a sixth of what a processor does, and the threads of Go that
			// look for more on the others take as much again; but the import command runs as it does for everybody.
			if plan.Load != loadImport {
				debug.SetGCPercent(serverGCPercent)
				runtime.GOMAXPROCS(1)
			}
			l := &loader{loadPlan: plan, do: do, dir: filepath.Dir(args[0])}
			answer, err := l.run(cmd.Context())
			if err != nil {
				return err
			}
			return printJSON(cmd.OutOrStdout(), answer)
		},
	}
}

// loader lets as many clients as the plan says do the same over and over, each waiting for its answer.
type loader struct {
	loadPlan
	do   func(l *loader, w *wire, n int) (done int64, err error)
	dir  string
	next atomic.Int64
}

type loadTally struct {
	done  int64
	times []time.Duration
	err   error
}

func (l *loader) run(ctx context.Context) (loadAnswer, error) {
	l.next.Store(int64(l.First))
	wires, err := l.dial()
	if err != nil {
		return loadAnswer{}, err
	}
	tallies := make([]loadTally, l.Clients)
	begun := clock()
	var wg sync.WaitGroup
	for i, w := range wires {
		wg.Go(func() { tallies[i] = l.client(ctx, w, begun) })
	}
	wg.Wait()
	took := since(begun)
	var times []time.Duration
	var done int64
	var errs []error
	for _, t := range tallies {
		times, done, errs = append(times, t.times...), done+t.done, append(errs, t.err)
	}
	if err := errors.Join(errs...); err != nil {
		return loadAnswer{}, fmt.Errorf("after %d: %w", done, err)
	}
	a := summary(times)
	a.Done, a.PerSecond, a.Next = done, done*int64(time.Second)/int64(max(took, 1)), l.numberOf(int(l.next.Load()))
	return a, nil
}

// dial connects all clients before the clock begins to run, as pgbench does.
func (l *loader) dial() ([]*wire, error) {
	wires := make([]*wire, 0, l.Clients)
	for range l.Clients {
		w, err := dialWire(l.Host, clock().Add(l.long()))
		if err != nil {
			for _, w := range wires {
				err = errors.Join(err, w.close())
			}
			return nil, err
		}
		wires = append(wires, w)
	}
	return wires, nil
}

// long is for how long requests are sent.
func (l *loader) long() time.Duration { return time.Duration(l.Millis) * time.Millisecond }

// client does it until the time is over.
func (l *loader) client(ctx context.Context, w *wire, begun time.Time) (t loadTally) {
	defer func() { t.err = errors.Join(t.err, w.close()) }()
	for since(begun) < l.long() && ctx.Err() == nil {
		n, sent := int(l.next.Add(1)-1), clock()
		done, err := l.do(l, w, n)
		if err != nil {
			t.err = err
			return t
		}
		t.times, t.done = append(t.times, since(sent)), t.done+done
	}
	return t
}

func summary(times []time.Duration) loadAnswer {
	slices.Sort(times)
	at := func(num, den int) int64 {
		if len(times) == 0 {
			return 0
		}
		return times[min(len(times)-1, len(times)*num/den)].Microseconds()
	}
	return loadAnswer{P50: at(50, 100), P99: at(99, 100), P999: at(999, 1000)}
}

// benchDay is 1 January 2024. The n-th claim is of a volunteer's next day before it, so that no two are of
// one day: with a thousand volunteers there are days enough for millions.
const benchDay ledger.Date = 19723

// appendClaim appends the n-th claim as JSON. Nothing in it needs escaping.
func (l *loader) appendClaim(b []byte, n int, key string) []byte {
	b = append(b, '{')
	if key != "" {
		b = append(append(append(b, `"idempotency_key":"`...), key...), `",`...)
	}
	b = append(append(b, `"volunteer_id":"`...), l.Volunteers[n%len(l.Volunteers)]...)
	b = append(append(b, `","activity":"Bench","service":"TALK","served_on":"`...), (benchDay - ledger.Date(n/len(l.Volunteers))).String()...)
	return append(b, `","start":"09:00","end":"10:30","minutes":90,`+
		`"evidence":{"sheet":"bench","recorder":"a","approver":"b","second_approver":"c"}}`...)
}

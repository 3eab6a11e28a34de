package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"timebank/ledger"
)

// loadAnswer is what the load generator measured. Times are in microseconds.
type loadAnswer struct {
	Posted    int64 `json:"posted"`
	Failed    int64 `json:"failed"`
	PerSecond int64 `json:"per_second"`
	P50       int64 `json:"p50_us"`
	P99       int64 `json:"p99_us"`
	P999      int64 `json:"p999_us"`
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
			answer, err := plan.run(cmd.Context())
			if err != nil {
				return err
			}
			return printJSON(cmd.OutOrStdout(), answer)
		},
	}
}

// run posts claims from as many clients as the plan says, each waiting for its answer, for as long as the
// plan says.
func (p loadPlan) run(ctx context.Context) (loadAnswer, error) {
	shared := newCaller(p.Server, "").as(p.Client, p.Secret)
	if err := shared.renew(ctx, clock()); err != nil {
		return loadAnswer{}, err
	}
	var next, failed atomic.Int64
	next.Store(int64(p.First))
	times := make([][]time.Duration, p.Clients)
	var firstError atomic.Pointer[error]
	begun := clock()
	var wg sync.WaitGroup
	for i := range p.Clients {
		wg.Go(func() {
			c := *shared
			for since(begun) < time.Duration(p.Seconds)*time.Second && ctx.Err() == nil {
				n := next.Add(1)
				sent := clock()
				if err := c.post(ctx, "/v1/hours", fmt.Sprintf("bench-%d", n), p.claim(int(n)), nil); err != nil {
					failed.Add(1)
					firstError.CompareAndSwap(nil, &err)
					continue
				}
				times[i] = append(times[i], since(sent))
			}
		})
	}
	wg.Wait()
	if err := firstError.Load(); err != nil {
		return loadAnswer{}, fmt.Errorf("%d claims failed, the first: %w", failed.Load(), *err)
	}
	return summary(slices.Concat(times...), since(begun)), nil
}

func summary(times []time.Duration, took time.Duration) loadAnswer {
	slices.Sort(times)
	at := func(num, den int) int64 {
		if len(times) == 0 {
			return 0
		}
		return times[min(len(times)-1, len(times)*num/den)].Microseconds()
	}
	return loadAnswer{Posted: int64(len(times)), PerSecond: int64(len(times)) * int64(time.Second) / int64(max(took, 1)),
		P50: at(50, 100), P99: at(99, 100), P999: at(999, 1000)}
}

// claim gives the n-th claim: a volunteer's next day, so that no two claims are of one day.
func (p loadPlan) claim(n int) map[string]any {
	day := benchDay - ledger.Date(n/len(p.Volunteers))
	return map[string]any{"volunteer_id": p.Volunteers[n%len(p.Volunteers)], "activity": "Bench", "service": "TALK",
		"served_on": day.String(), "start": "09:00", "end": "10:30", "minutes": 90,
		"evidence": map[string]any{"sheet": "bench", "recorder": "a", "approver": "b", "second_approver": "c"}}
}

// benchDay is 1 January 2024: with a thousand volunteers there are days enough for millions of claims.
const benchDay ledger.Date = 19723

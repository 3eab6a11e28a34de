package book_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
)

// besideMax bounds the entries recorded between the asking and the recording of a hold: a full turn that was
// under way, one more, and those of the others who ask one by one.
const besideMax = 600

// Several partners hold credit one by one while three imports of a thousand rows wait: none of the holds waits
// for an import, by the order of the entries.
func TestManyHoldsBesideManyImportsWaitForTurnsOnly(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	type redeemer struct {
		elder   string
		partner ledger.Actor
	}
	var redeemers []redeemer
	var org ledger.Actor
	for range 4 {
		elder, o, partner, _ := saved(t, b, 480)
		redeemers, org = append(redeemers, redeemer{elder, partner}), o
	}
	var running, beside atomic.Int64
	var imports, holds sync.WaitGroup
	for n := range 3 {
		requests := claimsOf(t, b, book.ItemsMax, fmt.Sprintf("import %d", n))
		running.Add(1)
		imports.Go(func() {
			defer running.Add(-1)
			for i, r := range b.PostHours(t.Context(), org, requests) {
				if r.Err != nil {
					t.Errorf("row %d of import %d: %v", i, n, r.Err)
				}
			}
		})
	}
	for n, who := range redeemers {
		holds.Go(func() {
			for range 15 {
				before, err := b.LogSize(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				held, err := b.Hold(t.Context(), who.partner, b.Key(), book.Redemption{Volunteer: who.elder, Service: "CLEAN-HOME", Minutes: 1})
				if err != nil {
					t.Errorf("redeemer %d: %v", n, err)
					return
				}
				if running.Load() > 0 {
					beside.Add(1)
				}
				if waited := int64(held.Seq) - before; waited > besideMax {
					t.Errorf("redeemer %d: %d entries were recorded before a hold that was asked meanwhile", n, waited)
				}
				if _, err := b.Confirm(t.Context(), who.partner, b.Key(), held.ID, 1); err != nil {
					t.Errorf("redeemer %d: %v", n, err)
					return
				}
			}
		})
	}
	holds.Wait()
	imports.Wait()
	if beside.Load() < int64(len(redeemers)) {
		t.Fatalf("only %d holds were asked while rows were imported: the test says nothing", beside.Load())
	}
	b.CheckBook(t)
}

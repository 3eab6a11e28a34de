package book_test

import (
	"fmt"
	"sync"
	"testing"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
)

// Somebody who asks alone waits for a turn of those that came at once, not for all of them: by the order of
// the entries, whatever the machine's speed.
func TestAHoldWaitsForATurnNotForAnImport(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	elder, org, partner, _ := saved(t, b, 600)
	var helpers []string
	for range 40 {
		helpers = append(helpers, b.Volunteer(t, "1990-01-01"))
	}
	var imports sync.WaitGroup
	done := make([]bool, 4)
	var mu sync.Mutex
	for n := range done {
		imports.Go(func() {
			requests := make([]book.HoursRequest, book.ItemsMax)
			for i := range requests {
				day := booktest.Date(t, "2026-01-01") - ledger.Date(n*len(requests)+i)
				requests[i] = book.HoursRequest{Key: book.Key{Text: fmt.Sprintf("import %d %d", n, i)}, Claim: booktest.Served(t, helpers[i%len(helpers)], day.String(), 60)}
			}
			for i, r := range b.PostHours(t.Context(), org, requests) {
				if r.Err != nil {
					t.Errorf("row %d of import %d: %v", i, n, r.Err)
				}
			}
			mu.Lock()
			done[n] = true
			mu.Unlock()
		})
	}
	// The holds are asked one after the other; between two of them few rows may be recorded.
	var last ledger.Seq
	longest, beside := ledger.Seq(0), 0
	for range 20 {
		held, err := b.Hold(t.Context(), partner, b.Key(), book.Redemption{Volunteer: elder, Service: "CLEAN-HOME", Minutes: 1})
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		running := !done[0] || !done[1] || !done[2] || !done[3]
		mu.Unlock()
		if last > 0 && running {
			longest, beside = max(longest, held.Seq-last), beside+1
		}
		confirmed, err := b.Confirm(t.Context(), partner, b.Key(), held.ID, 1)
		if err != nil {
			t.Fatal(err)
		}
		last = confirmed.Seq
	}
	imports.Wait()
	if beside < 3 {
		t.Fatalf("only %d holds were asked while rows were imported: the test says nothing", beside)
	}
	if longest > 300 {
		t.Errorf("%d rows were recorded before a hold that was asked meanwhile", longest)
	}
	b.CheckBook(t)
}

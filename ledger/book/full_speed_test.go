package book_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/ledger/localpg"
)

// The same keys come at once from many callers to two server processes, alone and in batches in any order:
// each is one entry, which every answer names; another request under a key is told so.
func TestOneEffectAKeyHoweverOftenItIsAskedAtOnce(t *testing.T) {
	t.Parallel()
	t.Logf("seed %d: give it back with -seed", *seed)
	books := []*booktest.Book{booktest.New(t)}
	books = append(books, booktest.Open(t, books[0].Database, nil))
	org := books[0].Organization(t)
	requests := claimsOf(t, books[0], 100, "often")
	before := logSize(t, books[0])
	var mu sync.Mutex
	answers := make([]map[ledger.Seq]int, len(requests))
	fresh := make([]int, len(requests))
	note := func(i int, r book.HoursResult) {
		mu.Lock()
		defer mu.Unlock()
		if r.Err != nil {
			t.Errorf("key %d: %v", i, r.Err)
			return
		}
		if answers[i] == nil {
			answers[i] = map[ledger.Seq]int{}
		}
		answers[i][r.Receipt.Seq]++
		if !r.Receipt.Replayed {
			fresh[i]++
		}
	}
	var wg sync.WaitGroup
	for n := range 12 {
		b, order := books[n%2], rand.New(rand.NewPCG(*seed, uint64(n))).Perm(len(requests))
		wg.Go(func() {
			if n < 6 {
				for _, i := range order {
					note(i, b.PostHours(t.Context(), org, requests[i:i+1])[0])
				}
				return
			}
			batch := make([]book.HoursRequest, 0, 2*len(order))
			for _, i := range order {
				batch = append(batch, requests[i], requests[i])
			}
			for j, r := range b.PostHours(t.Context(), org, batch) {
				note(order[j/2], r)
			}
		})
	}
	wg.Wait()
	for i, a := range answers {
		if len(a) != 1 || fresh[i] != 1 {
			t.Errorf("key %d was answered with entries %v, %d times as new; want one entry, once", i, a, fresh[i])
		}
	}
	if grown := logSize(t, books[0]) - before; grown != int64(len(requests)) {
		t.Errorf("%d entries for %d keys", grown, len(requests))
	}
	other := append([]book.HoursRequest(nil), requests...)
	for i := range other {
		other[i].Key.Request = ledger.Hash{1}
	}
	for _, b := range books {
		for i, r := range b.PostHours(t.Context(), org, other) {
			if !errors.Is(r.Err, ledger.ErrConflict) {
				t.Errorf("another request under key %d = %v, want KeyReused", i, r.Err)
			}
		}
	}
	books[0].CheckBook(t)
}

// claimsOf gives claims that may all be recorded, of ten volunteers.
func claimsOf(t *testing.T, b *booktest.Book, n int, name string) []book.HoursRequest {
	t.Helper()
	var helpers []string
	for range 10 {
		helpers = append(helpers, b.Volunteer(t, "1960-05-01"))
	}
	requests := make([]book.HoursRequest, n)
	for i := range requests {
		requests[i] = claimOn(t, b, helpers[i%10], booktest.Date(t, "2026-03-01")-ledger.Date(i/10), fmt.Sprintf("%s %d", name, i))
	}
	return requests
}

// Whoever waits for each answer finds the entries in the order of the asking, at one server process or at
// two; the numbers have no gap, and the recorded time never goes back.
func TestEntriesAreInTheOrderOfTheAnswers(t *testing.T) {
	t.Parallel()
	books := []*booktest.Book{booktest.New(t)}
	books = append(books, booktest.Open(t, books[0].Database, nil))
	org := books[0].Organization(t)
	var wg sync.WaitGroup
	for n := range 10 {
		requests := claimsOf(t, books[0], 40, fmt.Sprintf("caller %d", n))
		wg.Go(func() {
			last := ledger.Seq(-1)
			for i := range requests {
				r := books[(n+i)%2].PostHours(t.Context(), org, requests[i:i+1])[0]
				if r.Err != nil || r.Receipt.Seq <= last {
					t.Errorf("caller %d: entry %d after %d, %v", n, r.Receipt.Seq, last, r.Err)
					return
				}
				last = r.Receipt.Seq
			}
		})
	}
	wg.Wait()
	var wrong int
	if err := books[0].Reader(t).Get(&wrong, `SELECT count(*) FROM (SELECT seq, recorded, row_number() OVER (ORDER BY seq) - 1 AS place,
		lag(recorded) OVER (ORDER BY seq) AS before FROM entry) e WHERE seq <> place OR recorded < before`); err != nil {
		t.Fatal(err)
	}
	if wrong > 0 {
		t.Errorf("%d entries leave a gap or go back in time", wrong)
	}
	books[0].CheckBook(t)
}

// In a batch of 500, claims that are refused, malformed, repeated or that the database will not take have each
// the outcome they have alone, and all others are recorded. The database is made to fail by a trigger.
func TestEachClaimOfABatchHasItsOwnOutcome(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	org := b.Organization(t)
	requests := claimsOf(t, b, 500, "mixed")
	broken := b.Volunteer(t, "1960-05-01")
	const none, fails = "", "fails"
	want := make([]string, len(requests))
	for i := range requests {
		switch c := &requests[i].Claim; {
		case i == 250:
			c.Volunteer, want[i] = broken, fails
		case i%50 == 7: // the shift of another key
			*c, want[i] = requests[i-1].Claim, "shift_repeated"
		case i%50 == 17:
			c.Minutes, want[i] = 0, "minutes_out_of_range"
		case i%50 == 27:
			requests[i] = requests[i-1] // the key again
		case i%50 == 37:
			c.Volunteer, want[i] = "01920f3e-1c5a-7c3b-9a51-2f6d8e4b7a10", "volunteer_unknown"
		case i%50 == 47:
			requests[i] = requests[i-1]
			requests[i].Key.Request, want[i] = ledger.Hash{1}, "error: "+(&book.KeyReused{}).Error()
		}
	}
	if err := b.As(localpg.Superuser, `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''broken''; END';
		CREATE TRIGGER fail BEFORE INSERT ON claim FOR EACH ROW WHEN (NEW.volunteer = '`+broken+`') EXECUTE FUNCTION fail()`); err != nil {
		t.Fatal(err)
	}
	results := b.PostHours(t.Context(), org, requests)
	for i, r := range results {
		if want[i] == fails {
			if r.Err == nil || errors.Is(r.Err, ledger.ErrRefused) {
				t.Errorf("the broken claim = %v, want an error that is no refusal", r.Err)
			}
			continue
		}
		if have := booktest.RefusalCode(r.Err); have != want[i] {
			t.Errorf("claim %d = %q, want %q", i, have, want[i])
		}
		if again := i%50 == 27; want[i] == none && r.Receipt.Replayed != again || again && r.Receipt.Seq != results[i-1].Receipt.Seq {
			t.Errorf("claim %d: entry %d, replayed: %t", i, r.Receipt.Seq, r.Receipt.Replayed)
		}
	}
	if err := b.As(localpg.Superuser, `DROP TRIGGER fail ON claim; DROP FUNCTION fail()`); err != nil {
		t.Fatal(err)
	}
	for i, r := range b.PostHours(t.Context(), org, requests) {
		switch {
		case want[i] == fails && (r.Err != nil || r.Receipt.Replayed):
			t.Errorf("the claim, no longer broken = %v, replayed: %t", r.Err, r.Receipt.Replayed)
		case want[i] != fails && booktest.RefusalCode(r.Err) != want[i]:
			t.Errorf("claim %d asked again = %v, want %q", i, r.Err, want[i])
		case want[i] == none && (!r.Receipt.Replayed || r.Receipt.Seq != results[i].Receipt.Seq):
			t.Errorf("claim %d asked again: entry %d, want %d", i, r.Receipt.Seq, results[i].Receipt.Seq)
		}
	}
	b.CheckBook(t)
}

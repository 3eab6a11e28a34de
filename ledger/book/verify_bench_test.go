package book_test

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
)

// city is what a benchmark of verify puts into a book.
type city struct {
	volunteers, claims int
	hot                int // holds, each with its confirmation, on one account
	pairs              int // on the accounts of others
}

// fillCity posts the claims in batches, day after day, as a sheet is imported, and then redeems.
func fillCity(b *testing.B, k *booktest.Book, c city) {
	b.Helper()
	org, partner := k.Organization(b), k.Partner(b)
	ids := make([]string, c.volunteers)
	inParallel(b, c.volunteers, func(i int) error {
		r, err := k.RegisterVolunteer(b.Context(), booktest.Operator, k.Key(), book.Volunteer{Name: "陈桂兰", Born: booktest.Date(b, "1950-01-01")})
		ids[i] = r.ID
		return err
	})
	first, claims := booktest.Date(b, "2022-01-01"), make([]book.HoursRequest, c.claims)
	for i := range claims {
		claim := booktest.At(b, booktest.Served(b, ids[i%len(ids)], "2022-01-01", 90), "09:00", "10:30")
		claim.ServedOn = first + ledger.Date(i/len(ids))
		claims[i] = book.HoursRequest{Key: k.Key(), Claim: claim}
	}
	for part := range slices.Chunk(claims, 500) {
		for i, r := range k.PostHours(b.Context(), org, part) {
			if r.Err != nil {
				b.Fatalf("claim %d: %v", i, r.Err)
			}
		}
	}
	redeemers := min(50, c.volunteers)
	for _, id := range ids[:redeemers] {
		k.Consent(b, id, partner, 1_000_000)
	}
	for range c.hot {
		redeem(b, k, partner, ids[0])
	}
	inParallel(b, redeemers-1, func(i int) error {
		for range c.pairs / (redeemers - 1) {
			redeem(b, k, partner, ids[1+i])
		}
		return nil
	})
	if _, err := k.RollUp(b.Context()); err != nil {
		b.Fatal(err)
	}
}

func redeem(b *testing.B, k *booktest.Book, partner ledger.Actor, id string) {
	held, err := k.Hold(b.Context(), partner, k.Key(), book.Redemption{Volunteer: id, Service: "TALK", Minutes: 1})
	if err == nil {
		_, err = k.Confirm(b.Context(), partner, k.Key(), held.ID, 1)
	}
	if err != nil {
		b.Error(err)
	}
}

func inParallel(b *testing.B, n int, do func(i int) error) {
	b.Helper()
	var g errgroup.Group
	g.SetLimit(64)
	for i := range n {
		g.Go(func() error { return do(i) })
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
}

// Verify of a whole book, of two sizes, so that one sees that it takes no longer an entry as a book grows: claims by
// 2,000 volunteers, and pairs of a hold and its confirmation of which a part is on one account. Beside entries
// a second it tells the processor's time of this process an entry, which a busy machine disturbs less, and the memory that
// was alive at its end.
func BenchmarkVerify(b *testing.B) {
	for _, c := range []city{{2000, 10_000, 400, 600}, {2000, 60_000, 1000, 2000}} {
		b.Run(fmt.Sprintf("claims=%d", c.claims), func(b *testing.B) {
			k := booktest.New(b)
			fillCity(b, k, c)
			k.Tamper(b, "ANALYZE")
			k.Stop(b)
			opened, err := book.Open(b.Context(), k.Config)
			if err != nil {
				b.Fatal(err)
			}
			defer opened.Close()
			measureVerify(b, opened)
		})
	}
}

func measureVerify(b *testing.B, k *book.Book) {
	b.Helper()
	var entries int64
	var alive runtime.MemStats
	before := processorTime(b)
	for b.Loop() {
		v, err := k.Verify(b.Context(), func(done, of int64) {
			if done == of {
				runtime.ReadMemStats(&alive)
			}
		})
		if err != nil || len(v.Findings) > 0 {
			b.Fatal(err, v.Findings)
		}
		entries += v.Entries
	}
	b.Logf("%d entries, %d a second, %d ns of this process's processor time each, %d MiB alive", entries/int64(b.N),
		entries*int64(time.Second)/int64(b.Elapsed()), int64(processorTime(b)-before)/entries, alive.HeapAlloc>>20)
}

// processorTime is what this process has used; PostgreSQL's is not in it.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

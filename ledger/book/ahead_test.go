package book_test

import (
	"slices"
	"testing"
	"time"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/ledger/localpg"
)

// A claim that is decided while another is being recorded sees what that one does.
func TestWhatIsDecidedAheadSeesWhatIsBeingRecorded(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	org := b.Organization(t)
	elder := b.Volunteer(t, "1950-05-01")
	b.MustPost(t, org, booktest.Served(t, elder, "2026-02-01", 30)) // the statements are prepared from now on
	first := func(on, key string) book.HoursRequest {
		r := claimOn(t, b, elder, booktest.Date(t, on), key)
		r.Claim.Reference = "reference of " + on
		return r
	}
	for _, test := range []struct {
		name   string
		on     string
		second func(r book.HoursRequest) book.HoursRequest
		code   string
		replay bool
	}{
		{name: "the same request again", on: "2026-03-01", replay: true,
			second: func(r book.HoursRequest) book.HoursRequest { return r }},
		{name: "the same shift under another key", on: "2026-03-02", code: "shift_repeated",
			second: func(r book.HoursRequest) book.HoursRequest {
				r.Key, r.Claim.Reference = b.Key(), ""
				return r
			}},
		{name: "another shift under the same reference", on: "2026-03-03", code: "reference_repeated",
			second: func(r book.HoursRequest) book.HoursRequest {
				r.Key, r.Claim.Minutes = b.Key(), 30
				return r
			}},
		{name: "another shift of the same day", on: "2026-03-04", // its caps count the first, which verification counts again
			second: func(r book.HoursRequest) book.HoursRequest {
				r.Key, r.Claim.Reference, r.Claim.Minutes = b.Key(), "", 600
				return r
			}},
	} {
		begun := dbNow(t, b)
		s := stall(t, b, org, first(test.on, test.name))
		answer := ask(b, org, test.second(first(test.on, test.name)))
		s.await(t, lookedUp)
		s.let()
		one, two := <-s.result, <-answer
		if one.Err != nil || one.Receipt.Replayed {
			t.Fatalf("%s: the first = %+v", test.name, one)
		}
		if now := dbNow(t, b); two.Err == nil && (two.Receipt.Recorded.Before(begun) || two.Receipt.Recorded.After(now)) {
			t.Errorf("%s: recorded at %s, by a database whose clock went from %s to %s", test.name, two.Receipt.Recorded, begun, now)
		}
		if code := booktest.RefusalCode(two.Err); code != test.code || two.Receipt.Replayed != test.replay {
			t.Errorf("%s: %v, replayed %t; want %q, %t", test.name, two.Err, two.Receipt.Replayed, test.code, test.replay)
		}
		if test.replay && two.Receipt.Seq != one.Receipt.Seq {
			t.Errorf("%s: entry %d, then %d", test.name, one.Receipt.Seq, two.Receipt.Seq)
		}
	}
	b.CheckBook(t)
}

// When another process writes between the two, what was decided ahead is decided again.
func TestWhatIsDecidedAheadAndOvertakenIsDecidedAgain(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	other := booktest.Open(t, b.Database, nil)
	org := b.Organization(t)
	one, two := b.Volunteer(t, "1950-05-01"), b.Volunteer(t, "1951-05-01")
	b.MustPost(t, org, booktest.Served(t, two, "2026-03-01", 30)) // the statements are prepared from now on
	day := booktest.Date(t, "2026-03-02")
	s := stall(t, b, org, claimOn(t, b, one, day, "the first"))
	ahead := ask(b, org, claimOn(t, b, two, day, "decided ahead"))
	s.await(t, lookedUp)
	between := ask(other, org, claimOn(t, b, two, day, "of the other process"))
	s.await(t, waitsATurn)
	s.let()
	if r := <-s.result; r.Err != nil {
		t.Fatal(r.Err)
	}
	if r := <-between; r.Err != nil {
		t.Fatalf("the other process's = %v, want that it came first", r.Err)
	}
	if r := <-ahead; booktest.RefusalCode(r.Err) != "shift_repeated" {
		t.Errorf("what was decided ahead = %+v, want shift_repeated", r)
	}
	b.CheckBook(t)
}

// When what is being recorded fails, what was decided after it is decided as if that had never been asked.
func TestWhatIsDecidedAheadOfAFailureIsDecidedAgain(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	org := b.Organization(t)
	elder := b.Volunteer(t, "1950-05-01")
	b.MustPost(t, org, booktest.Served(t, elder, "2026-03-01", 30)) // the statements are prepared from now on
	day := booktest.Date(t, "2026-03-02")
	first := claimOn(t, b, elder, day, "the first")
	s := stall(t, b, org, first)
	ahead := ask(b, org, claimOn(t, b, elder, day, "decided ahead"))
	s.await(t, lookedUp)
	s.cancel(t)
	if r := <-s.result; r.Err == nil {
		t.Fatal("the first was recorded by a statement that was cancelled")
	}
	r := <-ahead
	if r.Err != nil {
		t.Fatalf("the same shift, after the first had failed = %v", r.Err)
	}
	if _, err := postOne(b, org, first); booktest.RefusalCode(err) != "shift_repeated" {
		t.Errorf("the first again = %v, want shift_repeated", err)
	}
	if v := b.BalancesOf(t, elder); v.Served != 90 {
		t.Errorf("served = %d minutes, want 30 and 60", v.Served)
	}
	b.CheckBook(t)
}

// Of two holds for which the credit is enough once, decided by two processes at the same time, one is recorded; whatever
// isolation is the database's default.
func TestAHoldThatIsOvertakenIsDecidedAgain(t *testing.T) {
	t.Parallel()
	founded := booktest.New(t)
	elder, org, partner, _ := saved(t, founded, 60)
	if err := founded.As(localpg.Superuser, `ALTER DATABASE `+founded.Database+` SET default_transaction_isolation = 'repeatable read'`); err != nil {
		t.Fatal(err)
	}
	b, other := booktest.Open(t, founded.Database, nil), booktest.Open(t, founded.Database, nil)
	for day := range 3 { // what it leaves is known from then on, and that nobody else writes
		if _, err := postOne(b, org, claimOn(t, b, b.Volunteer(t, "1960-05-01"), booktest.Date(t, "2026-03-01")-ledger.Date(day), b.Key().Text)); err != nil {
			t.Fatal(err)
		}
	}
	s := stall(t, other, org, claimOn(t, b, b.Volunteer(t, "1960-05-01"), booktest.Date(t, "2026-03-01"), "in between"))
	hold := func(b *booktest.Book) <-chan error {
		done := make(chan error, 1)
		key := b.Key()
		go func() {
			_, err := b.Hold(t.Context(), partner, key, book.Redemption{Volunteer: elder, Service: "CLEAN-HOME", Minutes: 50})
			done <- err
		}()
		return done
	}
	between := hold(other)
	ahead := hold(b)
	s.await(t, waitsAhead)
	s.let()
	if r := <-s.result; r.Err != nil {
		t.Fatal(r.Err)
	}
	errs := []error{<-between, <-ahead}
	if errs[0] == nil {
		slices.Reverse(errs)
	}
	if booktest.RefusalCode(errs[0]) != "credit_insufficient" || errs[1] != nil {
		t.Errorf("two holds = %v, want one refused as credit_insufficient", errs)
	}
	b.CheckBook(t)
}

func dbNow(t *testing.T, b *booktest.Book) time.Time {
	t.Helper()
	now, err := b.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return now
}

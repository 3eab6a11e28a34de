package book_test

import (
	"testing"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/ledger/localpg"
)

// Somebody ends the server's connections while it works: what was under way is told as unavailable, or is
// done; the next writes go through on new connections, and nothing is recorded twice.
func TestWriterSurvivesLostConnections(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	org := b.Organization(t)
	elder := b.Volunteer(t, "1950-05-01")
	request := book.HoursRequest{Key: b.NamedKey("during an outage"), Claim: booktest.Served(t, elder, "2026-03-05", 60)}
	for range 3 {
		if err := b.As(localpg.Superuser, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND usename = 'timebank_service'`); err != nil {
			t.Fatal(err)
		}
		r := b.PostHours(t.Context(), org, []book.HoursRequest{request})[0]
		if r.Err != nil && !book.Unavailable(r.Err) {
			t.Fatalf("PostHours = %v, want it done or unavailable", r.Err)
		}
	}
	r := b.PostHours(t.Context(), org, []book.HoursRequest{request})[0]
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	if v := b.BalancesOf(t, elder); v.Served != 60 {
		t.Errorf("served = %d, want 60 once", v.Served)
	}
	b.CheckBook(t)
}

// A connection that is cut off while it records loses nothing but the batch of a transaction: what takes its turn in one
// statement is sent once more, and the writer goes on.
func TestWriterSurvivesAConnectionLostWhileItRecords(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	org := b.Organization(t)
	elder := b.Volunteer(t, "1950-05-01")
	b.MustPost(t, org, booktest.Served(t, elder, "2026-03-04", 30)) // what it left is known from now on
	day := booktest.Date(t, "2026-03-05")
	for i, test := range []struct {
		name string
		b    *booktest.Book
		lost bool
	}{
		{"decided ahead", b, false},
		{"the first of its process, decided under the lock", booktest.Open(t, b.Database, nil), true},
	} {
		request := claimOn(t, b, elder, day+ledger.Date(i), test.name)
		s := stall(t, test.b, org, request)
		s.cutOff(t)
		if r := <-s.result; book.Unavailable(r.Err) != test.lost || !test.lost && r.Err != nil {
			t.Errorf("%s, and cut off = %v, want that the book is unavailable: %t", test.name, r.Err, test.lost)
		}
		if r, err := postOne(test.b, org, request); err != nil || r.Replayed == test.lost {
			t.Errorf("%s, asked again = entry %d (replayed: %t), %v, want it recorded once", test.name, r.Seq, r.Replayed, err)
		}
	}
	if v := b.BalancesOf(t, elder); v.Served != 150 {
		t.Errorf("served = %d, want 30, 60 and 60", v.Served)
	}
	b.CheckBook(t)
}

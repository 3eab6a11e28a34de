package book_test

import (
	"testing"

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

// A connection that is cut off while it records fails what it recorded, and nothing else: the writer goes on.
func TestWriterSurvivesAConnectionLostWhileItRecords(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	org := b.Organization(t)
	elder := b.Volunteer(t, "1950-05-01")
	b.MustPost(t, org, booktest.Served(t, elder, "2026-03-04", 30)) // its statement is prepared from now on
	request := claimOn(t, b, elder, booktest.Date(t, "2026-03-05"), "cut off")
	s := stall(t, b, org, request)
	s.cutOff(t)
	if r := <-s.result; !book.Unavailable(r.Err) {
		t.Errorf("what was cut off = %v, want that the book is unavailable", r.Err)
	}
	if r, err := postOne(b, org, request); err != nil || r.Replayed {
		t.Errorf("asking again = entry %d (replayed: %t), %v, want it recorded now", r.Seq, r.Replayed, err)
	}
	if v := b.BalancesOf(t, elder); v.Served != 90 {
		t.Errorf("served = %d, want 30 and 60", v.Served)
	}
	b.CheckBook(t)
}

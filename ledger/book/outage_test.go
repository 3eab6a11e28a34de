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

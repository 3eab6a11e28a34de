package book_test

import (
	"testing"

	"timebank/ledger/book/booktest"
)

// Another process may sign a longer log while this one looks what was signed: that is no database that was set back.
func TestAnotherProcessSignsWhileThisOneLooks(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	org := b.Organization(t)
	elder := b.Volunteer(t, "1950-01-01")
	if err := b.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := b.Reader(t)
	tx, err := other.Beginx()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.Exec(`LOCK TABLE checkpoint IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	published := make(chan error, 1)
	go func() { published <- b.Publish(t.Context()) }()
	await(t, other, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FROM checkpoint%'`)
	posted := b.MustPost(t, org, booktest.Served(t, elder, "2026-03-01", 60))
	size := int64(posted.Seq) + 1
	signed, err := b.Sign(t.Context(), size)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(`INSERT INTO checkpoint (size, note) VALUES ($1, $2)`, size, string(signed)); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-published; err != nil {
		t.Errorf("publishing: %v", err)
	}
	b.CheckBook(t)
}

package book_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
)

// An operator or auditor with credentials who looks at a person leaves an entry; what cannot be recorded is not
// answered; whoever looks at themselves leaves none.
func TestReadingAPersonIsRecorded(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	id := b.Volunteer(t, "1950-01-01")
	auditor, operator := b.Actor(t, ledger.RoleAuditor, ""), b.Actor(t, ledger.RoleOperator, "")
	reads := func() int {
		t.Helper()
		found, err := b.Entries(t.Context(), booktest.Auditor, book.EntryFilter{Kind: ledger.KindRead, After: -1, Limit: 500})
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	look := func() error {
		_, err := b.Balances(t.Context(), auditor, id, book.AsOf{})
		return err
	}
	if err := look(); err != nil || reads() != 1 {
		t.Fatalf("%d reads are recorded after one: %v", reads(), err)
	}
	if _, err := b.Volunteers(t.Context(), operator, book.ListFilter{AfterSeq: -1, Limit: 10}); err != nil || reads() != 2 {
		t.Fatalf("%d reads are recorded after two: %v", reads(), err)
	}
	if _, err := b.Balances(t.Context(), ledger.Actor{Role: ledger.RoleVolunteer, Subject: id, Client: auditor.Client}, id, book.AsOf{}); err != nil || reads() != 2 {
		t.Errorf("%d reads are recorded after she looked herself: %v", reads(), err)
	}
	b.CheckBook(t)
	b.Stop(t)
	still, err := book.Open(t.Context(), b.Config) // a book whose writer does not come to it
	if err != nil {
		t.Fatal(err)
	}
	defer still.Close()
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := still.Balances(short, auditor, id, book.AsOf{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while the book was busy: %v, want that the reader waits and is answered nothing", err)
	}
	b.Restart(t)
	b.Tamper(t, `ALTER TABLE entry ADD CONSTRAINT no_reads CHECK (kind <> 'read') NOT VALID`)
	if err := look(); err == nil {
		t.Error("what could not be recorded was answered")
	}
}

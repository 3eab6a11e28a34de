package book_test

import (
	"testing"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
)

// What one process remembers is forgotten when another wrote: balances, choices of rules, the log's edge.
func TestAnotherProcessWritesInBetween(t *testing.T) {
	t.Parallel()
	one := booktest.New(t)
	elder, org, partner, _ := saved(t, one, 300)
	two := booktest.Open(t, one.Database, nil)
	hold := func(b *booktest.Book, m ledger.Minutes) error {
		_, err := b.Hold(t.Context(), partner, b.Key(), book.Redemption{Volunteer: elder, Service: "CLEAN-HOME", Minutes: m})
		return err
	}
	if err := hold(one, 100); err != nil { // one knows the balance now: 200
		t.Fatal(err)
	}
	if err := hold(two, 150); err != nil { // and two makes it 50
		t.Fatal(err)
	}
	if err := hold(one, 100); booktest.RefusalCode(err) != "credit_insufficient" {
		t.Errorf("Hold(100 of 50) = %v, want credit_insufficient", err)
	}
	two.MustPost(t, org, booktest.Served(t, elder, "2026-03-06", 60))
	if err := hold(one, 110); err != nil {
		t.Errorf("Hold(110 of 110) = %v", err)
	}
	if v := two.BalancesOf(t, elder); v.Care != 0 || v.CareHeld != 360 {
		t.Errorf("at the end: %+v, want everything held", v)
	}
	one.CheckBook(t)
}

// A guardian's consent counts from the next command on, however well the writer knew the person.
func TestWhatIsKnownFollowsTheBook(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	org := b.Organization(t)
	guardian := b.Volunteer(t, "1980-01-01")
	child := b.Register(t, book.Volunteer{Name: "Child", Born: booktest.Date(t, "2016-05-01"), Guardian: guardian})
	if _, err := b.Post(t, org, booktest.Served(t, child, "2026-03-05", 60)); booktest.RefusalCode(err) == "" {
		t.Fatalf("a child's hours without the guardian's consent = %v, want a refusal", err)
	}
	if _, err := b.GiveWardConsent(t.Context(), b.Actor(t, ledger.RoleVolunteer, guardian), b.Key(),
		book.WardConsent{Ward: child, Since: booktest.Date(t, "2026-03-01"), Until: booktest.Date(t, "2099-01-01")}); err != nil {
		t.Fatal(err)
	}
	b.MustPost(t, org, booktest.Served(t, child, "2026-03-06", 60))
	b.CheckBook(t)
}

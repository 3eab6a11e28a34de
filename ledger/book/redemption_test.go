package book_test

import (
	"errors"
	"sync"
	"testing"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
)

// saved gives an elder with care credit, and a partner who may hold all of it.
func saved(t *testing.T, b *booktest.Book, credit ledger.Minutes) (elder string, org, partner ledger.Actor, posted book.Receipt) {
	t.Helper()
	org, partner = b.Organization(t), b.Partner(t)
	elder = b.Volunteer(t, "1950-05-01")
	posted = b.MustPost(t, org, booktest.Served(t, elder, "2026-03-05", credit))
	b.Consent(t, elder, partner, 10_000)
	return elder, org, partner, posted
}

func (b redemptions) hold(m ledger.Minutes) (book.Receipt, error) {
	b.t.Helper()
	return b.Hold(b.t.Context(), b.partner, b.Key(), book.Redemption{Volunteer: b.elder, Service: "CLEAN-HOME", Minutes: m})
}

type redemptions struct {
	*booktest.Book
	t       *testing.T
	elder   string
	partner ledger.Actor
}

func TestRedemption(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	elder, _, partner, _ := saved(t, b, 300)
	r := redemptions{b, t, elder, partner}

	held, err := r.hold(120)
	if err != nil {
		t.Fatal(err)
	}
	if v := b.BalancesOf(t, elder); v.Care != 180 || v.CareHeld != 120 {
		t.Errorf("after the hold: %+v", v)
	}
	if _, err := r.hold(181); booktest.RefusalCode(err) != "credit_insufficient" {
		t.Errorf("Hold(181 of 180) = %v, want credit_insufficient", err)
	}
	if _, err := b.Confirm(t.Context(), partner, b.Key(), held.ID, 121); booktest.RefusalCode(err) != "more_than_held" {
		t.Errorf("Confirm(121 of 120) = %v, want more_than_held", err)
	}
	if _, err := b.Confirm(t.Context(), partner, b.Key(), held.ID, 90); err != nil {
		t.Fatal(err)
	}
	if v := b.BalancesOf(t, elder); v.Care != 210 || v.CareHeld != 0 {
		t.Errorf("after confirming 90: %+v", v)
	}
	if _, err := b.Cancel(t.Context(), partner, b.Key(), held.ID, "volunteer_asked"); booktest.RefusalCode(err) != "hold_settled" {
		t.Errorf("Cancel after Confirm = %v, want hold_settled", err)
	}
	if _, err := b.Cancel(t.Context(), b.Partner(t), b.Key(), held.ID, "volunteer_asked"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("Cancel by another partner = %v, want ErrNotFound", err)
	}
	second, err := r.hold(210)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Cancel(t.Context(), partner, b.Key(), second.ID, "volunteer_asked"); err != nil {
		t.Fatal(err)
	}
	states, err := b.Redemptions(t.Context(), partner, book.RedemptionFilter{After: -1, Limit: 10})
	if err != nil || len(states) != 2 || states[0].Status != book.StatusConfirmed || states[0].Given != 90 || states[1].Status != book.StatusCancelled {
		t.Errorf("Redemptions = %+v, %v", states, err)
	}
	b.CheckBook(t)
}

func TestRedemptionIsRefused(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	org, partner := b.Organization(t), b.Partner(t)
	adult, elder := b.Volunteer(t, "1990-05-01"), b.Volunteer(t, "1950-05-01")
	for _, v := range []string{adult, elder} {
		b.MustPost(t, org, booktest.Served(t, v, "2026-03-05", 300))
	}
	b.Consent(t, adult, partner, 100)
	for _, x := range []struct{ name, volunteer, want string }{
		{"before the age of 60", adult, "not_redeemable"},
		{"without consent", elder, "consent_missing"},
		{"of somebody unknown, in the same words", "01920f3e-1c5a-7c3b-9a51-2f6d8e4b7a10", "consent_missing"},
	} {
		if _, err := (redemptions{b, t, x.volunteer, partner}).hold(60); booktest.RefusalCode(err) != x.want {
			t.Errorf("a hold %s = %v, want %s", x.name, err, x.want)
		}
	}
	b.Consent(t, elder, partner, 100)
	r := redemptions{b, t, elder, partner}
	if _, err := r.hold(60); err != nil {
		t.Fatal(err)
	}
	if _, err := r.hold(41); booktest.RefusalCode(err) != "consent_exhausted" {
		t.Errorf("Hold(41) of a consent of 100 with 60 held = %v, want consent_exhausted", err)
	}
	b.CheckBook(t)
}

// A hold of a second ends by itself: nothing sweeps, and yet the credit is there when it is asked for.
func TestHoldEndsByItself(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	elder, _, partner, _ := saved(t, b, 300)
	r := redemptions{b, t, elder, partner}
	held, err := r.hold(300)
	if err != nil {
		t.Fatal(err)
	}
	// The hold's time is brought forward, not waited for; a server that begins then knows no other.
	b.Tamper(t, `UPDATE hold SET ends_at = clock_timestamp() - interval '1 second'`)
	b = booktest.Open(t, b.Database, nil)
	r.Book = b
	if v := b.BalancesOf(t, elder); v.Care != 300 || v.CareHeld != 0 || v.CareAvailable != 300 {
		t.Errorf("balances after the hold ended = %+v, want all 300 available", v)
	}
	if s, err := b.Redemption(t.Context(), partner, held.ID); err != nil || s.Status != book.StatusExpired {
		t.Errorf("Redemption = %+v, %v, want expired", s, err)
	}
	if _, err := b.Confirm(t.Context(), partner, b.Key(), held.ID, 60); booktest.RefusalCode(err) != "hold_expired" {
		t.Errorf("Confirm = %v, want hold_expired", err)
	}
	if again, err := r.hold(300); err != nil || again.Kind != ledger.KindHold {
		t.Errorf("holding the credit again = %+v, %v", again, err)
	}
}

// Two server processes on one database: of holds that together ask for more than there is, exactly as
// many succeed as the credit allows.
func TestNoDoubleSpend(t *testing.T) {
	t.Parallel()
	b := openHanded(t)
	second := booktest.Open(t, b.Database, nil)
	elder, _, partner, _ := saved(t, b, 300)
	var wg sync.WaitGroup
	results := make(chan error, 20)
	for i := range 20 {
		at := []*booktest.Book{b, second}[i%2]
		wg.Go(func() {
			_, err := at.Hold(t.Context(), partner, at.Key(), book.Redemption{Volunteer: elder, Service: "TALK", Minutes: 70})
			results <- err
		})
	}
	wg.Wait()
	close(results)
	held := 0
	for err := range results {
		switch {
		case err == nil:
			held++
		case booktest.RefusalCode(err) != "credit_insufficient":
			t.Errorf("Hold = %v, want credit_insufficient", err)
		}
	}
	if held != 4 {
		t.Errorf("%d holds of 70 minutes on 300 succeeded, want 4", held)
	}
	b.CheckBook(t)
}

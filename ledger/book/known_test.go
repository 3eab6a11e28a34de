package book_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
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

// What is remembered of redemptions, what is open, what was given, what a consent has left, is what a process that
// has just forgotten it reads. Two processes take turns in a seeded order, so that each forgets again and again, beside
// one that does all by itself and forgets nothing; every answer must be the same. The day does not change meanwhile.
func TestWhatIsRememberedOfRedemptionsIsWhatIsRead(t *testing.T) {
	t.Parallel()
	alone, one := booktest.New(t), booktest.New(t)
	two := booktest.Open(t, one.Database, nil)
	type side struct {
		elder   string
		partner ledger.Actor
		held    []string
	}
	sides := map[*booktest.Book]*side{}
	for _, b := range []*booktest.Book{alone, one} {
		elder, _, partner, _ := saved(t, b, 1200)
		sides[b] = &side{elder: elder, partner: partner}
	}
	sides[two] = sides[one]
	random := rand.New(rand.NewPCG(5, 26))
	codes := map[string]bool{}
	for step := range 120 {
		act, minutes, pick := random.IntN(5), ledger.Minutes(1+random.IntN(90)), random.IntN(1000)
		do := func(b *booktest.Book) string {
			s := sides[b]
			var r book.Receipt
			var err error
			switch {
			case act < 2 || len(s.held) == 0:
				if r, err = b.Hold(t.Context(), s.partner, b.Key(), book.Redemption{Volunteer: s.elder, Service: "CLEAN-HOME", Minutes: minutes}); err == nil {
					s.held = append(s.held, r.ID)
				}
			case act == 2:
				r, err = b.Cancel(t.Context(), s.partner, b.Key(), s.held[pick%len(s.held)], "volunteer_absent")
			case act == 3 && pick%4 == 0:
				_, err = b.GiveConsent(t.Context(), b.Actor(t, ledger.RoleVolunteer, s.elder), b.Key(),
					book.Consent{Volunteer: s.elder, Partner: s.partner.Subject, MinutesMax: 200 + minutes, Until: booktest.Date(t, "2099-12-31")})
			default:
				r, err = b.Confirm(t.Context(), s.partner, b.Key(), s.held[pick%len(s.held)], minutes)
			}
			has := b.BalancesOf(t, s.elder)
			return fmt.Sprint(booktest.RefusalCode(err), " ", r.Kind, " ", has.Care, " ", has.CareHeld)
		}
		writer := one
		if random.IntN(2) == 0 {
			writer = two
		}
		want := do(alone)
		codes[strings.Fields(want)[0]] = true
		if got := do(writer); got != want {
			t.Fatalf("step %d: two in turn answered %s, one alone %s", step, got, want)
		}
	}
	if len(codes) < 6 {
		t.Errorf("only %v came about: nothing much was compared", codes)
	}
	alone.CheckBook(t)
	one.CheckBook(t)
}

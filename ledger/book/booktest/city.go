package booktest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"timebank/ledger"
	"timebank/ledger/book"
)

// Operator is the actor of registrations in tests.
var Operator = book.System

// Auditor is an actor who reads everything.
var Auditor = ledger.Actor{Role: ledger.RoleAuditor}

// Key gives a fresh idempotency key.
func (b *Book) Key() book.Key {
	return b.NamedKey(fmt.Sprintf("key %d of %p", b.serial.Add(1), b))
}

// NamedKey gives a key whose request is the name itself.
func (b *Book) NamedKey(name string) book.Key {
	return book.Key{Text: name, Request: sha256.Sum256([]byte(name))}
}

// Organization registers an organization and gives its actor.
func (b *Book) Organization(t testing.TB) ledger.Actor {
	t.Helper()
	r, err := b.RegisterOrganization(t.Context(), Operator, b.Key(), book.Organization{
		Name: "青桐街道社工站", Kind: "social_organization", Place: ledger.Place{District: "云泽区", Street: "青桐街道"}})
	if err != nil {
		t.Fatalf("registering an organization: %v", err)
	}
	return b.Actor(t, ledger.RoleOrganization, r.ID)
}

// Actor issues a client for a subject and gives it as an actor.
func (b *Book) Actor(t testing.TB, role ledger.Role, subject string) ledger.Actor {
	t.Helper()
	r, err := b.IssueClient(t.Context(), Operator, b.Key(), book.Client{Role: role, Subject: subject, Label: "test"})
	if err != nil {
		t.Fatalf("issuing a client: %v", err)
	}
	return ledger.Actor{Client: r.ID, Role: role, Subject: subject}
}

// Volunteer registers a volunteer born on a date and gives the id.
func (b *Book) Volunteer(t testing.TB, born string) string {
	t.Helper()
	return b.Register(t, book.Volunteer{Name: "陈桂兰", Born: Date(t, born)})
}

// Register registers a volunteer.
func (b *Book) Register(t testing.TB, v book.Volunteer) string {
	t.Helper()
	r, err := b.RegisterVolunteer(t.Context(), Operator, b.Key(), v)
	if err != nil {
		t.Fatalf("registering a volunteer: %v", err)
	}
	return r.ID
}

// Partner registers a partner and gives its actor.
func (b *Book) Partner(t testing.TB) ledger.Actor {
	t.Helper()
	r, err := b.RegisterPartner(t.Context(), Operator, b.Key(), book.Partner{Name: "云泽区居家养老服务中心"})
	if err != nil {
		t.Fatalf("registering a partner: %v", err)
	}
	return b.Actor(t, ledger.RolePartner, r.ID)
}

// Consent lets a partner hold a volunteer's credit.
func (b *Book) Consent(t testing.TB, volunteer string, partner ledger.Actor, most ledger.Minutes) {
	t.Helper()
	by := ledger.Actor{Role: ledger.RoleVolunteer, Subject: volunteer}
	_, err := b.GiveConsent(t.Context(), by, b.Key(), book.Consent{Volunteer: volunteer, Partner: partner.Subject, MinutesMax: most, Until: ledger.DateMax})
	if err != nil {
		t.Fatalf("giving consent: %v", err)
	}
}

// Served gives a claim of grade C for a volunteer. Tests name days long past, so it comes with all the
// approvals that rules ask for late posting and long days.
func Served(t testing.TB, volunteer, on string, minutes ledger.Minutes) ledger.Claim {
	t.Helper()
	return ledger.Claim{Volunteer: volunteer, Activity: "陪聊", Service: "TALK", ServedOn: Date(t, on), Minutes: minutes,
		Evidence: ledger.Evidence{Sheet: "2026-03 簿 4", Recorder: "w1", Approver: "w2",
			SecondApprover: "w3", Authority: "w4"}}
}

// At adds clock times to a claim.
func At(t testing.TB, c ledger.Claim, start, end string) ledger.Claim {
	t.Helper()
	from, err1 := ledger.ParseClock(start)
	to, err2 := ledger.ParseClock(end)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	c.Start, c.End = &from, &to
	return c
}

// Post posts one claim under a fresh key.
func (b *Book) Post(t testing.TB, by ledger.Actor, c ledger.Claim) (book.Receipt, error) {
	t.Helper()
	r := b.PostHours(t.Context(), by, []book.HoursRequest{{Key: b.Key(), Claim: c}})[0]
	return r.Receipt, r.Err
}

// MustPost posts one claim that must be recorded.
func (b *Book) MustPost(t testing.TB, by ledger.Actor, c ledger.Claim) book.Receipt {
	t.Helper()
	r, err := b.Post(t, by, c)
	if err != nil {
		t.Fatalf("posting %+v: %v", c, err)
	}
	return r
}

// BalancesOf reads a volunteer's balances as an auditor.
func (b *Book) BalancesOf(t testing.TB, volunteer string) book.VolunteerBalances {
	t.Helper()
	v, err := b.Book.Balances(t.Context(), Auditor, volunteer, book.AsOf{})
	if err != nil {
		t.Fatalf("reading balances: %v", err)
	}
	return v
}

// Date reads a date that is known to be one.
func Date(t testing.TB, s string) ledger.Date {
	t.Helper()
	d, err := ledger.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// RefusalCode gives the code of a refusal or of invalid input, "" for no error.
func RefusalCode(err error) string {
	var r *ledger.Refusal
	var i *ledger.Invalid
	switch {
	case errors.As(err, &r):
		return r.Code
	case errors.As(err, &i):
		return i.Code
	case err != nil:
		return "error: " + err.Error()
	}
	return ""
}

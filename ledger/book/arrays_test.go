package book_test

import (
	"strings"
	"testing"

	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
)

// What goes to PostgreSQL in binary comes back as it was: nothing, empty texts, quotes, braces and other scripts.
func TestRowsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	for _, name := range []string{`quote " and \ and 'single'`, "{NULL,null}", "陈桂兰", strings.Repeat("长", 60)} {
		id := b.Register(t, book.Volunteer{Name: name, Born: booktest.Date(t, "1950-05-01")})
		v, err := b.Book.Volunteer(t.Context(), book.System, id)
		if err != nil {
			t.Fatal(err)
		}
		if v.Name != name || v.Guardian != "" || v.ExternalID != "" {
			t.Errorf("%q came back as %+v", name, v)
		}
	}
	org, elder := b.Organization(t), b.Volunteer(t, "1950-05-01")
	for _, activity := range []string{`say "hi", {a,b} \x00`, "NULL", "慰问 🏥"} {
		claim := booktest.Served(t, elder, "2026-03-05", 60)
		claim.Activity = activity
		claim.Reference = "ref " + activity
		r := b.MustPost(t, org, claim)
		if !strings.Contains(string(r.Details), "recorder") {
			t.Errorf("the receipt of %q has no details: %s", activity, r.Details)
		}
		if _, err := b.Post(t, org, claim); booktest.RefusalCode(err) == "" {
			t.Errorf("%q was recorded twice: %v", activity, err)
		}
	}
	b.CheckBook(t)
}

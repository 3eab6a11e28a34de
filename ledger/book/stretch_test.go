package book_test

import (
	"slices"
	"strings"
	"testing"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/migrations"
)

// longAndShort are fresh databases: one as it is made, whose first stretch no test fills, and one in which an account's
// postings lie apart by stretches of eight entries, and claims by two days.
var longAndShort = map[string]func(testing.TB) string{
	"one stretch":    booktest.Database,
	"many stretches": shortStretches,
}

// shortStretches makes the indexes and functions of the migrations that know stretches anew, with their numbers changed.
func shortStretches(t testing.TB) string {
	t.Helper()
	files, err := migrations.Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	database := booktest.Database(t)
	short := strings.NewReplacer(">> 17", ">> 3", "<< 17", "<< 3", ">> 5", ">> 1", "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
	for _, f := range files {
		text, err := migrations.Files.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), ">> 17") {
			booktest.Tamper(t, database, short.Replace(string(text)))
		}
	}
	return database
}

// Whose entries these are is found however many stretches lie between, and a volunteer sees those of a ward.
func TestEntriesOfAVolunteerAreFoundInEveryStretch(t *testing.T) {
	t.Parallel()
	for name, database := range longAndShort {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := booktest.Open(t, database(t), handed())
			org, partner := b.Organization(t), b.Partner(t)
			first, other := b.Volunteer(t, "1950-01-01"), b.Volunteer(t, "1950-01-01")
			ward := b.Register(t, book.Volunteer{Name: "陈小满", Born: booktest.Date(t, "2012-01-01"), Guardian: first})
			var want []ledger.Seq
			for day := range 9 {
				on := booktest.Date(t, "2026-03-01") + ledger.Date(day*3)
				want = append(want, b.MustPost(t, org, booktest.Served(t, first, on.String(), 60)).Seq)
				for n := range 5 {
					b.MustPost(t, org, booktest.Served(t, other, on.String(), ledger.Minutes(30+n)))
				}
			}
			b.Consent(t, first, partner, 600)
			held, err := b.Hold(t.Context(), partner, b.Key(), book.Redemption{Volunteer: first, Service: "TALK", Minutes: 30})
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, held.Seq)
			seqs := func(by ledger.Actor, f book.EntryFilter) (found []ledger.Seq) {
				f.Limit = 500
				records, err := b.Entries(t.Context(), by, f)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range records {
					if r.Volunteer != first && r.Volunteer != ward {
						t.Errorf("entry %d is of %q", r.Seq, r.Volunteer)
					}
					if r.Kind == ledger.KindHours || r.Kind == ledger.KindHold {
						found = append(found, r.Seq)
					}
				}
				return found
			}
			if got := seqs(booktest.Auditor, book.EntryFilter{After: -1, Volunteer: first}); !slices.Equal(got, want) {
				t.Errorf("an auditor finds %v, want %v", got, want)
			}
			accounts := b.BalancesOf(t, first).Accounts
			served := slices.IndexFunc(accounts, func(a book.AccountBalance) bool { return a.Purpose == ledger.Served })
			between := book.EntryFilter{After: want[2], LogSize: int64(want[6]), Account: accounts[served].ID} // of nine claims
			if got := seqs(booktest.Auditor, between); !slices.Equal(got, want[3:6]) {
				t.Errorf("an auditor finds %v on the account, want %v", got, want[3:6])
			}
			wardSeq := b.MustPost(t, org, booktest.Served(t, ward, "2026-03-30", 45)).Seq
			if got := seqs(b.Actor(t, ledger.RoleVolunteer, first), book.EntryFilter{After: -1}); !slices.Equal(got, append(want, wardSeq)) {
				t.Errorf("the volunteer sees %v, want %v and the ward's %d", got, want, wardSeq)
			}
			b.Stop(t)
			b.Restart(t) // who starts anew looks for the last posting of each account, of which each stretch has some
			b.MustPost(t, org, booktest.Served(t, first, "2026-04-01", 60))
			b.CheckBook(t)
		})
	}
}

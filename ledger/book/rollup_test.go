package book_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/policy"
)

// longAccounts is a book in which an organization's and the bank's accounts have some thousands of postings, on
// days of five years in no order, rolled up but for the last.
func longAccounts(t *testing.T, entries int) (b *booktest.Book, volunteers []string) {
	t.Helper()
	b = booktest.New(t)
	return b, fillLong(t, entries, b)
}

func fillLong(t *testing.T, entries int, processes ...*booktest.Book) (volunteers []string) {
	t.Helper()
	volunteers = postLong(t, entries, processes...)
	rollUpAll(t, processes[0])
	return volunteers
}

// postLong lets processes of one database take turns, in no order, of a hundred claims each.
func postLong(t *testing.T, entries int, processes ...*booktest.Book) (volunteers []string) {
	t.Helper()
	b := processes[0]
	org := b.Organization(t)
	for range 4 {
		volunteers = append(volunteers, b.Volunteer(t, "1950-01-01"))
	}
	random := rand.New(rand.NewPCG(20, 26))
	var claims []book.HoursRequest
	for n := range entries {
		day := booktest.Date(t, "2021-01-01") + ledger.Date(random.IntN(1800))
		c := booktest.Served(t, volunteers[random.IntN(len(volunteers))], day.String(), ledger.Minutes(1+random.IntN(9)))
		c.Activity = fmt.Sprint("activity ", n)
		claims = append(claims, book.HoursRequest{Key: b.Key(), Claim: c})
	}
	for part := range slices.Chunk(claims, 100) {
		for i, r := range processes[random.IntN(len(processes))].PostHours(t.Context(), org, part) {
			if r.Err != nil {
				t.Fatalf("claim %d: %v", i, r.Err)
			}
		}
	}
	return volunteers
}

// rollUpAll rolls up until every full block of entries is. The book does so by itself too, and of two at once one
// passes.
func rollUpAll(t *testing.T, b *booktest.Book) {
	t.Helper()
	entries, err := b.LogSize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	db := b.Reader(t)
	defer db.Close() // so that the database can be copied
	for range 10_000 {
		if _, err := b.RollUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		var upto int64
		if err := db.Get(&upto, `SELECT coalesce(max(upto), 0) FROM rollup WHERE account = -1`); err != nil {
			t.Fatal(err)
		}
		if upto >= entries/1024*1024 {
			return
		}
	}
	t.Fatal("the blocks are not rolled up")
}

// Every balance of the past, on both axes, is the sum of the postings that were effective and known.
func TestBalancesOfThePastAreTheSumsOfTheirPostings(t *testing.T) {
	t.Parallel()
	for name, database := range longAndShort {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := booktest.Open(t, database(t), policy.Shipped())
			areTheSumsOfTheirPostings(t, b, fillLong(t, 3000, b))
		})
	}
}

func areTheSumsOfTheirPostings(t *testing.T, b *booktest.Book, volunteers []string) {
	t.Helper()
	auditor := ledger.Actor{Role: ledger.RoleAuditor}
	random := rand.New(rand.NewPCG(1, 2))
	db := b.Reader(t).Unsafe()
	var rolled int
	if err := db.Get(&rolled, `SELECT count(DISTINCT account) FROM rollup WHERE account > 0`); err != nil || rolled < 5 {
		t.Fatalf("%d accounts are rolled up: %v", rolled, err)
	}
	for try := range 60 {
		day, size := booktest.Date(t, "2020-12-30")+ledger.Date(random.IntN(1810)), int64(random.IntN(3010))
		at := book.AsOf{Effective: &day, LogSize: &size}
		switch try % 4 {
		case 1:
			at.Effective = nil
		case 2:
			at.LogSize = nil
		}
		const naive = `SELECT coalesce(sum(minutes), 0) AS balance, count(*) AS entries FROM posting
			WHERE account = $1 AND ($2::bigint IS NULL OR seq < $2) AND ($3::int IS NULL OR effective <= date '1970-01-01' + $3::int)`
		accounts, err := b.Accounts(context.Background(), auditor, book.AccountFilter{At: at, Limit: 500})
		if err != nil {
			t.Fatal(err)
		}
		lines := map[string]ledger.Minutes{}
		for _, a := range accounts {
			var want struct{ Balance, Entries int64 }
			if err := db.Get(&want, naive, int64(a.ID), at.LogSize, at.Effective); err != nil {
				t.Fatal(err)
			}
			if int64(a.Balance) != want.Balance || a.Entries != want.Entries {
				t.Errorf("%s of %s as of %v, log size %v: %d minutes in %d entries, want %d in %d", a.Purpose, a.Owner.Kind, at.Effective, at.LogSize,
					a.Balance, a.Entries, want.Balance, want.Entries)
			}
			lines[string(a.Owner.Kind)+string(a.Purpose)] += a.Balance
		}
		trial, err := b.TrialBalance(context.Background(), auditor, at)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range trial.Rows {
			if r.Balance != lines[string(r.OwnerKind)+string(r.Purpose)] {
				t.Errorf("trial balance, %s of %s: %d, the accounts come to %d", r.Purpose, r.OwnerKind, r.Balance, lines[string(r.OwnerKind)+string(r.Purpose)])
			}
		}
		for unit, sum := range trial.Sums {
			if sum != 0 && at.Effective == nil {
				t.Errorf("trial balance in %s: %d", unit, sum)
			}
		}
	}
	s, err := b.Statement(t.Context(), auditor, volunteers[0], ledger.Served,
		book.StatementRange{From: booktest.Date(t, "2022-03-01"), To: booktest.Date(t, "2023-02-28")})
	if err != nil {
		t.Fatal(err)
	}
	var lines int
	const inRange = `SELECT count(*) FROM posting p JOIN account a ON a.id = p.account
		WHERE a.owner = $1 AND a.purpose = 'served' AND p.effective BETWEEN '2022-03-01' AND '2023-02-28'`
	if err := db.Get(&lines, inRange, volunteers[0]); err != nil || len(s.Lines) != lines || lines < 100 {
		t.Errorf("a statement of %d lines, there are %d: %v", len(s.Lines), lines, err)
	}
}

// What a process rolls up may be posted by others, or by itself before it was started anew: of none is anything left out, or
// counted twice.
func TestWhatSeveralProcessesPostedIsRolledUp(t *testing.T) {
	t.Parallel()
	one := booktest.New(t)
	two := booktest.Open(t, one.Database, nil)
	fillLong(t, 2200, one, two)
	two.Stop(t)
	one.Stop(t)
	one.Restart(t)
	fillLong(t, 1500, one)
	one.CheckBook(t)
}

// What a process posted itself it knows until it is rolled up, and does not read it again; each line of the chart is marked then, also
// one that nothing moved on.
func TestWhatAProcessPostedIsRolledUpFromItsMemory(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	db := b.Reader(t)
	hold, err := db.Connx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hold.ExecContext(t.Context(), `SELECT pg_advisory_lock('rollup'::regclass::oid::bigint)`); err != nil {
		t.Fatal(err)
	}
	postLong(t, 2200, b) // a batch more than two blocks: of the last it is taken note after its callers are answered
	if known := b.KnownBlocks(); !slices.Equal(known, []int64{0, 1024}) {
		t.Errorf("known are the blocks from %v, want 0 and 1024", known)
	}
	if err := errors.Join(hold.Close(), db.Close()); err != nil { // and with them goes the lock
		t.Fatal(err)
	}
	rollUpAll(t, b)
	if known := b.KnownBlocks(); known != nil {
		t.Errorf("the blocks from %v are rolled up and known still", known)
	}
	var marks []int
	const query = `SELECT count(*) FROM rollup WHERE account < 0 AND level = 3 GROUP BY upto ORDER BY upto`
	if err := b.Reader(t).Select(&marks, query); err != nil || !slices.Equal(marks, []int{len(ledger.Chart), len(ledger.Chart)}) {
		t.Errorf("of %d lines of the chart %v are marked (%v)", len(ledger.Chart), marks, err)
	}
	b.CheckBook(t)
}

// What was rolled up follows from the postings, and whoever changes it is found.
func TestVerifyFindsAFalseRollup(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"more minutes":         `UPDATE rollup SET minutes = minutes + 60 WHERE level = 1 AND account > 0 AND upto = 1024`,
		"fewer entries":        `UPDATE rollup SET entries = entries - 1 WHERE level = 0 AND account = -3`,
		"one taken away":       `DELETE FROM rollup WHERE ctid = (SELECT min(ctid) FROM rollup WHERE level = 2)`,
		"one of no account":    `INSERT INTO rollup VALUES (77, 3, 0, 1024, 0, 0)`,
		"one of no line":       `INSERT INTO rollup VALUES (-99, 3, 0, 1024, 0, 0)`,
		"one of what is ahead": `INSERT INTO rollup SELECT account, level, period, 999999, minutes, entries FROM rollup WHERE account = -1 AND level = 3`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _ := longAccounts(t, 1100)
			b.Tamper(t, change)
			wantFinding(t, b, "a rollup of ")
		})
	}
}

// wantFinding fails the test unless verify finds what was done, in these words.
func wantFinding(t *testing.T, b *booktest.Book, words string) {
	t.Helper()
	v, err := b.Verify(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Findings) == 0 || !strings.Contains(v.Findings[0].String(), words) {
		t.Errorf("findings = %v, want the first to say %q", v.Findings, words)
	}
}

package book_test

import (
	"bytes"
	stdcmp "cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/ledger/localpg"
)

// shapes are sizes of pages, from one entry to more than the book has, and numbers of workers.
var shapes = []struct {
	pageBits uint
	workers  int
}{{10, 3}, {0, 2}, {3, 1}, {5, 4}, {14, 1}}

// wrongInManyWays is what somebody with the database in hand does to entries of different pages.
var wrongInManyWays = map[string]string{
	"nothing": ``,
	"one of each": `UPDATE posting SET minutes = minutes + 1 WHERE seq = 900; UPDATE entry SET details = replace(details, 'activity', 'Activity') WHERE seq = 300;
		UPDATE claim SET care = care + 1 WHERE seq = 77; UPDATE posting SET effective = effective - 1 WHERE seq = 640; UPDATE answer SET key = 'another' WHERE seq = 200;
		UPDATE answer SET seq = 999999 WHERE seq = 400; UPDATE hash SET hash = sha256(hash) WHERE id IN (500, 1022, 2046); UPDATE rollup SET minutes = minutes + 1 WHERE upto = 1024 AND level > 0;
		UPDATE posting SET balance = balance + 1 WHERE seq = 512 AND may_owe`,
	"entries that are gone": `DELETE FROM entry WHERE seq IN (64, 511, 512, 1000); UPDATE hash SET hash = sha256(hash) WHERE id = 2000`,
	"the end cut off":       `DELETE FROM entry WHERE seq > 700`,
	"an entry put far away": `UPDATE entry SET seq = 1000000000000 WHERE seq = 700`,
	"an entry before the first": `INSERT INTO entry SELECT -1, kind, effective, recorded, by_client, rules, refers, organization, volunteer, partner, salt, details, leaf
		FROM entry WHERE seq = 5`,
	"more than is told": `UPDATE posting SET balance = balance + 1 WHERE seq % 5 = 0; UPDATE claim SET youth = 1 WHERE seq % 7 = 0`,
	"rows of no entry": `INSERT INTO answer SELECT client, key || 'x', request, recorded, -5, subject, refusal FROM answer WHERE seq = 100;
		INSERT INTO posting SELECT 5000, account, unit, minutes, balance, may_owe, effective FROM posting WHERE seq = 100;
		INSERT INTO rollup SELECT account, level, period, 4096, minutes, entries FROM rollup WHERE upto = 1024`,
	"nothing where something must be": `ALTER TABLE claim ALTER youth DROP NOT NULL; ALTER TABLE rollup ALTER minutes DROP NOT NULL; ALTER TABLE account ALTER may_owe DROP NOT NULL;
		ALTER TABLE posting ALTER may_owe DROP NOT NULL; ALTER TABLE hash ALTER hash DROP NOT NULL; ALTER TABLE checkpoint DROP CONSTRAINT checkpoint_pkey, ALTER size DROP NOT NULL;
		UPDATE claim SET youth = NULL WHERE seq IN (77, 600); UPDATE rollup SET minutes = NULL WHERE upto = 1024 AND minutes = 0; UPDATE account SET may_owe = NULL WHERE NOT may_owe;
		UPDATE posting SET may_owe = NULL WHERE seq = 1090 AND NOT may_owe; UPDATE hash SET hash = NULL WHERE id = 500;
		INSERT INTO checkpoint SELECT NULL, note FROM checkpoint`,
	"numbers where 64 bits end": `ALTER TABLE rollup DROP CONSTRAINT rollup_entries_positive;
		UPDATE entry SET seq = 4611686018427387905 WHERE seq = 900; UPDATE entry SET seq = 9223372036854775807 WHERE seq = 901; UPDATE posting SET seq = 9223372036854775807 WHERE seq = 901;
		UPDATE answer SET seq = 9223372036854775807 WHERE seq = 800; UPDATE carry SET seq = 9223372036854775806 WHERE seq = 700; UPDATE claim SET seq = -9223372036854775808 WHERE seq = 600;
		INSERT INTO rollup SELECT account, level, period, -9223372036854775808, minutes, entries FROM rollup WHERE upto = 1024`,
	"very many postings": `ALTER TABLE posting DROP CONSTRAINT posting_pkey; DROP INDEX posting_by_account; INSERT INTO posting SELECT p.* FROM posting p, generate_series(1, 5000) WHERE seq = 1090 AND unit = 'care'`,
	"days and instants where they end": `DROP INDEX claim_shift_once; UPDATE entry SET effective = 'infinity', recorded = 'infinity' WHERE seq = 100; UPDATE claim SET served_on = '-infinity' WHERE seq = 200;
		UPDATE posting SET effective = 'infinity' WHERE seq = 300; UPDATE answer SET recorded = '-infinity' WHERE seq = 400`,
}

// However the work is divided, the same is found, and told in the order of the entries.
func TestVerifyFindsTheSameHoweverItIsDivided(t *testing.T) {
	t.Parallel()
	b, _ := longAccounts(t, 1100)
	if err := b.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.Stop(t)
	for name, change := range wrongInManyWays {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := b.Config
			database := b.Copy(t)
			config.Service = booktest.Server(t).URL(localpg.ServiceRole, database)
			booktest.Tamper(t, database, change)
			opened, err := book.Open(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			defer opened.Close()
			var first book.Verification
			for i, s := range shapes {
				v, err := opened.VerifyIn(t.Context(), s.pageBits, s.workers, nil)
				if err != nil {
					t.Fatalf("%+v: %v", s, err)
				}
				if i == 0 {
					first = v
				}
				if diff := cmp.Diff(first, v); diff != "" {
					t.Errorf("-%+v +%+v:\n%s", shapes[0], s, diff)
				}
			}
			order := func(a, b book.Finding) int { return stdcmp.Compare(uint64(a.Seq), uint64(b.Seq)) }
			if !slices.IsSortedFunc(first.Findings, order) || (len(first.Findings) == 0) != (change == "") {
				t.Errorf("findings = %v", first.Findings)
			}
		})
	}
}

// What is kept of an entry of any kind is no part of its page, whose memory the next page takes: in pages of one and of a few
// entries the same is found as in one page, of a sound book and of one whose last entries are wrong.
func TestVerifyKeepsNothingOfAPage(t *testing.T) {
	t.Parallel()
	b := plantedBook(t)
	for _, change := range []string{``, `UPDATE entry SET details = replace(details, '"facts":{', '"facts":{"age":7,') WHERE seq % 3 = 0`} {
		b.Tamper(t, change)
		want, err := b.Verify(t.Context(), nil)
		if err != nil || (len(want.Findings) > 0) != (change != "") {
			t.Fatalf("%v, %v", want.Findings, err)
		}
		for _, bits := range []uint{0, 2} {
			if have, err := b.VerifyIn(t.Context(), bits, 2, nil); err != nil || cmp.Diff(want, have) != "" {
				t.Errorf("in pages of %d: %v (-one page +have):\n%s", 1<<bits, err, cmp.Diff(want, have))
			}
		}
	}
}

// Who stops verifying gets an answer at once, and leaves nothing behind: no goroutine, no transaction. It runs alone, so that
// what is there is its own.
func TestVerifyThatIsCancelledLeavesNothing(t *testing.T) {
	b, _ := longAccounts(t, 1100)
	b.Stop(t)
	opened, err := book.Open(t.Context(), b.Config)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	for _, after := range []int{0, 1, 5, 100} {
		ctx, cancel := context.WithCancel(t.Context())
		pages := 0
		if after == 0 {
			time.AfterFunc(3*time.Millisecond, cancel)
		}
		_, err := opened.VerifyIn(ctx, 3, 3, func(int64, int64) {
			if pages++; pages == after {
				cancel()
			}
		})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled after %d pages: err = %v", after, err)
		}
		wantNothingLeft(t, b)
	}
	if v, err := opened.Verify(t.Context(), nil); err != nil || len(v.Findings) > 0 {
		t.Errorf("and then: %v, %v", v.Findings, err)
	}
	wantNothingLeft(t, b)
}

func wantNothingLeft(t *testing.T, b *booktest.Book) {
	t.Helper()
	db := b.Reader(t)
	var open int
	for range 200 {
		const query = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()`
		if err := db.Get(&open, query); err != nil {
			t.Fatal(err)
		}
		if open == 0 && verifying() == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d transactions and %d goroutines are left", open, verifying())
}

// verifying counts the goroutines that verify.
func verifying() int {
	stacks := make([]byte, 1<<20)
	return bytes.Count(stacks[:runtime.Stack(stacks, true)], []byte("book.(*verifier)"))
}

// More verifications at once than there are connections for wait for each other, and all end.
func TestManyVerifyAtOnce(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	saved(t, b, 300)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if v, err := b.Verify(t.Context(), nil); err != nil || len(v.Findings) > 0 {
				t.Errorf("%v, %v", v.Findings, err)
			}
		})
	}
	all.Wait()
}

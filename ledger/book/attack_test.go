package book_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/ledger/translog"
)

// rehash makes leaves and hashes anew from the entries, as somebody does who has the database and our source code,
// and everything but the signing key.
func rehash(t *testing.T, b *booktest.Book) {
	t.Helper()
	opened, err := book.Open(t.Context(), b.Config)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	entries, err := opened.Entries(t.Context(), booktest.Auditor, book.EntryFilter{After: -1, Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	var sql strings.Builder
	sql.WriteString("DELETE FROM hash;")
	var leaves []ledger.Hash
	for _, e := range entries {
		leaf := translog.Leaf(e.Entry)
		leaves = append(leaves, translog.LeafHash(leaf))
		fmt.Fprintf(&sql, "UPDATE entry SET leaf = $x$%s$x$ WHERE seq = %d;", leaf, e.Seq)
	}
	stored, err := translog.Append(0, leaves, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stored {
		fmt.Fprintf(&sql, `INSERT INTO hash VALUES (%d, '\x%s');`, s.Index, s.Hash)
	}
	b.Tamper(t, sql.String())
}

// Ledgers were defeated by whoever had their database and their code. Each of these ways leaves a book that is
// consistent in itself, as far as it could be made; verify names it, and nothing is signed or written on it.
func TestAttacksThatRecomputeEverything(t *testing.T) {
	t.Parallel()
	const moreMinutes = `
		UPDATE posting SET minutes = minutes * 2 WHERE seq = %[1]d;
		UPDATE posting p SET balance = (SELECT sum(q.minutes) FROM posting q WHERE q.account = p.account AND q.seq <= p.seq);
		UPDATE claim SET minutes = 2 * minutes, care = 2 * care WHERE seq = %[1]d`
	const cut = `
		DELETE FROM posting WHERE seq >= %[1]d; DELETE FROM claim WHERE seq >= %[1]d; DELETE FROM carry WHERE seq >= %[1]d;
		DELETE FROM answer WHERE seq >= %[1]d; DELETE FROM entry WHERE seq >= %[1]d`
	for name, x := range map[string]struct {
		change string
		says   string // by verify
		beside bool   // what is changed is not hashed: the log goes on, and verify tells
	}{
		"an hour more, and every hash after it anew":    {moreMinutes, "not those that were signed", false},
		"the same, and the checkpoints thrown away":     {moreMinutes + `; DELETE FROM checkpoint`, "not those that were signed", false},
		"the last entries cut off":                      {cut, "entries were signed", false},
		"the last cut off, with their checkpoints":      {cut + `; DELETE FROM checkpoint`, "entries were signed", false},
		"two entries in the other order":                {`UPDATE entry SET seq = -1 WHERE seq = %[1]d; UPDATE entry SET seq = %[1]d WHERE seq = %[1]d - 1; UPDATE entry SET seq = %[1]d - 1 WHERE seq = -1`, "", false},
		"what it is about, and its hash":                {`UPDATE entry SET details = replace(details, '陪聊', '陪跑') WHERE seq = %[1]d`, "not those that were signed", false},
		"when it was recorded":                          {`UPDATE entry SET recorded = recorded - interval '1 hour' WHERE seq = %[1]d; UPDATE answer SET recorded = recorded - interval '1 hour' WHERE seq = %[1]d`, "", false},
		"who asked for it":                              {`UPDATE entry SET by_client = '%[2]s' WHERE seq = %[1]d; UPDATE answer SET client = '%[2]s' WHERE seq = %[1]d`, "not those that were signed", false},
		"a key made free, so that an hour counts twice": {`UPDATE answer SET key = 'another' WHERE seq = %[1]d`, "is bound to", true},
		"an entry taken out of a volunteer's own list":  {`UPDATE entry SET volunteer = NULL WHERE seq = %[1]d`, "is bound to", true},
		"all of it thrown away, as on the first day":    {`DELETE FROM posting; DELETE FROM claim; DELETE FROM answer; DELETE FROM hash; DELETE FROM checkpoint; DELETE FROM entry`, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := booktest.New(t)
			_, _, _, posted := saved(t, b, 300)
			b.Stop(t)
			b.Config.CheckpointFile = filepath.Join(t.TempDir(), "checkpoint")
			post(t, b, b.Config)
			if opened, err := again(t, b); err != nil {
				t.Fatal(err)
			} else if v, err := opened.Verify(t.Context(), nil); err != nil || len(v.Findings) > 0 {
				t.Fatalf("before: %v, %v", v.Findings, err)
			}
			b.Tamper(t, strings.NewReplacer("%[1]d", fmt.Sprint(posted.Seq), "%[2]s", "01920f3e-1c5a-7c3b-9a51-2f6d8e4b7a10").Replace(x.change))
			if !x.beside {
				rehash(t, b)
			}
			opened, err := book.Open(t.Context(), b.Config)
			if err != nil {
				t.Fatal(err)
			}
			defer opened.Close()
			v, err := opened.Verify(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if all := fmt.Sprint(v.Findings); len(v.Findings) == 0 || !strings.Contains(all, x.says) {
				t.Errorf("verify finds %s, want %q", all, x.says)
			}
			if err := opened.Publish(t.Context()); !x.beside && !errors.Is(err, book.ErrRolledBack) {
				t.Errorf("a server runs on it: %v", err)
			}
		})
	}
}

// A writer that takes its number and commits late is what other logs skip: here nobody gets a number while another
// writes, so a checkpoint made meanwhile lacks nothing and what comes later follows it.
func TestALateCommitIsNotSkipped(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	db := b.Reader(t)
	late, err := db.BeginTxx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Rollback()
	if _, err := late.ExecContext(t.Context(), `SELECT pg_advisory_xact_lock('entry'::regclass::oid::bigint)`); err != nil {
		t.Fatal(err)
	}
	before, err := b.LogSize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := b.RegisterPartner(t.Context(), booktest.Operator, b.Key(), book.Partner{Name: "食堂"})
		answered <- err
	}()
	time.Sleep(200 * time.Millisecond)
	if err := b.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, size, err := b.Checkpoint(t.Context()); err != nil || size != before {
		t.Errorf("a checkpoint of %d entries was made beside a writer, want %d: %v", size, before, err)
	}
	select {
	case err := <-answered:
		t.Errorf("a second writer did not wait: %v", err)
	default:
	}
	if err := late.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	b.CheckBook(t)
}

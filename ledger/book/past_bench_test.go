package book_test

import (
	"fmt"
	"io"
	"runtime"
	"testing"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/ledger/statement"
	"timebank/ledger/translog"
)

// fill puts as many entries into a book, each with a posting on the pool's account and one on the bank's, on days of
// five years in no order. They are made by PostgreSQL, for a benchmark of reading; verify would not have them.
func fill(b *testing.B, k *booktest.Book, entries int) ledger.AccountID {
	b.Helper()
	k.Tamper(b, fmt.Sprintf(`
		CREATE TEMPORARY TABLE made AS SELECT (SELECT max(seq) FROM entry) + g AS seq, date '2021-01-01' + (g::bigint * 7919 %% 1800)::int AS effective FROM generate_series(1, %d) g;
		INSERT INTO entry (seq, kind, effective, recorded, salt, details, leaf)
			SELECT seq, 'donation', effective, now(), decode(repeat('00', 16), 'hex'), '{}', repeat('x', 400) FROM made;
		INSERT INTO posting SELECT m.seq, a.id, 'care', 1, m.seq, false, m.effective FROM made m, account a WHERE a.owner_kind = 'pool';
		INSERT INTO posting SELECT m.seq, a.id, 'care', -1, -m.seq, true, m.effective FROM made m, account a WHERE a.purpose = 'care-issued'`, entries))
	if _, err := k.RollUp(b.Context()); err != nil {
		b.Fatal(err)
	}
	pool, err := k.Accounts(b.Context(), booktest.Auditor, book.AccountFilter{OwnerKind: ledger.OwnerPool, Limit: 1})
	if err != nil {
		b.Fatal(err)
	}
	return pool[0].ID
}

// A balance as of a day, and as known at a size of the log, on accounts of different lengths. A length of 100,600 has
// as many postings since its last rollup as is usual; one of 600 has no rollup yet.
func BenchmarkBalanceOfThePast(b *testing.B) {
	for _, entries := range []int{100, 600, 10_600, 100_600} {
		b.Run(fmt.Sprintf("postings=%d", entries), func(b *testing.B) {
			k := booktest.New(b)
			pool := fill(b, k, entries)
			day, size := booktest.Date(b, "2023-07-14"), int64(entries)
			for b.Loop() {
				if _, err := k.Account(b.Context(), booktest.Auditor, pool, book.AsOf{Effective: &day, LogSize: &size}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A full tile of a tree of a million leaves.
func BenchmarkTile(b *testing.B) {
	k := booktest.New(b)
	k.Stop(b)
	k.Tamper(b, `DELETE FROM hash; INSERT INTO hash SELECT g, sha256(int8send(g)) FROM generate_series(0::bigint, 1999999) g;
		INSERT INTO checkpoint (size, note) VALUES (1000000, 'x'); ANALYZE`)
	opened, err := book.Open(b.Context(), k.Config)
	if err != nil {
		b.Fatal(err)
	}
	defer opened.Close()
	n := int64(0)
	for b.Loop() {
		n = (n + 1237) % 3906
		if _, err := opened.HashTile(b.Context(), translog.Tile{Level: 0, Index: n, Width: translog.TileWidth}); err != nil {
			b.Fatal(err)
		}
	}
}

// An export of a million entries, with the most memory that the program took from the system.
func BenchmarkExport(b *testing.B) {
	for _, entries := range []int{10_000, 1_000_000} {
		for _, format := range statement.Formats {
			b.Run(fmt.Sprintf("entries=%d/%s", entries, format.Name), func(b *testing.B) {
				k := booktest.New(b)
				fill(b, k, entries)
				for b.Loop() {
					if err := k.Export(b.Context(), booktest.Auditor, format, book.ExportRange{}, io.Discard, nil); err != nil {
						b.Fatal(err)
					}
				}
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				b.Logf("%d MiB", m.Sys>>20)
			})
		}
	}
}

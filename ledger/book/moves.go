package book

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"timebank/ledger"
)

// moves are what this process posted of each block of entries that is not rolled up yet. Read from the book again, a block takes
// a look-up of each account that moved, for some milliseconds of a core that the writer needs meanwhile.
type moves struct {
	mu     sync.Mutex
	next   ledger.Seq    // the entry after the last that was added
	salt   [16]byte      // of that last one
	blocks []*blockMoves // in their order; all but the last are full, or have a hole
}

// movesMax bounds the blocks that are kept: when somebody else rolls up, or nobody, none is asked for.
const movesMax = 16

// blockMoves are what was posted in one block of entries.
type blockMoves struct {
	first    ledger.Seq
	next     ledger.Seq                 // the entry after the last of it that was added
	salt     [16]byte                   // of that last one
	holed    bool                       // an entry of it is missing
	lines    map[lineDay]rollupSum      // by line of the chart
	accounts map[ledger.AccountID]int64 // how many postings
}

// lineDay is a day of a line of the chart, -1, -2 and on.
type lineDay struct {
	line int64
	day  ledger.Date
}

func (l lineDay) compare(o lineDay) int {
	return cmp.Or(cmp.Compare(l.line, o.line), cmp.Compare(l.day, o.day))
}

// lineNumbers are those of the lines of the chart, of owner and purpose. Of an account that is of none, 0: the chart has no sum of it.
var lineNumbers = func() map[ledger.Line]int64 {
	all := map[ledger.Line]int64{}
	for i, l := range ledger.Chart {
		all[ledger.Line{Owner: l.Owner, Purpose: l.Purpose}] = int64(-1 - i)
	}
	return all
}()

// add adds what a recorded batch posted.
func (m *moves) add(w *world) {
	m.mu.Lock()
	defer m.mu.Unlock()
	// The salt is random, an entry's own, and each batch is recorded after the one that it was decided for: with the same salt
	// everything before is the same.
	if w.first != m.next || w.salt != m.salt {
		m.hole()
	}
	for _, r := range w.records {
		b := m.block(r.Seq)
		for _, l := range r.Lines {
			a := w.accountByID[l.Account]
			b.add(lineDay{lineNumbers[ledger.Line{Owner: a.Owner.Kind, Purpose: a.Purpose}], r.Effective}, l.Account, rollupSum{int64(l.Minutes), 1})
		}
		b.next, b.salt = r.Seq+1, r.Salt
		m.next, m.salt = b.next, b.salt
	}
}

func (m *moves) hole() {
	if len(m.blocks) > 0 {
		if last := m.blocks[len(m.blocks)-1]; !last.full() {
			last.holed = true
		}
	}
}

func (b *blockMoves) full() bool { return b.next == b.first+rollupBlock }

// block gives the block of an entry, which is of the last block or begins another.
func (m *moves) block(seq ledger.Seq) *blockMoves {
	first := seq / rollupBlock * rollupBlock
	if len(m.blocks) > 0 {
		if last := m.blocks[len(m.blocks)-1]; last.first == first {
			return last
		}
	}
	b := newBlock(first)
	b.holed = seq != first
	if m.blocks = append(m.blocks, b); len(m.blocks) > movesMax {
		m.blocks = slices.Delete(m.blocks, 0, 1)
	}
	return b
}

// take gives what was posted in the block that begins with an entry and whose last has a salt, and forgets it and those before; nil where
// this process does not know all of it, or the database was set back and has others.
func (m *moves) take(first int64, salt []byte) *blockMoves {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.blocks) > 0 && int64(m.blocks[0].first) <= first {
		b := m.blocks[0]
		if int64(b.first) == first && !b.full() {
			return nil
		}
		m.blocks = slices.Delete(m.blocks, 0, 1)
		if int64(b.first) == first && !b.holed && bytes.Equal(b.salt[:], salt) {
			return b
		}
	}
	return nil
}

func newBlock(first ledger.Seq) *blockMoves {
	return &blockMoves{first: first, lines: map[lineDay]rollupSum{}, accounts: map[ledger.AccountID]int64{}}
}

func (b *blockMoves) add(of lineDay, account ledger.AccountID, posted rollupSum) {
	if of.line != 0 {
		sum := b.lines[of]
		sum.add(posted)
		b.lines[of] = sum
	}
	b.accounts[account] += posted.entries
}

// columns give what moved on the lines, in their order.
func (b *blockMoves) columns() (of, effective, minutes, n []int64) {
	for _, key := range slices.SortedFunc(maps.Keys(b.lines), lineDay.compare) {
		sum := b.lines[key]
		of, effective = append(of, key.line), append(effective, int64(key.day))
		minutes, n = append(minutes, sum.minutes), append(n, sum.entries)
	}
	return of, effective, minutes, n
}

// chosen gives the accounts of which it is counted whether enough has gathered: those that moved much, and of the others some
// by chance, in proportion.
func (b *blockMoves) chosen(to int64) (accounts []int64) {
	for account, n := range b.accounts {
		if scattered(uint64(account)^uint64(to))&(rollupChance-1) < uint64(n) {
			accounts = append(accounts, int64(account))
		}
	}
	slices.Sort(accounts)
	return accounts
}

// scattered is the finalizer of splitmix64 (Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014): numbers
// that differ by a bit come out with half of their bits different.
func scattered(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// readMoves reads what was posted in a block. It begins with the postings, whatever the planner would rather begin with: from the
// accounts' side it would look up every account of the book.
func readMoves(ctx context.Context, tx *writeTx, from, to int64) (*blockMoves, error) {
	const query = `
		WITH posted AS MATERIALIZED (
			SELECT account, effective, sum(minutes)::bigint AS minutes, count(*) AS n FROM posting WHERE seq >= $1 AND seq < $2 GROUP BY 1, 2)
		SELECT p.account, a.owner_kind, a.purpose, p.effective - date '1970-01-01' AS effective, p.minutes, p.n FROM posted p JOIN account a ON a.id = p.account`
	type row struct {
		Account   ledger.AccountID `db:"account"`
		OwnerKind ledger.OwnerKind `db:"owner_kind"`
		Purpose   ledger.Purpose   `db:"purpose"`
		Effective ledger.Date      `db:"effective"`
		Minutes   int64            `db:"minutes"`
		N         int64            `db:"n"`
	}
	rows, err := selectAll[row](ctx, tx, query, from, to)
	if err != nil {
		return nil, fmt.Errorf("reading what was posted from %d to %d: %w", from, to, err)
	}
	b := newBlock(ledger.Seq(from))
	for _, r := range rows {
		b.add(lineDay{lineNumbers[ledger.Line{Owner: r.OwnerKind, Purpose: r.Purpose}], r.Effective}, r.Account, rollupSum{r.Minutes, r.N})
	}
	return b, nil
}

package book

import (
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	"timebank/ledger"
)

// saltOf is the salt of an entry of a book, of which there are several.
func saltOf(seq ledger.Seq, history byte) (salt [16]byte) {
	if seq >= 0 {
		binary.BigEndian.PutUint64(salt[:], uint64(seq+1))
		salt[15] = history
	}
	return salt
}

// posted is a recorded batch of entries, each with an hour on an organization's account and a volunteer's.
func posted(first, next ledger.Seq) *world {
	w := &world{first: first, next: next, salt: saltOf(first-1, 0), accountByID: map[ledger.AccountID]*account{
		7: {Account: ledger.Account{ID: 7, Owner: ledger.Owner{Kind: ledger.OwnerOrganization}, Purpose: ledger.Served}},
		8: {Account: ledger.Account{ID: 8, Owner: ledger.Owner{Kind: ledger.OwnerVolunteer}, Purpose: ledger.Served}},
	}}
	for seq := first; seq < next; seq++ {
		r := &Record{}
		r.Seq, r.Effective, r.Salt = seq, ledger.Date(seq%2), saltOf(seq, 0)
		r.Lines = []Line{{Posting: ledger.Posting{Account: 7, Minutes: -60}}, {Posting: ledger.Posting{Account: 8, Minutes: 60}}}
		w.records = append(w.records, r)
	}
	return w
}

// A block is known when this process posted all of it, one batch after the other.
func TestMovesAreOfBlocksThatThisProcessPostedAllOf(t *testing.T) {
	t.Parallel()
	const block = rollupBlock
	for name, test := range map[string]struct {
		batches [][2]ledger.Seq
		other   int // after so many batches the book was set back, and another process posted as many; 0: it was not
		known   []int64
	}{
		"from the first entry":            {[][2]ledger.Seq{{0, 700}, {700, 1500}, {1500, 2 * block}}, 0, []int64{0, block}},
		"one batch of several blocks":     {[][2]ledger.Seq{{0, 3*block + 1}}, 0, []int64{0, block, 2 * block}},
		"begun in the middle of a block":  {[][2]ledger.Seq{{100, 2 * block}}, 0, []int64{block}},
		"begun with a block":              {[][2]ledger.Seq{{block, 2 * block}}, 0, []int64{block}},
		"not full yet":                    {[][2]ledger.Seq{{0, block - 1}}, 0, nil},
		"somebody else in between":        {[][2]ledger.Seq{{0, 100}, {101, 3 * block}}, 0, []int64{block, 2 * block}},
		"somebody else at the end of one": {[][2]ledger.Seq{{0, block - 1}, {block, 2 * block}}, 0, []int64{block}},
		"somebody else between two":       {[][2]ledger.Seq{{0, block}, {block + 1, 2 * block}}, 0, []int64{0}},
		"somebody else for blocks":        {[][2]ledger.Seq{{0, block + 5}, {4 * block, 5 * block}}, 0, []int64{0, 4 * block}},
		"another book of as many":         {[][2]ledger.Seq{{0, 100}, {100, 2 * block}}, 1, []int64{block}},
		"another book after a block":      {[][2]ledger.Seq{{0, block}, {block, 2 * block}}, 1, []int64{0, block}},
		"more than are kept":              {[][2]ledger.Seq{{0, (movesMax + 1) * block}}, 0, blocks(1, movesMax+1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var m moves
			for i, b := range test.batches {
				batch := posted(b[0], b[1])
				if test.other > 0 && i == test.other {
					batch.salt = saltOf(b[0]-1, 1)
				}
				m.add(batch)
			}
			var known []int64
			for first := int64(0); first < 20*block; first += block {
				last := saltOf(ledger.Seq(first+block-1), 0)
				b := m.take(first, last[:])
				if b == nil {
					continue
				}
				known = append(known, first)
				want := map[lineDay]rollupSum{{-1, 0}: {-60 * block / 2, block / 2}, {-1, 1}: {-60 * block / 2, block / 2},
					{-3, 0}: {60 * block / 2, block / 2}, {-3, 1}: {60 * block / 2, block / 2}}
				if !maps.Equal(b.lines, want) {
					t.Errorf("the block from %d moved %v, want %v", first, b.lines, want)
				}
				if chosen := b.chosen(first + block); len(chosen) != 2 {
					t.Errorf("of two accounts that each moved %d times %v are chosen", block, chosen)
				}
			}
			if !slices.Equal(known, test.known) {
				t.Errorf("known are the blocks from %v, want %v", known, test.known)
			}
		})
	}
}

// A block of which the database has another last entry than was posted was posted into a book that is no more.
func TestMovesAreOfTheBookThatTheDatabaseHas(t *testing.T) {
	t.Parallel()
	var m moves
	m.add(posted(0, 2*rollupBlock))
	other := saltOf(rollupBlock-1, 1)
	if m.take(0, other[:]) != nil {
		t.Error("the block from 0 is known, though its last entry is another")
	}
	last := saltOf(2*rollupBlock-1, 0)
	if m.take(rollupBlock, last[:]) == nil {
		t.Error("the block after it is not known")
	}
}

func blocks(from, to int64) (firsts []int64) {
	for n := from; n < to; n++ {
		firsts = append(firsts, n*rollupBlock)
	}
	return firsts
}

// An account that is of no line of the chart, which only somebody who changed the book can make, has sums of its own and adds to no line.
func TestMovesOfAnAccountOfNoLineAreOnNoLine(t *testing.T) {
	t.Parallel()
	w := posted(0, rollupBlock)
	w.accountByID[8].Purpose = "gold"
	var m moves
	m.add(w)
	last := saltOf(rollupBlock-1, 0)
	b := m.take(0, last[:])
	of, _, _, _ := b.columns()
	if !slices.Equal(of, []int64{-1, -1}) || len(b.chosen(rollupBlock)) != 2 {
		t.Errorf("moved are the lines %v, chosen the accounts %v", of, b.chosen(rollupBlock))
	}
}

// Of accounts that move once in a block about one in rollupChance is chosen, and not the same ones each time.
func TestAccountsThatMoveLittleAreChosenByChance(t *testing.T) {
	t.Parallel()
	const accounts, rounds = 20_000, 64
	b := newBlock(0)
	for id := range accounts {
		b.add(lineDay{-3, 0}, ledger.AccountID(id+1), rollupSum{60, 1})
	}
	times := map[int64]int{}
	for round := range int64(rounds) {
		for _, id := range b.chosen(round * rollupBlock) {
			times[id]++
		}
	}
	total := 0
	for _, n := range times {
		total += n
	}
	const want = accounts * rounds / rollupChance
	if total < want*9/10 || total > want*11/10 {
		t.Errorf("%d were chosen, want about %d", total, want)
	}
	// By chance an account is chosen at least once in 64 rounds 22 times of 100.
	if got := len(times); got < accounts*20/100 || got > accounts*25/100 {
		t.Errorf("%d of %d accounts were chosen at least once", got, accounts)
	}
}

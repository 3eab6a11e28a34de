package book

import (
	"sort"

	"timebank/ledger"
	"timebank/policy"
)

// keptClaim is what later entries need of a claim. There is nothing in it that points elsewhere: whatever is kept of a million
// claims would be gone through whenever memory is collected.
type keptClaim struct {
	volunteer, organization int32 // by the numbers of parties
	grade, position         int32 // by those of words
	rules                   int32 // by which it was decided again, as a place among the book's sets; -1 for none
	servedOn                ledger.Date
	satisfaction            int
	emergency               bool
	corrected               bool
	minutes                 ledger.Minutes
	moved                   ledger.Minutes // to the volunteer's record of service
	pooled                  ledger.Minutes // as its row says
	earned                  policy.Earned
}

// keptHold is what later entries need of a hold.
type keptHold struct {
	redeemer *party // who redeems; nil when that cannot be read
	on       ledger.Date
	counts   ledger.Minutes // against the month: what is held, or when it is settled what was given
	settled  bool
	careAt   int64
	booked   bool
	taken    bool // it was settled
}

// keptBits: things are kept in blocks of 1,024, which stay where they are.
const keptBits = 10

// keptBy keeps things by the entry that they are of, in the order of the entries: however far apart these are
// numbered, it takes no more than there are.
type keptBy[T any] struct {
	seqs   []ledger.Seq
	blocks [][]T
}

// put makes room for what is kept of an entry that comes after all before it, or is there twice, and tells where.
func (k *keptBy[T]) put(seq ledger.Seq) (*T, int32) {
	at := len(k.seqs)
	if at>>keptBits == len(k.blocks) {
		k.blocks = append(k.blocks, make([]T, 1<<keptBits))
	}
	k.seqs = append(k.seqs, seq)
	return k.at(int32(at)), int32(at)
}

// at gives what is kept in a place.
func (k *keptBy[T]) at(i int32) *T { return &k.blocks[i>>keptBits][i&(1<<keptBits-1)] }

// entry gives the entry of a place.
func (k *keptBy[T]) entry(i int32) ledger.Seq { return k.seqs[i] }

// of gives what is kept of an entry, or nil; of one that is there twice, what was kept last.
func (k *keptBy[T]) of(seq ledger.Seq) *T {
	i := sort.Search(len(k.seqs), func(i int) bool { return k.seqs[i] > seq }) - 1
	if i < 0 || k.seqs[i] != seq {
		return nil
	}
	return k.at(int32(i))
}

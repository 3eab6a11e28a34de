package translog

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"timebank/ledger"
)

// Reader gives stored hashes by their indexes, in the same order.
type Reader func(indexes []int64) ([]ledger.Hash, error)

func (r Reader) tlog() tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes, err := r(indexes)
		if err != nil {
			return nil, err
		}
		return toTlog(hashes), nil
	})
}

func toTlog(hashes []ledger.Hash) []tlog.Hash {
	out := make([]tlog.Hash, len(hashes))
	for i, h := range hashes {
		out[i] = tlog.Hash(h)
	}
	return out
}

func fromTlog(hashes []tlog.Hash) []ledger.Hash {
	out := make([]ledger.Hash, len(hashes))
	for i, h := range hashes {
		out[i] = ledger.Hash(h)
	}
	return out
}

// StoredHash is a hash of the tree with the index under which it is kept.
type StoredHash struct {
	Index int64
	Hash  ledger.Hash
}

// SizeMax bounds a log: a thousand leaves a second for nine thousand years. Of sizes far above it the indexes of stored hashes
// do not fit into 64 bits, and the library beneath looks for ever for the power of two below one.
const SizeMax = 1 << sizeBits

const sizeBits = 48

func checkSize(sizes ...int64) error {
	for _, n := range sizes {
		if n < 0 || n > SizeMax {
			return fmt.Errorf("%w: a tree of %d leaves", ledger.ErrInvalid, n)
		}
	}
	return nil
}

// Frontier gives the indexes of the stored hashes at the right edge of a tree of n leaves: one for each
// complete subtree, which is all that appending needs. There are none where there can be no such tree.
func Frontier(n int64) []int64 {
	if checkSize(n) != nil {
		return nil
	}
	var indexes []int64
	var start int64
	for level := sizeBits; level >= 0; level-- {
		if size := int64(1) << level; n&size != 0 {
			indexes = append(indexes, tlog.StoredHashIndex(level, start>>level))
			start += size
		}
	}
	return indexes
}

// Append gives the stored hashes that leaves add to a tree of n leaves, in the order of their indexes.
// known must hold at least the hashes of [Frontier](n).
func Append(n int64, leaves []ledger.Hash, known map[int64]ledger.Hash) ([]StoredHash, error) {
	if err := checkSize(n, n+int64(len(leaves))); err != nil {
		return nil, err
	}
	var added []StoredHash
	fresh := make(map[int64]ledger.Hash, 2*len(leaves))
	read := Reader(func(indexes []int64) ([]ledger.Hash, error) {
		hashes := make([]ledger.Hash, len(indexes))
		for i, index := range indexes {
			h, ok := fresh[index]
			if !ok {
				h, ok = known[index]
			}
			if !ok {
				return nil, fmt.Errorf("stored hash %d is not at hand", index)
			}
			hashes[i] = h
		}
		return hashes, nil
	}).tlog()
	for i, leaf := range leaves {
		stored, err := tlog.StoredHashesForRecordHash(n+int64(i), tlog.Hash(leaf), read)
		if err != nil {
			return nil, fmt.Errorf("hashing leaf %d: %w", n+int64(i), err)
		}
		first := tlog.StoredHashCount(n + int64(i))
		for j, h := range stored {
			s := StoredHash{first + int64(j), ledger.Hash(h)}
			fresh[s.Index] = s.Hash
			added = append(added, s)
		}
	}
	return added, nil
}

// Root gives the root of the tree of the first n leaves.
func Root(n int64, read Reader) (ledger.Hash, error) {
	if err := checkSize(n); err != nil {
		return ledger.Hash{}, err
	}
	h, err := tlog.TreeHash(n, read.tlog())
	return ledger.Hash(h), err
}

// StoredLeafHash gives the stored hash of a leaf.
func StoredLeafHash(seq int64, read Reader) (ledger.Hash, error) {
	if seq < 0 || seq >= SizeMax {
		return ledger.Hash{}, fmt.Errorf("%w: leaf %d", ledger.ErrInvalid, seq)
	}
	h, err := read([]int64{tlog.StoredHashIndex(0, seq)})
	if err != nil {
		return ledger.Hash{}, err
	}
	if len(h) != 1 {
		return ledger.Hash{}, fmt.Errorf("reading the hash of leaf %d gave %d hashes", seq, len(h))
	}
	return h[0], nil
}

// Inclusion proves that leaf seq is in the tree of the first n leaves.
func Inclusion(n, seq int64, read Reader) ([]ledger.Hash, error) {
	if err := checkSize(n); err != nil {
		return nil, err
	}
	p, err := tlog.ProveRecord(n, seq, read.tlog())
	return fromTlog(p), err
}

// CheckInclusion checks what Inclusion gives against a root that is trusted.
func CheckInclusion(proof []ledger.Hash, n int64, root ledger.Hash, seq int64, leaf ledger.Hash) error {
	if err := checkSize(n); err != nil {
		return err
	}
	return tlog.CheckRecord(toTlog(proof), n, tlog.Hash(root), seq, tlog.Hash(leaf))
}

// Consistency proves that the tree of the first n leaves continues the tree of the first older. That
// any tree continues the empty one needs no hashes.
func Consistency(n, older int64, read Reader) ([]ledger.Hash, error) {
	if err := checkSize(n, older); err != nil {
		return nil, err
	}
	if older == 0 {
		return nil, nil
	}
	p, err := tlog.ProveTree(n, older, read.tlog())
	return fromTlog(p), err
}

// CheckConsistency checks what Consistency gives.
func CheckConsistency(proof []ledger.Hash, n int64, root ledger.Hash, older int64, olderRoot ledger.Hash) error {
	if err := checkSize(n, older); err != nil {
		return err
	}
	if older == 0 {
		return checkContinuesNothing(proof, n, root, olderRoot)
	}
	return tlog.CheckTree(toTlog(proof), n, tlog.Hash(root), older, tlog.Hash(olderRoot))
}

func checkContinuesNothing(proof []ledger.Hash, n int64, root, olderRoot ledger.Hash) error {
	empty, err := Root(0, nil)
	if err != nil {
		return err
	}
	if len(proof) != 0 || olderRoot != empty || n == 0 && root != empty {
		return fmt.Errorf("%w: not a proof that %d leaves continue an empty tree", ledger.ErrInvalid, n)
	}
	return nil
}

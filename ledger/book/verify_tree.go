package book

import (
	"bytes"
	"cmp"
	"slices"

	"timebank/ledger"
	"timebank/ledger/translog"
)

// pageTree is the part of the log's tree over a page. Its subtrees are hashed by whoever prepares the page, and joined
// to those before by the walk.
type pageTree struct {
	edge   translog.Edge
	stored []hashSide // in the order of their indexes
}

type hashSide struct {
	index int64
	hash  []byte
}

// differs reports whether a hash is not stored as the entries give it.
func (t *pageTree) differs(want translog.StoredHash) bool {
	i, ok := slices.BinarySearchFunc(t.stored, want.Index, func(s hashSide, index int64) int { return cmp.Compare(s.index, index) })
	return !ok || !bytes.Equal(t.stored[i].hash, want.Hash[:])
}

// grow hashes what lies over a page's leaves and compares it with what is stored.
func (t *pageTree) grow(p *page, leaves []ledger.Hash) error {
	read := collect(&wire{rest: p.room.rows.hashes, bare: true}, &p.room.hashes, (*wire).hash)
	slices.SortStableFunc(read.rows, func(a, b hashSide) int { return cmp.Compare(a.index, b.index) })
	t.stored = read.rows
	var hashes []translog.StoredHash
	for i, leaf := range leaves {
		r := &p.entries[i]
		hashes = t.edge.Add(hashes[:0], int64(r.Seq), leaf)
		for _, h := range hashes {
			if t.differs(h) {
				r.wrongHashes = append(r.wrongHashes, h.Index)
			}
		}
	}
	return read.err
}

// joinTree joins a page's subtrees to those before it.
func (v *verifier) joinTree(p *page) {
	for _, h := range v.edge.Join(nil, p.tree.edge) {
		if p.tree.differs(h) {
			last := &p.entries[len(p.entries)-1] // with it a subtree that is larger than a page is complete
			last.wrongHashes = append(last.wrongHashes, h.Index)
		}
	}
}

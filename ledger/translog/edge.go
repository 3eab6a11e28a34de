package translog

import (
	"golang.org/x/mod/sumdb/tlog"

	"timebank/ledger"
)

// Edge is the right edge of a tree while leaves are added to it: the complete subtrees that are not yet part of a larger
// one, from left to right. It may begin anywhere, and where a leaf was left out what would lie above it is never
// complete: so parts of a log are hashed at once, and joined.
type Edge []subtree

// subtree is the nth of the complete subtrees of two to the level leaves.
type subtree struct {
	level int
	n     int64
	hash  ledger.Hash
}

// Add adds a leaf, and appends to stored the hashes that are kept because of it, in the order of their indexes.
func (e *Edge) Add(stored []StoredHash, seq int64, leaf ledger.Hash) []StoredHash {
	stored = append(stored, StoredHash{tlog.StoredHashIndex(0, seq), leaf})
	return e.push(stored, subtree{0, seq, leaf})
}

// Join adds the edge of what comes after, and appends to stored the hashes of subtrees that lie in both.
func (e *Edge) Join(stored []StoredHash, after Edge) []StoredHash {
	for _, s := range after {
		stored = e.push(stored, s)
	}
	return stored
}

func (e *Edge) push(stored []StoredHash, s subtree) []StoredHash {
	for last := len(*e) - 1; last >= 0; last-- {
		left := (*e)[last]
		if left.level != s.level || left.n+1 != s.n || s.n&1 == 0 {
			break
		}
		*e = (*e)[:last]
		s = subtree{s.level + 1, s.n >> 1, ledger.Hash(tlog.NodeHash(tlog.Hash(left.hash), tlog.Hash(s.hash)))}
		stored = append(stored, StoredHash{tlog.StoredHashIndex(s.level, s.n), s.hash})
	}
	*e = append(*e, s)
	return stored
}

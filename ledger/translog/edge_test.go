package translog_test

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"timebank/ledger"
	"timebank/ledger/translog"
)

func someLeaf(n int) ledger.Hash {
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
}

// However a log is cut into parts that begin at multiples of a power of two, the hashes of the parts and of their joints
// are those that appending leaf by leaf gives.
func TestEdge_of_parts_gives_what_Append_gives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, width := rapid.IntRange(0, 70).Draw(t, "leaves"), 1<<rapid.IntRange(0, 7).Draw(t, "bits")
		leaves := make([]ledger.Hash, n)
		for i := range leaves {
			leaves[i] = someLeaf(i)
		}
		want, err := translog.Append(0, leaves, nil)
		if err != nil {
			t.Fatal(err)
		}
		var whole translog.Edge
		var have []translog.StoredHash
		for from := 0; from < n; from += width {
			var part translog.Edge
			for i := from; i < min(from+width, n); i++ {
				have = part.Add(have, int64(i), leaves[i])
			}
			have = whole.Join(have, part)
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%d leaves in parts of %d (-Append +Edge):\n%s", n, width, diff)
		}
	})
}

// Where a leaf was left out, the hashes that are given are all those of the log that do not cover it.
func TestEdge_leaves_out_what_covers_a_missing_leaf(t *testing.T) {
	const n, missing = 32, 13
	leaves := make([]ledger.Hash, n)
	for i := range leaves {
		leaves[i] = someLeaf(i)
	}
	all, err := translog.Append(0, leaves, nil)
	if err != nil {
		t.Fatal(err)
	}
	stored := map[int64]ledger.Hash{}
	for _, s := range all {
		stored[s.Index] = s.Hash
	}
	var edge translog.Edge
	var have []translog.StoredHash
	for i, leaf := range leaves {
		if i != missing {
			have = edge.Add(have, int64(i), leaf)
		}
	}
	for _, s := range have {
		if stored[s.Index] != s.Hash {
			t.Errorf("stored hash %d is another", s.Index)
		}
	}
	if want := len(all) - 6; len(have) != want { // the leaf and the five above it
		t.Errorf("%d hashes, want %d", len(have), want)
	}
}

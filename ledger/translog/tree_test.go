package translog_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"timebank/ledger"
	"timebank/ledger/translog"
)

// A store keeps stored hashes as the database does: by index.
type store map[int64]ledger.Hash

func (s store) read(indexes []int64) ([]ledger.Hash, error) {
	hashes := make([]ledger.Hash, len(indexes))
	for i, index := range indexes {
		h, ok := s[index]
		if !ok {
			return nil, fmt.Errorf("no stored hash %d", index)
		}
		hashes[i] = h
	}
	return hashes, nil
}

// frontier gives of a store only what appending to n leaves may need.
func (s store) frontier(n int64) map[int64]ledger.Hash {
	known := map[int64]ledger.Hash{}
	for _, index := range translog.Frontier(n) {
		known[index] = s[index]
	}
	return known
}

// leaves gives n different leaf hashes.
func leaves(n int) []ledger.Hash {
	hashes := make([]ledger.Hash, n)
	for i := range hashes {
		hashes[i] = translog.LeafHash(fmt.Appendf(nil, "leaf %d\n", i))
	}
	return hashes
}

// grow builds a store from leaves in batches of the sizes given, the last one taking the rest.
func grow(t rapid.TB, hashes []ledger.Hash, sizes ...int) store {
	t.Helper()
	s, done := store{}, 0
	for _, size := range append(sizes, len(hashes)) {
		batch := hashes[done:min(done+size, len(hashes))]
		added, err := translog.Append(int64(done), batch, s.frontier(int64(done)))
		if err != nil {
			t.Fatalf("Append(%d, %d leaves): %v", done, len(batch), err)
		}
		for i, a := range added {
			if want := tlog.StoredHashCount(int64(done)) + int64(i); a.Index != want {
				t.Fatalf("Append(%d, …)[%d] has index %d, want %d", done, i, a.Index, want)
			}
			s[a.Index] = a.Hash
		}
		done += len(batch)
	}
	return s
}

// merkle computes a root as RFC 6962, section 2.1, defines it, without any stored hash.
func merkle(hashes []ledger.Hash) ledger.Hash {
	switch len(hashes) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return hashes[0]
	}
	k := 1
	for 2*k < len(hashes) {
		k *= 2
	}
	left, right := merkle(hashes[:k]), merkle(hashes[k:])
	return sha256.Sum256(slices.Concat([]byte{1}, left[:], right[:]))
}

func TestAppend_gives_the_root_of_RFC_6962_however_leaves_are_batched(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hashes := leaves(rapid.IntRange(0, 300).Draw(t, "leaves"))
		sizes := rapid.SliceOf(rapid.IntRange(0, 40)).Draw(t, "batches")
		s := grow(t, hashes, sizes...)
		for _, n := range []int{0, len(hashes) / 2, len(hashes)} {
			got, err := translog.Root(int64(n), s.read)
			if want := merkle(hashes[:n]); err != nil || got != want {
				t.Fatalf("Root(%d) = %s, %v, want %s", n, got, err, want)
			}
		}
	})
}

func TestFrontier_has_one_hash_for_each_complete_subtree(t *testing.T) {
	tests := []struct {
		name string
		n    int64
		want []int64
	}{
		{"an empty tree has no edge", 0, nil},
		{"one leaf", 1, []int64{0}},
		{"two leaves are one subtree", 2, []int64{2}},
		{"seven leaves are four, two and one", 7, []int64{6, 9, 10}},
		{"a negative size has no edge", -1, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := translog.Frontier(tt.n); !slices.Equal(got, tt.want) {
				t.Errorf("Frontier(%d) = %v, want %v", tt.n, got, tt.want)
			}
		})
	}
}

func TestAppend_without_the_frontier_is_an_error(t *testing.T) {
	if _, err := translog.Append(1, leaves(1), nil); err == nil {
		t.Error("Append(1, …) without stored hashes gave no error")
	}
	if _, err := translog.Append(-1, leaves(1), nil); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("Append(-1, …) = %v, want ErrInvalid", err)
	}
}

func TestInclusion_proves_a_leaf_and_no_other(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(t, "leaves")
		seq := rapid.IntRange(0, n-1).Draw(t, "seq")
		hashes := leaves(n)
		s := grow(t, hashes)
		proof, err := translog.Inclusion(int64(n), int64(seq), s.read)
		if err != nil {
			t.Fatal(err)
		}
		check := func(proof []ledger.Hash, n, seq int, root, leaf ledger.Hash) error {
			return translog.CheckInclusion(proof, int64(n), root, int64(seq), leaf)
		}
		root, leaf := merkle(hashes), hashes[seq]
		if err := check(proof, n, seq, root, leaf); err != nil {
			t.Fatalf("a true proof was refused: %v", err)
		}
		if check(proof, n, seq, root, flip(t, leaf)) == nil {
			t.Fatal("a proof holds for a leaf with a changed bit")
		}
		if check(proof, n, seq, flip(t, root), leaf) == nil {
			t.Fatal("a proof holds for a root with a changed bit")
		}
		if check(append(slices.Clone(proof), leaf), n, seq, root, leaf) == nil {
			t.Fatal("a proof with a hash too many holds")
		}
		if len(proof) == 0 {
			return
		}
		if check(flipOne(t, proof), n, seq, root, leaf) == nil {
			t.Fatal("a proof with a changed bit holds")
		}
		if check(proof[1:], n, seq, root, leaf) == nil {
			t.Fatal("a proof with a hash too few holds")
		}
		other := (seq + rapid.IntRange(1, n-1).Draw(t, "away")) % n
		if check(proof, n, other, root, leaf) == nil {
			t.Fatalf("the proof of leaf %d holds for leaf %d", seq, other)
		}
	})
}

func TestConsistency_proves_growth_and_no_rewriting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(t, "leaves")
		older := rapid.IntRange(0, n).Draw(t, "older")
		hashes := leaves(n)
		s := grow(t, hashes)
		proof, err := translog.Consistency(int64(n), int64(older), s.read)
		if err != nil {
			t.Fatal(err)
		}
		check := func(proof []ledger.Hash, root, olderRoot ledger.Hash) error {
			return translog.CheckConsistency(proof, int64(n), root, int64(older), olderRoot)
		}
		root, olderRoot := merkle(hashes), merkle(hashes[:older])
		if err := check(proof, root, olderRoot); err != nil {
			t.Fatalf("a true proof was refused: %v", err)
		}
		if check(proof, root, flip(t, olderRoot)) == nil {
			t.Fatal("a proof holds for another older root")
		}
		if older > 0 && check(proof, flip(t, root), olderRoot) == nil {
			t.Fatal("a proof holds for another root")
		}
		if len(proof) > 0 && check(flipOne(t, proof), root, olderRoot) == nil {
			t.Fatal("a proof with a changed bit holds")
		}
		if check(append(slices.Clone(proof), root), root, olderRoot) == nil {
			t.Fatal("a proof with a hash too many holds")
		}
	})
}

// flip changes one bit of a hash.
func flip(t *rapid.T, h ledger.Hash) ledger.Hash {
	bit := rapid.IntRange(0, 8*len(h)-1).Draw(t, "bit")
	h[bit/8] ^= 1 << (bit % 8)
	return h
}

// flipOne changes one bit of one of the hashes.
func flipOne(t *rapid.T, hashes []ledger.Hash) []ledger.Hash {
	changed := slices.Clone(hashes)
	i := rapid.IntRange(0, len(changed)-1).Draw(t, "hash")
	changed[i] = flip(t, changed[i])
	return changed
}

// A reader that answers too little, and sizes that no tree has, are errors and never a panic.
func TestReaders_and_sizes_that_lie_are_errors(t *testing.T) {
	s := grow(t, leaves(5))
	short := func([]int64) ([]ledger.Hash, error) { return nil, nil }
	tests := []struct {
		name string
		try  func() error
	}{
		{"a root of a negative size", func() error { _, err := translog.Root(-1, s.read); return err }},
		{"a root beyond the store", func() error { _, err := translog.Root(6, s.read); return err }},
		{"a root from a short reader", func() error { _, err := translog.Root(5, short); return err }},
		{"a leaf before the first", func() error { _, err := translog.StoredLeafHash(-1, s.read); return err }},
		{"a leaf after the last", func() error { _, err := translog.StoredLeafHash(5, s.read); return err }},
		{"a leaf from a short reader", func() error { _, err := translog.StoredLeafHash(0, short); return err }},
		{"inclusion of a leaf after the last", func() error { _, err := translog.Inclusion(5, 5, s.read); return err }},
		{"inclusion from a short reader", func() error { _, err := translog.Inclusion(5, 0, short); return err }},
		{"consistency with a larger tree", func() error { _, err := translog.Consistency(4, 5, s.read); return err }},
		{"consistency of a negative size", func() error { _, err := translog.Consistency(-1, 0, s.read); return err }},
		{"a check of a negative size", func() error {
			return translog.CheckConsistency(nil, -1, ledger.Hash{}, 0, merkle(nil))
		}},
		{"an empty tree with a root", func() error {
			return translog.CheckConsistency(nil, 0, ledger.Hash{1}, 0, merkle(nil))
		}},
		{"a check of a leaf after the last", func() error {
			return translog.CheckInclusion(nil, 1, ledger.Hash{}, 1, ledger.Hash{})
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.try(); err == nil {
				t.Error("got no error")
			}
		})
	}
}

// Of sizes near the end of 64 bits the library beneath computes for ever: they are refused before it is asked.
func TestSizes_above_the_most_that_a_log_has_are_errors(t *testing.T) {
	s, none := grow(t, leaves(5)), ledger.Hash{}
	for _, n := range []int64{translog.SizeMax + 1, 1<<62 + 1, math.MaxInt64} {
		_, root := translog.Root(n, s.read)
		_, added := translog.Append(n, leaves(1), nil)
		_, leaf := translog.StoredLeafHash(n, s.read)
		_, included := translog.Inclusion(n, 0, s.read)
		_, continues := translog.Consistency(n, 5, s.read)
		_, opened := translog.ParseCheckpoint(translog.Checkpoint{Origin: "log", Size: n}.Text())
		for i, err := range []error{root, added, leaf, included, continues, opened, translog.CheckInclusion(nil, n, none, 0, none),
			translog.CheckConsistency(nil, n, none, 5, none), translog.CheckConsistency(nil, n, none, 0, merkle(nil))} {
			if !errors.Is(err, ledger.ErrInvalid) {
				t.Errorf("%d: error %d = %v, want one that says it is invalid", n, i, err)
			}
		}
		if f := translog.Frontier(n); f != nil {
			t.Errorf("Frontier(%d) = %v", n, f)
		}
	}
	if f := translog.Frontier(translog.SizeMax); len(f) != 1 {
		t.Errorf("Frontier(SizeMax) = %v, want one subtree", f)
	}
	if _, err := translog.Append(translog.SizeMax, leaves(1), nil); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("a leaf more than there can be: err = %v", err)
	}
}

func TestStoredLeafHash_gives_each_leaf(t *testing.T) {
	hashes := leaves(9)
	s := grow(t, hashes, 4)
	for i, want := range hashes {
		if got, err := translog.StoredLeafHash(int64(i), s.read); err != nil || got != want {
			t.Errorf("StoredLeafHash(%d) = %s, %v, want %s", i, got, err, want)
		}
	}
}

func TestLeafHash_is_SHA256_of_a_zero_byte_and_the_text(t *testing.T) {
	if got, want := translog.LeafHash([]byte("x\n")), ledger.Hash(sha256.Sum256([]byte("\x00x\n"))); got != want {
		t.Errorf("LeafHash = %s, want %s", got, want)
	}
}

func ExampleAppend() {
	var first, second = []byte("first\n"), []byte("second\n")
	stored, err := translog.Append(0, []ledger.Hash{translog.LeafHash(first), translog.LeafHash(second)}, nil)
	if err != nil {
		panic(err)
	}
	for _, s := range stored {
		fmt.Println(s.Index, s.Hash.String()[:16])
	}
	// Output:
	// 0 ffecee1473bdd8ce
	// 1 e22becbce1d97d1f
	// 2 7901670a6302e65a
}

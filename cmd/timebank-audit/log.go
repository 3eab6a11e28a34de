package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"timebank/ledger"
	"timebank/ledger/translog"
)

const bundleWidth = 256

// audited is what a check of the log came to.
type audited struct {
	Origin  string `json:"origin"`
	Size    int64  `json:"size"`
	Root    string `json:"root"`
	Since   int64  `json:"since"` // size of the checkpoint that was seen before; 0 when none was
	Leaves  int64  `json:"leaves"`
	checked translog.Checkpoint
	signed  []byte
}

// openLog reads the checkpoint, and gives a reader of hashes each of which it proves to be in that tree.
func (s *source) openLog(key note.Verifier) (a audited, hashes tlog.HashReader, err error) {
	if a.signed, err = s.get("/checkpoint"); err != nil {
		return a, nil, err
	}
	if a.checked, err = translog.Open(a.signed, note.VerifierList(key)); err != nil {
		return a, nil, fmt.Errorf("the checkpoint: %w", err)
	}
	c := a.checked
	if c.Origin != key.Name() {
		return a, nil, fmt.Errorf("the checkpoint is of the log %q, the key of %q", c.Origin, key.Name())
	}
	a.Origin, a.Size, a.Root = c.Origin, c.Size, c.Root.String()
	return a, tlog.TileHashReader(tlog.Tree{N: c.Size, Hash: tlog.Hash(c.Root)}, s), nil
}

// continues shows that the log is the one of a checkpoint that was seen before, and more.
func (a *audited) continues(file string, key note.Verifier, hashes tlog.HashReader) error {
	seen, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	before, err := translog.Open(seen, note.VerifierList(key))
	if err != nil {
		return fmt.Errorf("%w: the checkpoint in %s: %w", errUnreachable, file, err)
	}
	if a.Since = before.Size; before.Size > a.Size {
		return fmt.Errorf("the log had %d entries and has %d: it lost some", before.Size, a.Size)
	}
	if before.Size == 0 {
		return nil
	}
	root, err := tlog.TreeHash(before.Size, hashes)
	if err != nil {
		return err
	}
	if root != tlog.Hash(before.Root) {
		return fmt.Errorf("the first %d entries are not those that were signed before: the log was rewritten", before.Size)
	}
	return nil
}

// walk reads every leaf, proves that it is in the signed log, and shows it.
func (a *audited) walk(s *source, hashes tlog.HashReader, show func(translog.LeafFields) error, bar func(done, of int64)) error {
	for first := int64(0); first < a.Size; first += bundleWidth {
		width := min(bundleWidth, a.Size-first)
		leaves, err := s.bundle(first, int(width))
		if err != nil {
			return err
		}
		indexes := make([]int64, width)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
		}
		want, err := hashes.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for i, leaf := range leaves {
			if tlog.RecordHash(leaf) != want[i] {
				return fmt.Errorf("leaf %d is not the one in the signed log", first+int64(i))
			}
			if err := a.leaf(ledger.Seq(first+int64(i)), leaf, show); err != nil {
				return err
			}
		}
		bar(first+width, a.Size)
	}
	return nil
}

// leaf checks what a leaf says: its number, and that it moves nothing out of nothing.
func (a *audited) leaf(seq ledger.Seq, text []byte, show func(translog.LeafFields) error) error {
	f, err := translog.ParseLeaf(text)
	if err != nil {
		return fmt.Errorf("leaf %d: %w", seq, err)
	}
	if f.Seq != seq || !bytes.Equal(f.Text(), text) {
		return fmt.Errorf("leaf %d says that it is %d, or is not written as leaves are", seq, f.Seq)
	}
	sums := map[ledger.Unit]ledger.Minutes{}
	for _, p := range f.Postings {
		sums[p.Unit] += p.Minutes
	}
	for unit, sum := range sums {
		if sum != 0 {
			return fmt.Errorf("leaf %d: its postings in %s sum to %d, not to zero", seq, unit, int64(sum))
		}
	}
	a.Leaves++
	return show(f)
}

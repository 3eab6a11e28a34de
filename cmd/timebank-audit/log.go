package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"
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
func (s *source) openLog(key keys) (a audited, hashes tlog.HashReader, err error) {
	if a.signed, err = s.get("/checkpoint"); err != nil {
		return a, nil, err
	}
	if a.checked, err = translog.Open(a.signed, key); err != nil {
		return a, nil, fmt.Errorf("the checkpoint: %w", err)
	}
	c := a.checked
	if c.Origin != key.name {
		return a, nil, fmt.Errorf("the checkpoint is of the log %q, the key of %q", c.Origin, key.name)
	}
	a.Origin, a.Size, a.Root = c.Origin, c.Size, c.Root.String()
	return a, tlog.TileHashReader(tlog.Tree{N: c.Size, Hash: tlog.Hash(c.Root)}, s), nil
}

// continues shows that the log is the one of a checkpoint that was seen before, and more.
func (a *audited) continues(file string, key keys, hashes tlog.HashReader) error {
	seen, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	before, err := translog.Open(seen, key)
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

// walk reads every leaf from one on, proves that it is in the signed log, and shows it.
func (a *audited) walk(s *source, hashes tlog.HashReader, from int64, show func(translog.LeafFields) error, bar func(done, of int64)) error {
	for first := from / bundleWidth * bundleWidth; first < a.Size; first += bundleWidth {
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
			if first+int64(i) < from {
				continue
			}
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

func logCommand() *cobra.Command {
	var s settings
	var follow bool
	var every time.Duration
	cmd := &cobra.Command{
		Use: "log URL", Short: "Prove every leaf to be in the signed log, and the log to continue what was seen before", Args: one,
		Long: `Proves every leaf to be in the signed tree, and to move nothing out of nothing. With --seen the log must
continue the checkpoint that was kept there the last time. With --follow it goes on, and proves
what is new as it comes, until it is interrupted or something is wrong.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			nothing := func(translog.LeafFields) error { return nil }
			_, a, err := s.check(cmd, args[0], nil, nothing)
			if err == nil {
				err = s.print(cmd, a, "%s: %d leaves are those of the signed root %s", a.Origin, a.Leaves, a.Root)
			}
			for err == nil && follow {
				select {
				case <-cmd.Context().Done():
					return nil
				case <-time.After(every):
				}
				a, err = s.more(cmd, args[0], a)
			}
			return err
		},
	}
	s.flags(cmd)
	cmd.Flags().BoolVar(&follow, "follow", false, "go on, and prove what is new")
	cmd.Flags().DurationVar(&every, "every", 5*time.Second, "how often to look, with --follow")
	return cmd
}

// more proves what the log has more than when it was audited before. A server that does not answer is asked again.
func (s *settings) more(cmd *cobra.Command, address string, before audited) (audited, error) {
	o, err := s.open(cmd, address)
	if err == nil && o.Size < before.Size {
		err = fmt.Errorf("the log had %d entries and has %d: it lost some", before.Size, o.Size)
	}
	if err == nil && before.Size > 0 {
		var root tlog.Hash
		if root, err = tlog.TreeHash(before.Size, o.hashes); err == nil && root != tlog.Hash(before.checked.Root) {
			err = fmt.Errorf("the first %d entries are not those that were signed before: the log was rewritten", before.Size)
		}
		err = o.from.why(err)
	}
	if err == nil && o.Size > before.Size {
		o.Since, o.Leaves = before.Size, before.Leaves
		err = o.prove(cmd, before.Size, func(translog.LeafFields) error { return nil })
		if err == nil {
			err = errors.Join(s.keep(o), s.print(cmd, o.audited, "%s: %d leaves, %d of them new, are those of the signed root %s", o.Origin, o.Leaves, o.Size-before.Size, o.Root))
		}
	}
	switch {
	case cmd.Context().Err() != nil:
		return before, nil
	case errors.Is(err, errUnreachable):
		fmt.Fprintln(cmd.ErrOrStderr(), "timebank-audit:", err)
		return before, nil
	case err != nil:
		return before, err
	}
	return o.audited, nil
}

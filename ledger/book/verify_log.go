package book

import (
	"context"
	"fmt"
	"math"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"timebank/ledger"
	"timebank/ledger/translog"
)

// leafOf gives the last leaf that a stored hash covers.
func leafOf(index int64) ledger.Seq {
	level, n := tlog.SplitStoredHashIndex(index)
	return ledger.Seq((n+1)<<level - 1)
}

// checkpointsPage is how many checkpoints are read at a time: a log that is signed every second has many.
const checkpointsPage = 500

type checkpointRow struct {
	Size int64  `db:"size"`
	Note string `db:"note"`
}

// checkCheckpoints opens every checkpoint with the log's key and computes its root again from the stored hashes, which
// the walk compares with the entries. size is that of the log.
func (a *aside) checkCheckpoints(ctx context.Context, outside []byte, size ledger.Seq) error {
	if size > 0 {
		stored, err := a.stored(ctx, []int64{int64(size)})
		if err != nil {
			return err
		}
		if a.root, err = translog.Root(int64(size), stored); err != nil {
			a.log.find(-1, "the root of the log cannot be computed: %v", err)
		}
	}
	// A page begins with the size that the one before ended with, less the rows of it that were read: a size that is there
	// twice is seen wherever it stands.
	const query = `SELECT size, coalesce(note, '') AS note FROM checkpoint WHERE size >= $1 ORDER BY size OFFSET $2 LIMIT $3`
	last, again := int64(math.MinInt64), 0
	for {
		rows, err := selectAll[checkpointRow](ctx, a.tx, query, last, again, checkpointsPage)
		if err != nil {
			return fmt.Errorf("reading checkpoints: %w", err)
		}
		if len(rows) == 0 {
			if of := a.rows["checkpoint"]; of != a.checkpoints {
				a.log.find(-1, "table checkpoint has %d rows, of which %d have a size", of, a.checkpoints)
			}
			return a.checkOutside(ctx, outside, last, size)
		}
		if err := a.checkSigned(ctx, rows, last, size); err != nil {
			return err
		}
		for _, r := range rows {
			if r.Size != last {
				last, again = r.Size, 0
			}
			again++
		}
	}
}

// checkSigned checks checkpoints in the order of their sizes; before is the size of the one before them.
func (a *aside) checkSigned(ctx context.Context, rows []checkpointRow, before int64, size ledger.Seq) error {
	opened := make([]openedCheckpoint, len(rows))
	for i, r := range rows {
		opened[i] = a.open(fmt.Sprintf("checkpoint %d", r.Size), []byte(r.Note), r.Size)
	}
	stored, err := a.stored(ctx, sizesOf(opened, size))
	if err != nil {
		return err
	}
	for i, r := range rows {
		if r.Size == before {
			a.log.find(-1, "checkpoint %d is there twice", r.Size)
		}
		before = r.Size
		a.checkpoints++
		a.checkOpened(opened[i], size, stored)
	}
	return nil
}

func (a *aside) checkOutside(ctx context.Context, outside []byte, last int64, size ledger.Seq) error {
	if len(outside) == 0 {
		return nil
	}
	o := a.open("the checkpoint kept outside the database", outside, -1)
	stored, err := a.stored(ctx, sizesOf([]openedCheckpoint{o}, size))
	if err != nil {
		return err
	}
	a.checkOpened(o, size, stored)
	if o.err == nil && last < o.Size {
		a.log.find(-1, "the checkpoint of size %d, kept outside the database, is not in it any more", o.Size)
	}
	return nil
}

// openedCheckpoint is a checkpoint opened with the log's key, or why it does not open.
type openedCheckpoint struct {
	translog.Checkpoint
	name string
	size int64 // that it is kept under; -1 for none
	err  error
}

func (a *aside) open(name string, signed []byte, size int64) openedCheckpoint {
	c, err := a.book.openCheckpoint(signed)
	return openedCheckpoint{c, name, size, err}
}

// sizesOf gives the sizes of which the root can be computed.
func sizesOf(opened []openedCheckpoint, size ledger.Seq) (sizes []int64) {
	for _, o := range opened {
		if o.err == nil && o.Size <= int64(size) {
			sizes = append(sizes, o.Size)
		}
	}
	return sizes
}

func (a *aside) checkOpened(o openedCheckpoint, size ledger.Seq, stored translog.Reader) {
	switch {
	case o.err != nil:
		a.log.find(-1, "%s does not open: %v", o.name, o.err)
		return
	case o.size >= 0 && o.Size != o.size:
		a.log.find(-1, "%s is of size %d", o.name, o.Size)
		return
	case o.Size > int64(size):
		a.log.find(size, "is missing: %s says that %d entries were signed", o.name, o.Size)
		return
	}
	root, err := translog.Root(o.Size, stored)
	if err != nil {
		a.log.find(-1, "%s: the root cannot be computed: %v", o.name, err)
	} else if root != o.Root {
		a.log.find(-1, "%s: the first %d entries are not those that were signed", o.name, o.Size)
	}
}

// stored reads, with one query, the stored hashes of which the roots of some sizes are made.
func (a *aside) stored(ctx context.Context, sizes []int64) (translog.Reader, error) {
	var ids []int64
	for _, size := range sizes {
		ids = append(ids, translog.Frontier(size)...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	found, err := findHashes(ctx, a.tx, ids)
	if err != nil {
		return nil, err
	}
	return func(ids []int64) ([]ledger.Hash, error) {
		hashes := make([]ledger.Hash, len(ids))
		for i, id := range ids {
			var ok bool
			if hashes[i], ok = found[id]; !ok {
				return nil, fmt.Errorf("stored hash %d is missing", id)
			}
		}
		return hashes, nil
	}, nil
}

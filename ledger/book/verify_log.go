package book

import (
	"bytes"
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"timebank/ledger"
	"timebank/ledger/translog"
)

// checkHashes compares the stored hashes with those that the entries give.
func (v *verifier) checkHashes(ctx context.Context, first int64, leaves []ledger.Hash) error {
	if first != int64(v.next)-int64(len(leaves)) { // a gap was found: nothing after it can be placed
		return nil
	}
	known := make(map[int64]ledger.Hash)
	for _, id := range translog.Frontier(first) {
		known[id] = v.frontier[id]
	}
	want, err := translog.Append(first, leaves, known)
	if err != nil {
		return fmt.Errorf("hashing leaves from %d: %w", first, err)
	}
	type hashRow struct {
		ID   int64  `db:"id"`
		Hash []byte `db:"hash"`
	}
	rows, err := selectAll[hashRow](ctx, v.tx, `SELECT id, hash FROM hash WHERE id BETWEEN $1 AND $2`, want[0].Index, want[len(want)-1].Index)
	if err != nil {
		return fmt.Errorf("reading hashes: %w", err)
	}
	stored := make(map[int64][]byte, len(rows))
	for _, r := range rows {
		stored[r.ID] = r.Hash
	}
	for _, w := range want {
		known[w.Index] = w.Hash
		if !bytes.Equal(stored[w.Index], w.Hash[:]) {
			v.find(leafOf(w.Index), "stored hash %d is not that of the entries", w.Index)
		}
	}
	v.frontier = make(map[int64]ledger.Hash)
	for _, id := range translog.Frontier(first + int64(len(leaves))) {
		v.frontier[id] = known[id]
	}
	return nil
}

// leafOf gives the last leaf that a stored hash covers.
func leafOf(index int64) ledger.Seq {
	level, n := tlog.SplitStoredHashIndex(index)
	return ledger.Seq((n+1)<<level - 1)
}

// checkCheckpoints opens every checkpoint with the log's key and recomputes its root.
func (v *verifier) checkCheckpoints(ctx context.Context) error {
	type checkpointRow struct {
		Size int64  `db:"size"`
		Note string `db:"note"`
	}
	rows, err := selectAll[checkpointRow](ctx, v.tx, `SELECT size, note FROM checkpoint ORDER BY size`)
	if err != nil {
		return fmt.Errorf("reading checkpoints: %w", err)
	}
	if v.next > 0 {
		if v.report.Root, err = translog.Root(int64(v.next), v.stored(ctx)); err != nil {
			v.find(-1, "the root of the log cannot be computed: %v", err)
		}
	}
	for i, r := range rows {
		if i > 0 && rows[i-1].Size == r.Size {
			v.find(-1, "checkpoint %d is there twice", r.Size)
		}
		v.report.Checkpoints++
		v.checkCheckpoint(ctx, fmt.Sprintf("checkpoint %d", r.Size), []byte(r.Note), r.Size)
	}
	if len(v.outside) > 0 {
		v.checkCheckpoint(ctx, "the checkpoint kept outside the database", v.outside, -1)
		if c, err := v.b.openCheckpoint(v.outside); err == nil && (len(rows) == 0 || rows[len(rows)-1].Size < c.Size) {
			v.find(-1, "the checkpoint of size %d, kept outside the database, is not in it any more", c.Size)
		}
	}
	return nil
}

func (v *verifier) checkCheckpoint(ctx context.Context, name string, signed []byte, size int64) {
	c, err := v.b.openCheckpoint(signed)
	switch {
	case err != nil:
		v.find(-1, "%s does not open: %v", name, err)
		return
	case size >= 0 && c.Size != size:
		v.find(-1, "%s is of size %d", name, c.Size)
		return
	case c.Size > int64(v.next):
		v.find(v.next, "is missing: %s says that %d entries were signed", name, c.Size)
		return
	}
	root, err := translog.Root(c.Size, v.stored(ctx))
	if err != nil {
		v.find(-1, "%s: the root cannot be computed: %v", name, err)
	} else if root != c.Root {
		v.find(-1, "%s: the first %d entries are not those that were signed", name, c.Size)
	}
}

func (v *verifier) stored(ctx context.Context) translog.Reader {
	return func(ids []int64) ([]ledger.Hash, error) { return hashesOf(ctx, v.tx, ids) }
}

package book

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"

	"timebank/ledger"
	"timebank/ledger/translog"
)

// recorder writes what a batch has decided while the rest of it is being decided, within the batch's
// transaction: one core decides, and another, PostgreSQL's, records. Deciding is pure, so the connection is the
// recorder's alone until end.
type recorder struct {
	frontier map[int64]ledger.Hash // hashes at the right edge of the log, after all that was recorded; read it after end
	parts    chan part
	ended    chan struct{}
	closed   bool
	err      error
}

const (
	// partMin is how many commands are worth statements of their own: with 32 a batch of claims took PostgreSQL a
	// third more time than with all in one part, and the cores had other things to do.
	partMin = 128
	// partsMax bounds the parts that wait; of more, deciding waits for recording.
	partsMax = 8
)

// beginRecording begins to record what is handed over.
func beginRecording(ctx context.Context, tx *writeTx, w *world) *recorder {
	r := &recorder{frontier: w.frontier, parts: make(chan part, partsMax), ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		for p := range r.parts {
			if r.err == nil { // after a failure nothing more is written, and the whole batch is rolled back
				r.err = r.write(ctx, tx, p)
			}
		}
	}()
	return r
}

// record takes a part over. It does not wait for it to be written.
func (r *recorder) record(p part) {
	if len(p.records) > 0 {
		r.parts <- p
	}
}

// end waits until all is written, or one part failed. Nothing is handed over after it; it may be called again.
func (r *recorder) end() error {
	if !r.closed {
		r.closed = true
		close(r.parts)
	}
	<-r.ended
	return r.err
}

// write writes a part. A panic, our own mistake about one command, is an error of the batch, as it is where commands
// are decided: nobody else recovers in this goroutine.
func (r *recorder) write(ctx context.Context, tx *writeTx, p part) (err error) {
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("recording: panic: %v\n%s", x, debug.Stack())
		}
	}()
	hashes, err := r.hashes(p)
	if err != nil {
		return err
	}
	return p.write(ctx, tx, hashes)
}

// hashes joins the leaves of a part to the log.
func (r *recorder) hashes(p part) (insert, error) {
	leaves := make([]ledger.Hash, len(p.records))
	for i, record := range p.records {
		leaves[i] = record.LeafHash
	}
	first := p.records[0].Seq
	stored, err := translog.Append(int64(first), leaves, r.frontier)
	if err != nil {
		return insert{}, fmt.Errorf("hashing leaves: %w", err)
	}
	r.frontier = frontierAfter(first+ledger.Seq(len(leaves)), stored, r.frontier)
	ids, hashes := make([]int64, len(stored)), make([][]byte, len(stored))
	for i, s := range stored {
		ids[i], hashes[i] = s.Index, s.Hash[:]
	}
	const query = `INSERT INTO hash (id, hash) SELECT * FROM unnest($1::bigint[], $2::bytea[])`
	return insert{query, []any{bigints(ids), byteas(hashes)}}, nil
}

// frontierAfter gives the right edge of a log of so many leaves, from the hashes stored last and the edge before.
func frontierAfter(next ledger.Seq, stored []translog.StoredHash, before map[int64]ledger.Hash) map[int64]ledger.Hash {
	all := maps.Clone(before)
	for _, s := range stored {
		all[s.Index] = s.Hash
	}
	edge := make(map[int64]ledger.Hash)
	for _, index := range translog.Frontier(int64(next)) {
		edge[index] = all[index]
	}
	return edge
}

// full reports whether enough was decided for a part, with enough to come for another.
func (w *world) full(left int) bool { return len(w.records)-w.handed >= partMin && left >= partMin/2 }

// hand gives what was decided since it was last asked.
func (w *world) hand() part {
	p := part{w.now, w.records[w.handed:], w.effects[w.handed:], w.newAnswers}
	w.handed, w.newAnswers = len(w.records), nil
	return p
}

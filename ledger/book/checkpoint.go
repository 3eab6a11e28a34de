package book

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lib/pq"

	"timebank/ledger"
	"timebank/ledger/translog"
)

// checkpointEvery is how often the log is signed when there is something new: soon enough that a
// receipt is provable within seconds, seldom enough to cost nothing.
const checkpointEvery = time.Second

// ErrRolledBack says that the database is older than, or another than, what this installation signed.
var ErrRolledBack = errors.New("the database does not continue what was signed")

// publishCheckpoints signs the log about once a second, when it has grown, until ctx ends. It ends with
// an error, and so ends the server, when the database contradicts what was signed before.
func (b *Book) publishCheckpoints(ctx context.Context) error {
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		if err := b.Publish(ctx); errors.Is(err, ErrRolledBack) {
			return err
		} else if err != nil && ctx.Err() == nil {
			slog.Error("publishing a checkpoint", "error", err) // tried again in a second; /readyz tells
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Publish signs a checkpoint of the log as it stands, unless there is one. Before signing it proves that
// the log continues the last checkpoint in the database and the last one kept outside of it; before
// publishing it offers it to the witnesses.
func (b *Book) Publish(ctx context.Context) error {
	b.appendMu.Lock()
	defer b.appendMu.Unlock()
	unlock, err := b.lockOutside(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	// What was signed is read before the size: another process may post and sign between the two.
	last, lastSize, err := b.Checkpoint(ctx)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return err
	}
	outside, err := b.outside()
	if err != nil {
		return err
	}
	size, err := b.LogSize(ctx)
	if err != nil {
		return fmt.Errorf("reading the log's size: %w", err)
	}
	if err := b.checkContinues(ctx, size, last, outside); err != nil {
		return err
	}
	if size == lastSize || size == 0 {
		if err := b.askOnce(ctx, last, lastSize); err != nil {
			return err
		}
		return b.keepOutside(last)
	}
	signed, err := b.sign(ctx, size)
	if err != nil {
		return err
	}
	if signed, err = b.cosign(ctx, signed, size); err != nil {
		return err
	}
	// Another process may have signed the same size: the same root, so either will do.
	const insert = `INSERT INTO checkpoint (size, note) VALUES ($1, $2) ON CONFLICT (size) DO NOTHING`
	if _, err := b.db.ExecContext(ctx, insert, size, string(signed)); err != nil {
		return fmt.Errorf("keeping a checkpoint: %w", err)
	}
	return b.keepOutside(signed)
}

func (b *Book) sign(ctx context.Context, size int64) ([]byte, error) {
	root, err := translog.Root(size, b.hashReader(ctx))
	if err != nil {
		return nil, fmt.Errorf("computing the root of %d leaves: %w", size, err)
	}
	signers, err := b.keys.Log.signers()
	if err != nil {
		return nil, err
	}
	signed, err := translog.Sign(translog.Checkpoint{Origin: b.cfg.Origin, Size: size, Root: root}, signers...)
	if err != nil {
		return nil, fmt.Errorf("signing a checkpoint: %w", err)
	}
	return signed, nil
}

// checkContinues proves that a log of size entries continues what was signed.
func (b *Book) checkContinues(ctx context.Context, size int64, checkpoints ...[]byte) error {
	for _, signed := range checkpoints {
		if len(signed) == 0 {
			continue
		}
		c, err := b.openCheckpoint(signed)
		if err != nil {
			return fmt.Errorf("%w: a checkpoint does not open: %w", ErrRolledBack, err)
		}
		if c.Size > size {
			return fmt.Errorf("%w: %d entries were signed, the database has %d", ErrRolledBack, c.Size, size)
		}
		root, err := translog.Root(c.Size, b.hashReader(ctx))
		if err != nil {
			return fmt.Errorf("computing the root of %d leaves: %w", c.Size, err)
		}
		if root != c.Root {
			return fmt.Errorf("%w: the first %d entries are not those that were signed", ErrRolledBack, c.Size)
		}
	}
	return nil
}

func (b *Book) openCheckpoint(signed []byte) (translog.Checkpoint, error) {
	verifiers, err := b.keys.Log.verifiers()
	if err != nil {
		return translog.Checkpoint{}, err
	}
	c, err := translog.Open(signed, verifiers)
	if err == nil && c.Origin != b.cfg.Origin {
		err = fmt.Errorf("it is of the log %q, not %q", c.Origin, b.cfg.Origin)
	}
	return c, err
}

// Checkpoint reads the last signed checkpoint, or ErrNotFound when nothing was signed yet.
func (b *Book) Checkpoint(ctx context.Context) (signed []byte, size int64, err error) {
	var row struct {
		Size int64  `db:"size"`
		Note string `db:"note"`
	}
	err = b.db.GetContext(ctx, &row, `SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1`)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, ledger.ErrNotFound
	}
	return []byte(row.Note), row.Size, err
}

// LogVerifier gives the public key of the log, in the form of a signed note's verifier.
func (b *Book) LogVerifier() string { return b.keys.Log.Verifiers[0] }

// Proof shows that an entry's leaf is in a signed log.
type Proof struct {
	Seq        ledger.Seq
	LeafHash   ledger.Hash
	Size       int64
	Hashes     []ledger.Hash
	Checkpoint []byte
}

// Proof gives the proof of an entry within the last signed checkpoint. Anybody may have it: it tells no
// more than hashes. Before the entry is signed, and when there is no such entry, it is ErrNotFound.
func (b *Book) Proof(ctx context.Context, seq ledger.Seq) (Proof, error) {
	signed, size, err := b.Checkpoint(ctx)
	if err != nil {
		return Proof{}, err
	}
	if seq < 0 || int64(seq) >= size {
		return Proof{}, ledger.ErrNotFound
	}
	p := Proof{Seq: seq, Size: size, Checkpoint: signed}
	leaf, err := translog.StoredLeafHash(int64(seq), b.hashReader(ctx))
	if err != nil {
		return Proof{}, fmt.Errorf("reading leaf %d: %w", seq, err)
	}
	p.LeafHash = leaf
	if p.Hashes, err = translog.Inclusion(size, int64(seq), b.hashReader(ctx)); err != nil {
		return Proof{}, fmt.Errorf("proving entry %d: %w", seq, err)
	}
	return p, nil
}

func (b *Book) hashReader(ctx context.Context) func([]int64) ([]ledger.Hash, error) {
	return func(ids []int64) ([]ledger.Hash, error) { return hashesOf(ctx, b.db, ids) }
}

// hashesOf gives stored hashes in the order of their indexes.
func hashesOf(ctx context.Context, q selecter, ids []int64) ([]ledger.Hash, error) {
	found, err := readHashes(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	hashes := make([]ledger.Hash, len(ids))
	for i, id := range ids {
		hashes[i] = found[id]
	}
	return hashes, nil
}

// readHashes reads stored hashes; one that is missing is an error, since the log has no gaps.
func readHashes(ctx context.Context, q selecter, ids []int64) (map[int64]ledger.Hash, error) {
	found, err := findHashes(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, ok := found[id]; !ok {
			return nil, fmt.Errorf("stored hash %d is missing", id)
		}
	}
	return found, nil
}

// findHashes reads those of some stored hashes that are there.
func findHashes(ctx context.Context, q selecter, ids []int64) (map[int64]ledger.Hash, error) {
	type hashRow struct {
		ID   int64  `db:"id"`
		Hash []byte `db:"hash"`
	}
	rows, err := selectAll[hashRow](ctx, q, `SELECT id, hash FROM hash WHERE id = ANY ($1::bigint[])`, pq.Array(ids))
	if err != nil {
		return nil, fmt.Errorf("reading hashes: %w", err)
	}
	found := make(map[int64]ledger.Hash, len(rows))
	for _, r := range rows {
		if len(r.Hash) == len(ledger.Hash{}) {
			found[r.ID] = ledger.Hash(r.Hash)
		}
	}
	return found, nil
}

package book

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"timebank/ledger"
	"timebank/ledger/translog"
	"timebank/ledger/witness"
)

// ErrNoQuorum says that too few witnesses cosigned: the checkpoint is not published, and tried again.
var ErrNoQuorum = errors.New("too few witnesses cosigned")

// cosign offers a signed checkpoint to the witnesses and gives it with what they signed. It fails with ErrNoQuorum,
// or with ErrRolledBack when a witness knows a larger log of ours than the database has.
func (b *Book) cosign(ctx context.Context, signed []byte, size int64) ([]byte, error) {
	if b.cfg.Witnesses.Len() == 0 {
		return signed, nil
	}
	cosigned := 0
	for _, a := range b.offer(ctx, signed, size) {
		if err := b.complain(ctx, a); err != nil {
			return nil, err
		}
		if a.Cosignature != "" {
			cosigned++
			signed = append(signed, a.Cosignature...)
		}
	}
	b.asked = true
	if cosigned < b.cfg.Witnesses.Quorum {
		return nil, fmt.Errorf("%w: %d of the %d demanded, for %d entries", ErrNoQuorum, cosigned, b.cfg.Witnesses.Quorum, size)
	}
	return signed, nil
}

// askOnce offers the checkpoint that is published already, once in the life of a process: a witness may know more
// than a database that was restored together with all that is kept beside it.
func (b *Book) askOnce(ctx context.Context, last []byte, size int64) error {
	if b.asked || b.cfg.Witnesses.Len() == 0 || len(last) == 0 {
		return nil
	}
	b.asked = true
	for _, a := range b.offer(ctx, last, size) {
		if err := b.complain(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

func (b *Book) offer(ctx context.Context, signed []byte, size int64) []witness.Answer {
	// A slow witness is answered after this offer has ended: its proof must not end with it.
	read := b.hashReader(context.WithoutCancel(ctx))
	return b.cfg.Witnesses.Offer(ctx, signed, size, func(older int64) ([]ledger.Hash, error) {
		return translog.Consistency(size, older, read)
	})
}

// complain reports what a witness did not do, and stops the book when it knows entries that the database has lost.
func (b *Book) complain(ctx context.Context, a witness.Answer) error {
	if a.Err == nil {
		return nil
	}
	slog.Warn("a witness did not cosign", "witness", a.Name, "error", a.Err)
	if a.Knows == 0 {
		return nil
	}
	size, err := b.LogSize(ctx) // another process may have offered more meanwhile
	if err != nil {
		return fmt.Errorf("reading the log's size: %w", err)
	}
	if a.Knows > size {
		return fmt.Errorf("%w: the witness %s has cosigned %d entries, the database has %d", ErrRolledBack, a.Name, a.Knows, size)
	}
	return nil
}

package book

import (
	"context"
	"encoding/binary"
	"fmt"

	"timebank/ledger"
	"timebank/ledger/translog"
)

// HashTile gives the hashes of a tile, one after the other. Anybody may have them. Of what the last signed
// checkpoint does not have it is ErrNotFound.
func (b *Book) HashTile(ctx context.Context, t translog.Tile) ([]byte, error) {
	if err := b.signed(ctx, t); err != nil {
		return nil, err
	}
	hashes, err := hashesOf(ctx, b.db, t.Hashes())
	if err != nil {
		return nil, fmt.Errorf("reading a tile of level %d: %w", t.Level, err)
	}
	data := make([]byte, 0, len(hashes)*len(ledger.Hash{}))
	for _, h := range hashes {
		data = append(data, h[:]...)
	}
	return data, nil
}

// EntryBundle gives the leaves of a tile of level 0, each with its length in two bytes before it. The actor
// is an auditor: leaves tell minutes and account numbers.
func (b *Book) EntryBundle(ctx context.Context, by ledger.Actor, t translog.Tile) ([]byte, error) {
	if err := by.May(ledger.RoleAuditor); err != nil {
		return nil, err
	}
	if err := b.signed(ctx, t); err != nil {
		return nil, err
	}
	first := t.Index * translog.TileWidth
	leaves, err := selectAll[string](ctx, b.db, `SELECT leaf FROM entry WHERE seq >= $1 AND seq < $2 ORDER BY seq`, first, first+int64(t.Width))
	if err != nil {
		return nil, fmt.Errorf("reading the leaves from %d: %w", first, err)
	}
	if len(leaves) != t.Width {
		return nil, fmt.Errorf("there are %d leaves from %d, not %d", len(leaves), first, t.Width)
	}
	var data []byte
	for _, leaf := range leaves {
		data = binary.BigEndian.AppendUint16(data, uint16(len(leaf))) // at most 65,535 bytes: a constraint of the table
		data = append(data, leaf...)
	}
	return data, nil
}

func (b *Book) signed(ctx context.Context, t translog.Tile) error {
	_, size, err := b.Checkpoint(ctx)
	if err == nil && !t.In(size) {
		err = ledger.ErrNotFound
	}
	return err
}

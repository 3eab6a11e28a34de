package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/translog"
)

const (
	tileFileMode   = 0o644
	tileFolderMode = 0o755
)

// exportTiles writes the log as it was signed last into a folder: tiles first, the checkpoint at the end, so that a
// folder whose writing was killed has a checkpoint of before, or none. Done again it writes what is new.
func exportTiles(ctx context.Context, b *book.Book, dir string, progress func(done, of int64)) error {
	if err := b.Publish(ctx); err != nil { // what was recorded last is signed before it is exported
		return err
	}
	signed, size, err := b.Checkpoint(ctx)
	if err != nil {
		return fmt.Errorf("reading the checkpoint: %w", err)
	}
	for t := range translog.Tiles(size) {
		data, err := b.HashTile(ctx, t)
		if err == nil {
			err = keepTile(filepath.Join(dir, filepath.FromSlash(t.Path())), data)
		}
		if err == nil && t.Level == 0 {
			if data, err = b.EntryBundle(ctx, ledger.Actor{Role: ledger.RoleAuditor}, t); err == nil {
				err = keepTile(filepath.Join(dir, filepath.FromSlash(t.EntriesPath())), data)
			}
			progress(min(size, (t.Index+1)*translog.TileWidth), size)
		}
		if err != nil {
			return err
		}
	}
	return writeWhole(filepath.Join(dir, "checkpoint"), signed)
}

// keepTile writes a tile that is not there yet; one that is there must be the same.
func keepTile(path string, data []byte) error {
	have, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return writeWhole(path, data)
	case err != nil:
		return err
	case !bytes.Equal(have, data):
		return fmt.Errorf("%s is of another log", path)
	}
	return nil
}

// writeWhole writes a file that is there whole or not at all.
func writeWhole(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), tileFolderMode); err != nil {
		return err
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, data, tileFileMode); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

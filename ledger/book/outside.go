package book

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// outside reads the checkpoint kept outside the database; nothing where none is kept.
func (b *Book) outside() ([]byte, error) {
	if b.cfg.CheckpointFile == "" {
		return nil, nil
	}
	signed, err := os.ReadFile(b.cfg.CheckpointFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the checkpoint kept outside: %w", err)
	}
	return signed, nil
}

// lockOutside lets one process at a time go from reading the checkpoint kept outside to keeping the next: of two
// servers on two copies of a database the second finds what the first has signed, and ends.
func (b *Book) lockOutside(ctx context.Context) (unlock func(), err error) {
	if b.cfg.CheckpointFile == "" {
		return func() {}, nil
	}
	file, err := os.OpenFile(b.cfg.CheckpointFile+".lock", os.O_CREATE|os.O_RDWR, secretFileMode)
	if err != nil {
		return nil, fmt.Errorf("locking the checkpoint kept outside: %w", err)
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil // closing it unlocks it
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), file.Close())
		case <-time.After(lockPause):
		}
	}
}

const lockPause = 10 * time.Millisecond

// keepOutside puts the checkpoint into its file, whole or not at all.
func (b *Book) keepOutside(signed []byte) error {
	if b.cfg.CheckpointFile == "" || len(signed) == 0 {
		return nil
	}
	if kept, err := b.outside(); err == nil && bytes.Equal(kept, signed) {
		return nil
	}
	tmp, err := os.CreateTemp(filepath.Dir(b.cfg.CheckpointFile), ".checkpoint-*")
	if err != nil {
		return fmt.Errorf("keeping a checkpoint outside: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(signed)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), b.cfg.CheckpointFile)
	}
	if err != nil {
		return fmt.Errorf("keeping a checkpoint outside: %w", err)
	}
	return nil
}

package book_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
)

// Yesterday's dump is restored, checkpoints and all: the checkpoint kept outside tells, and nothing is
// signed or written on it.
func TestRunRefusesARolledBackDatabase(t *testing.T) {
	t.Parallel()
	for name, rollback := range map[string]string{
		"entries gone": `DELETE FROM posting WHERE seq >= 5; DELETE FROM claim WHERE seq >= 5; DELETE FROM entry WHERE seq >= 5;
			DELETE FROM hash WHERE id >= 8; DELETE FROM answer WHERE seq >= 5; DELETE FROM checkpoint`,
		"an entry rewritten with its hash": `UPDATE hash SET hash = sha256(hash); DELETE FROM checkpoint`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := booktest.New(t)
			saved(t, b, 300)
			b.Stop(t)
			config := b.Config
			config.CheckpointFile = filepath.Join(t.TempDir(), "checkpoint")
			publish := func() error {
				opened, err := book.Open(t.Context(), config)
				if err != nil {
					t.Fatal(err)
				}
				defer opened.Close()
				return opened.Publish(t.Context())
			}
			if err := publish(); err != nil {
				t.Fatal(err)
			}
			b.Tamper(t, rollback)
			if err := publish(); !errors.Is(err, book.ErrRolledBack) {
				t.Errorf("Publish = %v, want ErrRolledBack", err)
			}
			opened, err := book.Open(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			defer opened.Close()
			if err := opened.Run(context.Background()); !errors.Is(err, book.ErrRolledBack) {
				t.Errorf("Run = %v, want ErrRolledBack", err)
			}
		})
	}
}

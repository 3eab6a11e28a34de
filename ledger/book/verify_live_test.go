package book_test

import (
	"path/filepath"
	"sync"
	"testing"

	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
)

// A book that goes on while it is verified is not called wrong for what was signed meanwhile.
func TestVerifyWhileTheBookGoesOn(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	elder, org, _, _ := saved(t, b, 300)
	config := b.Config
	config.CheckpointFile = filepath.Join(t.TempDir(), "checkpoint")
	other, err := book.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	v, err := other.Verify(t.Context(), func(int64, int64) {
		once.Do(func() {
			b.MustPost(t, org, booktest.Served(t, elder, "2026-03-07", 60))
			if err := other.Publish(t.Context()); err != nil {
				t.Error(err)
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range v.Findings {
		t.Errorf("found: %s", f)
	}
}

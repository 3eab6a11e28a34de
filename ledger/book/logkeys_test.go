package book_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
)

// The log's key is changed with an overlap: both sign, whoever knows either is served, and what the former one
// signed verifies after it has retired.
func TestChangingTheLogKey(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	b.Stop(t)
	dir := t.TempDir()
	load := func() book.LogKeys {
		t.Helper()
		keys, err := book.LoadKeys(dir, booktest.Origin)
		if err != nil {
			t.Fatal(err)
		}
		b.Config.Keys.Log = keys.Log
		return keys.Log
	}
	// signed publishes one more entry, and gives who signed it.
	signed := func() []string {
		t.Helper()
		post(t, b, b.Config)
		opened, err := again(t, b)
		if err != nil {
			t.Fatal(err)
		}
		text, _, err := opened.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var by []string
		for _, verifier := range b.Config.Keys.Log.Verifiers {
			v, err := note.NewVerifier(verifier)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := note.Open(text, note.VerifierList(v)); err == nil {
				by = append(by, verifier)
			}
		}
		verified, err := opened.Verify(t.Context(), nil)
		if err != nil || len(verified.Findings) > 0 {
			t.Errorf("Verify = %v, %v", verified.Findings, err)
		}
		return by
	}
	booktest.Tamper(t, b.Database, `DELETE FROM checkpoint`) // signed by the key of other tests
	first := load().Verifiers[0]
	if by := signed(); !slices.Equal(by, []string{first}) {
		t.Errorf("the first key: signed by %v", by)
	}
	if err := book.RetireLogKey(dir, booktest.Origin); err == nil {
		t.Error("the only key was retired")
	}
	if err := book.RotateLogKey(dir, booktest.Origin); err != nil {
		t.Fatal(err)
	}
	if err := book.RotateLogKey(dir, booktest.Origin); !errors.Is(err, book.ErrKeyChanging) {
		t.Errorf("changing a key that is being changed: %v", err)
	}
	second := load().Verifiers[0]
	if by := signed(); second == first || !slices.Equal(by, []string{second, first}) {
		t.Errorf("while both sign: signed by %v", by)
	}
	if err := book.RetireLogKey(dir, booktest.Origin); err != nil {
		t.Fatal(err)
	}
	if keys := load(); len(keys.Signers) != 1 || !slices.Equal(keys.Verifiers, []string{second, first}) {
		t.Errorf("after the former retired: %v", keys.Verifiers)
	}
	if by := signed(); !slices.Equal(by, []string{second}) {
		t.Errorf("after the former retired: signed by %v", by)
	}
}

// A change of keys that was killed half-way leaves a log that signs, and goes on when it is asked for again.
func TestChangingTheLogKeyIsKilledHalfWay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before, err := book.LoadKeys(dir, booktest.Origin)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(dir, "log.key"), filepath.Join(dir, "log.previous.key")); err != nil {
		t.Fatal(err)
	}
	if k, err := book.LoadKeys(dir, booktest.Origin); err != nil || !slices.Equal(k.Log.Verifiers, before.Log.Verifiers) {
		t.Errorf("half-way: %v, %v", k.Log.Verifiers, err)
	}
	if err := book.RotateLogKey(dir, booktest.Origin); err != nil {
		t.Fatal(err)
	}
	if k, err := book.LoadKeys(dir, booktest.Origin); err != nil || len(k.Log.Signers) != 2 {
		t.Errorf("after it went on: %v, %v", k.Log.Verifiers, err)
	}
	if err := os.Chmod(filepath.Join(dir, "log.previous.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := book.LoadKeys(dir, booktest.Origin); err == nil || !strings.Contains(err.Error(), "read by others") {
		t.Errorf("a former key that others may read: %v", err)
	}
}

package book_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/ledger/witness"
	"timebank/ledger/witness/witnesstest"
)

// witnessed is a book with one witness; the book is stopped, so that the test alone publishes.
func witnessed(t *testing.T, quorum string) (b *booktest.Book, h *witnesstest.Honest, down func()) {
	t.Helper()
	b = booktest.New(t)
	saved(t, b, 300)
	if err := b.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.Stop(t)
	log, err := note.NewVerifier(b.Config.Keys.Log.Verifiers[0])
	if err != nil {
		t.Fatal(err)
	}
	h = &witnesstest.Honest{Log: log}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	signer, line := witnesstest.Key(t, "witness.test/a", server.URL)
	h.Signer = signer
	if b.Config.Witnesses, err = witness.ParseGroup(line + quorum); err != nil {
		t.Fatal(err)
	}
	return b, h, server.Close
}

// again opens the book as a server that starts anew, and publishes.
func again(t *testing.T, b *booktest.Book) (*book.Book, error) {
	t.Helper()
	opened, err := book.Open(t.Context(), b.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	return opened, opened.Publish(t.Context())
}

func post(t *testing.T, b *booktest.Book, config book.Config) {
	t.Helper()
	opened, err := book.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- opened.Run(ctx) }()
	if _, err := opened.RegisterPartner(t.Context(), booktest.Operator, b.Key(), book.Partner{Name: "食堂"}); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// What a witness cosigns is published with its signature; without a quorum nothing is.
func TestPublishIsWitnessed(t *testing.T) {
	t.Parallel()
	b, h, down := witnessed(t, "quorum 1\n")
	post(t, b, b.Config)
	opened, err := again(t, b)
	if err != nil {
		t.Fatal(err)
	}
	signed, size, err := opened.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(signed, note.VerifierList(h.Signer.Verifier()))
	if err != nil || len(n.Sigs) != 1 {
		t.Fatalf("the witness's signature: %v, %v", n, err)
	}
	if when, err := fnote.CoSigV1Timestamp(n.Sigs[0]); err != nil || time.Since(when) > time.Hour {
		t.Errorf("it was cosigned at %v, %v", when, err)
	}
	down()
	b.Config.CheckpointFile = filepath.Join(t.TempDir(), "checkpoint")
	if _, err := again(t, b); err != nil {
		t.Errorf("with the witness down and nothing new: %v", err)
	}
	post(t, b, b.Config) // acknowledged, and provable when the witness is back
	opened, err = again(t, b)
	if !errors.Is(err, book.ErrNoQuorum) {
		t.Errorf("with the witness down: %v, want ErrNoQuorum", err)
	}
	if _, now, err := opened.Checkpoint(t.Context()); err != nil || now != size {
		t.Errorf("a checkpoint of %d was published without a quorum, after %d: %v", now, size, err)
	}
	v, err := opened.Verify(t.Context(), nil)
	if err != nil || len(v.Findings) > 0 {
		t.Errorf("Verify = %v, %v", v.Findings, err)
	}
}

// A database restored with all that was kept beside it is found by the witness.
func TestWitnessKnowsMoreThanTheDatabase(t *testing.T) {
	t.Parallel()
	b, _, _ := witnessed(t, "")
	restored := b.Config
	restored.Service = booktest.Server(t).URL("timebank_service", b.Copy(t))
	post(t, b, b.Config)
	if _, err := again(t, b); err != nil {
		t.Fatal(err)
	}
	opened, err := book.Open(t.Context(), restored)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if err := opened.Run(t.Context()); !errors.Is(err, book.ErrRolledBack) || !strings.Contains(err.Error(), "witness.test/a has cosigned") {
		t.Errorf("Run on yesterday's database = %v, want ErrRolledBack and what the witness knows", err)
	}
}

// Two servers on two copies of one database, with one file outside: one of them ends, and says why.
func TestTwoCopiesCannotBothGoOn(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	saved(t, b, 300)
	b.Stop(t)
	one := b.Config
	one.CheckpointFile = filepath.Join(t.TempDir(), "checkpoint")
	two := one
	two.Service = booktest.Server(t).URL("timebank_service", b.Copy(t))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ended := make(chan error, 2)
	for _, config := range []book.Config{one, two} {
		opened, err := book.Open(ctx, config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := opened.Close(); err != nil {
				t.Error(err)
			}
		})
		go func() { ended <- opened.Run(ctx) }()
		go func() {
			for ctx.Err() == nil { // both are written
				_, _ = opened.RegisterPartner(ctx, booktest.Operator, b.Key(), book.Partner{Name: "食堂"})
				time.Sleep(100 * time.Millisecond)
			}
		}()
	}
	if err := <-ended; !errors.Is(err, book.ErrRolledBack) {
		t.Errorf("the first that ended = %v, want ErrRolledBack", err)
	}
	cancel()
	<-ended
}

// A stock witness, omniwitness of transparency-dev, cosigns growth, and refuses a rollback and a fork of ours.
func TestStockWitness(t *testing.T) {
	t.Parallel()
	binary, err := exec.LookPath("omniwitness")
	if err != nil {
		if os.Getenv("CI") != "" { // which installs it, so that this test runs somewhere
			t.Fatal("omniwitness is not in PATH")
		}
		t.Skip("omniwitness is not in PATH: go install github.com/transparency-dev/witness/cmd/omniwitness@" + omniwitnessVersion)
	}
	b, _, _ := witnessed(t, "")
	line := startOmniwitness(t, binary, b.Config.Origin, b.Config.Keys.Log.Verifiers[0])
	if b.Config.Witnesses, err = witness.ParseGroup(line + "quorum 1\n"); err != nil {
		t.Fatal(err)
	}
	restored := b.Config
	restored.Service = booktest.Server(t).URL("timebank_service", b.Copy(t))
	forked, copied := b.Config, b.Copy(t)
	forked.Service = booktest.Server(t).URL("timebank_service", copied)
	for range 2 { // growth
		post(t, b, b.Config)
		if _, err := again(t, b); err != nil {
			t.Fatal(err)
		}
	}
	opened, err := book.Open(t.Context(), restored)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if err := opened.Publish(t.Context()); !errors.Is(err, book.ErrRolledBack) {
		t.Errorf("a rollback: %v, want ErrRolledBack", err)
	}
	plain := forked
	plain.Witnesses = nil
	for range 3 {
		post(t, b, plain)
	}
	booktest.Tamper(t, copied, `DELETE FROM checkpoint`)
	fork, err := book.Open(t.Context(), forked)
	if err != nil {
		t.Fatal(err)
	}
	defer fork.Close()
	if err := fork.Publish(t.Context()); !errors.Is(err, book.ErrNoQuorum) {
		t.Errorf("a fork: %v, want that the witness cosigns nothing", err)
	}
}

// omniwitnessVersion is the one that docs/auditing.md names.
const omniwitnessVersion = "v0.0.0-20260720115447-2e1c6971d19e"

// startOmniwitness starts the witness with a key of its own, and gives its line of a configuration.
func startOmniwitness(t *testing.T, binary, origin, logKey string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	skey, vkey, err := note.GenerateKey(rand.Reader, "witness.test/omni")
	if err != nil {
		t.Fatal(err)
	}
	if vkey, err = fnote.VKeyToCosignatureV1(vkey); err != nil {
		t.Fatal(err)
	}
	address := "127.0.0.1:" + freePort(t)
	cmd := exec.CommandContext(t.Context(), binary, "--listen", address, "--metrics_listen", "127.0.0.1:"+freePort(t),
		"--private_key_path", write("key", skey), "--db_file", filepath.Join(dir, "db"),
		"--additional_logs", write("logs.yaml", fmt.Sprintf("Logs:\n  - Origin: %s\n    URL: http://127.0.0.1:1/\n    PublicKey: %s\n", origin, logKey)))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(out.String())
		}
	})
	for range 200 {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return "witness " + vkey + " http://" + address + "\n"
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("omniwitness does not listen")
	return ""
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

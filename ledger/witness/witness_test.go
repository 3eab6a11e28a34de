package witness_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"timebank/ledger"
	"timebank/ledger/translog"
	"timebank/ledger/witness"
	"timebank/ledger/witness/witnesstest"
)

// testLog is a log of numbered leaves, which may be forked.
type testLog struct {
	signer   note.Signer
	verifier note.Verifier
	hashes   map[int64]ledger.Hash
	size     int64
}

const origin = "witness.test/log"

func newLog(t *testing.T) *testLog {
	t.Helper()
	skey, vkey, err := translog.NewKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	l := &testLog{hashes: map[int64]ledger.Hash{}}
	if l.signer, err = note.NewSigner(skey); err != nil {
		t.Fatal(err)
	}
	if l.verifier, err = note.NewVerifier(vkey); err != nil {
		t.Fatal(err)
	}
	return l
}

// grow adds leaves; other words make another log.
func (l *testLog) grow(t *testing.T, to int64, words string) {
	t.Helper()
	for ; l.size < to; l.size++ {
		stored, err := translog.Append(l.size, []ledger.Hash{sha256.Sum256(fmt.Append(nil, words, l.size))}, l.hashes)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range stored {
			l.hashes[s.Index] = s.Hash
		}
	}
}

func (l *testLog) read(ids []int64) ([]ledger.Hash, error) {
	hashes := make([]ledger.Hash, len(ids))
	for i, id := range ids {
		hashes[i] = l.hashes[id]
	}
	return hashes, nil
}

func (l *testLog) checkpoint(t *testing.T, size int64) []byte {
	t.Helper()
	root, err := translog.Root(size, l.read)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := translog.Sign(translog.Checkpoint{Origin: origin, Size: size, Root: root}, l.signer)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func (l *testLog) offer(t *testing.T, g *witness.Group, size int64) []witness.Answer {
	t.Helper()
	return g.Offer(t.Context(), l.checkpoint(t, size), size, func(older int64) ([]ledger.Hash, error) {
		return translog.Consistency(size, older, l.read)
	})
}

func group(t *testing.T, text string) *witness.Group {
	t.Helper()
	g, err := witness.ParseGroup(text)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func serveWitness(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/w"
}

// A witness cosigns growth, from whatever size it knows, and refuses a log that is shorter or another.
func TestOffer(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.grow(t, 40, "leaf")
	h := &witnesstest.Honest{Log: l.verifier}
	url := serveWitness(t, h)
	signer, line := witnesstest.Key(t, "witness.test/a", url)
	h.Signer = signer
	g := group(t, line+"quorum 1\n")
	for _, size := range []int64{3, 3, 17, 40} {
		a := l.offer(t, g, size)[0]
		if a.Err != nil || a.Cosignature == "" {
			t.Fatalf("size %d: %+v", size, a)
		}
		open, err := note.Open(append(l.checkpoint(t, size), a.Cosignature...), note.VerifierList(signer.Verifier(), l.verifier))
		if err != nil || len(open.Sigs) != 2 {
			t.Errorf("size %d: the cosigned checkpoint opens with %v, %v", size, open, err)
		}
	}
	again := group(t, line) // a server that starts anew knows nothing of the witness
	if a := l.offer(t, again, 40)[0]; a.Err != nil {
		t.Errorf("after a restart: %v", a.Err)
	}
	if a := l.offer(t, again, 20)[0]; a.Knows != 40 || a.Cosignature != "" {
		t.Errorf("a rollback: %+v, want that it knows 40", a)
	}
	fork := newLog(t)
	fork.signer = l.signer
	fork.grow(t, 50, "another leaf")
	if a := fork.offer(t, again, 50)[0]; a.Err == nil || !strings.Contains(a.Err.Error(), "422") {
		t.Errorf("a fork: %+v, want 422", a)
	}
}

// Whatever a witness does wrong is an error of its own, and keeps no other and no checkpoint waiting.
func TestOfferSuffersNoWitness(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.grow(t, 9, "leaf")
	good := &witnesstest.Honest{Log: l.verifier}
	stop := make(chan struct{})
	text := ""
	add := func(name string, h func(s *fnote.Signer) http.HandlerFunc) {
		var handler http.HandlerFunc
		url := serveWitness(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler(w, r) }))
		signer, line := witnesstest.Key(t, "witness.test/"+name, url)
		handler = h(signer)
		text += line
	}
	says := func(code int, body string) func(*fnote.Signer) http.HandlerFunc {
		return func(*fnote.Signer) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				if code == http.StatusConflict {
					w.Header().Set("Content-Type", "text/x.tlog.size")
				}
				w.WriteHeader(code)
				fmt.Fprint(w, body)
			}
		}
	}
	add("slow", func(*fnote.Signer) http.HandlerFunc {
		return func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-stop:
			case <-r.Context().Done():
			}
		}
	})
	add("good", func(s *fnote.Signer) http.HandlerFunc {
		good.Signer = s
		return good.ServeHTTP
	})
	add("signs-something-else", func(s *fnote.Signer) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			signed, _ := note.Sign(&note.Note{Text: "something else\n"}, s)
			_, line, _ := strings.Cut(string(signed), "\n\n")
			fmt.Fprint(w, line)
		}
	})
	stranger, _ := witnesstest.Key(t, "witness.test/stranger", "http://x")
	add("has-another-key", func(*fnote.Signer) http.HandlerFunc {
		return (&witnesstest.Honest{Log: l.verifier, Signer: stranger}).ServeHTTP
	})
	add("conflicts-for-ever", says(http.StatusConflict, "5\n"))
	add("no-size", says(http.StatusConflict, "five\n"))
	add("silent", says(http.StatusOK, ""))
	add("garbage", says(http.StatusOK, "— x y\n"))
	add("endless", says(http.StatusOK, strings.Repeat("x", 1<<20)))
	add("broken", says(http.StatusInternalServerError, "oh"))
	add("elsewhere", func(*fnote.Signer) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}
	})
	_, dead := witnesstest.Key(t, "witness.test/dead", "http://127.0.0.1:1")
	g := group(t, text+dead)
	t.Cleanup(func() { close(stop) }) // before the servers end, which wait for it
	for round := range 2 {
		begun := time.Now()
		for _, a := range l.offer(t, g, 9) {
			if ok := a.Name == "witness.test/good"; (a.Err == nil) != ok || (a.Cosignature != "") != ok || a.Knows != 0 {
				t.Errorf("round %d: %+v", round, a)
			}
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("round %d took %v", round, took)
		}
	}
}

func TestParseGroup(t *testing.T) {
	t.Parallel()
	_, a := witnesstest.Key(t, "witness.test/a", "https://a.test/w/")
	_, b := witnesstest.Key(t, "witness.test/b", "http://127.0.0.1:7380")
	if g, err := witness.ParseGroup("# ours\n\n" + a + b + "quorum 2 # both\n"); err != nil || g.Len() != 2 || g.Quorum != 2 {
		t.Errorf("ParseGroup = %+v, %v", g, err)
	}
	for name, text := range map[string]string{
		"nonsense": "trust me\n", "twice": a + a, "no address": strings.Join(strings.Fields(a)[:2], " "), "a quorum of more": a + "quorum 2\n",
		"two quorums": a + "quorum 1\nquorum 1\n", "less than none": "quorum -1\n", "no key": "witness x https://a.test\n",
		"a file's address": strings.Replace(a, "https", "file", 1),
		"a query":          strings.Replace(a, "/w/", "/w?x=1", 1),
	} {
		if g, err := witness.ParseGroup(text); err == nil {
			t.Errorf("%s: ParseGroup = %+v", name, g)
		}
	}
}

func FuzzParseGroup(f *testing.F) {
	f.Add("witness x+00000000+BA== https://a.test\nquorum 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		if g, err := witness.ParseGroup(text); err == nil && (g.Quorum > g.Len() || g.Quorum < 0) {
			t.Errorf("a quorum of %d of %d", g.Quorum, g.Len())
		}
	})
}

// Whatever a witness answers is a cosignature that verifies, or an error.
func FuzzOffer(f *testing.F) {
	f.Add(200, "— witness.test/a AAAA\n")
	f.Add(409, "7\n")
	f.Add(409, "99\n")
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		l := newLog(t)
		l.grow(t, 3, "leaf")
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/x.tlog.size")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}))
		defer s.Close()
		_, line := witnesstest.Key(t, "witness.test/a", s.URL)
		if a := l.offer(t, group(t, line), 3)[0]; a.Err == nil || errors.Is(a.Err, context.DeadlineExceeded) {
			t.Errorf("%d %q: %+v", status, body, a)
		}
	})
}

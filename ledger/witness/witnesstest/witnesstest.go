// Package witnesstest is a witness for tests, written from the specification.
package witnesstest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"timebank/ledger"
	"timebank/ledger/translog"
)

// Honest is a witness as C2SP tlog-witness describes one.
type Honest struct {
	Log    note.Verifier
	Signer *fnote.Signer
	mu     sync.Mutex
	last   translog.Checkpoint
}

// ServeHTTP answers below any prefix.
func (h *Honest) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/add-checkpoint") {
		http.Error(w, "no", http.StatusBadRequest)
		return
	}
	head, signed, _ := strings.Cut(string(body), "\n\n")
	lines := strings.Split(head, "\n")
	var older int64
	if _, err := fmt.Sscanf(lines[0], "old %d", &older); err != nil {
		http.Error(w, "no size", http.StatusBadRequest)
		return
	}
	c, err := translog.Open([]byte(signed), note.VerifierList(h.Log))
	if err != nil {
		http.Error(w, "not of the log", http.StatusForbidden)
		return
	}
	if older != h.last.Size {
		w.Header().Set("Content-Type", "text/x.tlog.size")
		w.WriteHeader(http.StatusConflict)
		fmt.Fprintf(w, "%d\n", h.last.Size)
		return
	}
	var proof []ledger.Hash
	for _, line := range lines[1:] {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(hash) != sha256.Size {
			http.Error(w, "no hash", http.StatusBadRequest)
			return
		}
		proof = append(proof, ledger.Hash(hash))
	}
	if older > 0 && translog.CheckConsistency(proof, c.Size, c.Root, older, h.last.Root) != nil {
		http.Error(w, "a fork", http.StatusUnprocessableEntity)
		return
	}
	h.last = c
	n, err := note.Open([]byte(signed), note.VerifierList(h.Log))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	cosigned, err := note.Sign(&note.Note{Text: n.Text}, h.Signer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, lineOf, _ := strings.Cut(string(cosigned), "\n\n")
	fmt.Fprint(w, lineOf)
}

// Key makes a witness's key, and gives its signer and its line of a configuration.
func Key(t testing.TB, name, url string) (*fnote.Signer, string) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := fnote.NewSignerForCosignatureV1(skey)
	if err != nil {
		t.Fatal(err)
	}
	if vkey, err = fnote.VKeyToCosignatureV1(vkey); err != nil {
		t.Fatal(err)
	}
	return signer, "witness " + vkey + " " + url + "\n"
}

// Package witness offers checkpoints to witnesses, by C2SP tlog-witness (https://c2sp.org/tlog-witness). A witness
// keeps the last checkpoint of a log that it saw and cosigns another only when that continues it; so whoever
// trusts the witness need not trust the log to show everybody the same history.
package witness

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"timebank/ledger"
)

const (
	// patience is how long a checkpoint waits for witnesses. Whoever is slower is asked all the same, and waited
	// for again once it has answered in time.
	patience = time.Second
	// answerTimeout ends a request that no checkpoint waits for any more.
	answerTimeout = 10 * time.Second
	// answerBytesMax bounds an answer: a few lines of signatures.
	answerBytesMax = 64 << 10
	sizeType       = "text/x.tlog.size"
)

// Group are the witnesses of a log.
type Group struct {
	Quorum    int // how many must cosign before a checkpoint is published
	witnesses []*asked
}

// asked is a witness with what is known of it.
type asked struct {
	url      string
	verifier note.Verifier
	http     *http.Client
	mu       sync.Mutex // one request at a time
	size     int64      // of the last checkpoint that it cosigned, as far as we know
	slow     bool       // it did not answer in time the last time
}

// Answer is what a witness said to a checkpoint.
type Answer struct {
	Name        string
	Cosignature string // a signature line, verified; empty when there is none
	Knows       int64  // the size of a larger log of ours that it has cosigned; 0 when it knows none
	Err         error
}

// ErrNotInTime says that a witness has not answered yet.
var ErrNotInTime = errors.New("has not answered in time")

// Len gives the number of witnesses.
func (g *Group) Len() int {
	if g == nil {
		return 0
	}
	return len(g.witnesses)
}

// Prover proves that the log that is offered continues the one of an older size.
type Prover func(older int64) ([]ledger.Hash, error)

// Offer offers a signed checkpoint of a size to all witnesses at once. It waits a moment for those who answered in
// time the last time, and longer only while a quorum is lacking.
func (g *Group) Offer(ctx context.Context, signed []byte, size int64, prove Prover) []Answer {
	type numbered struct {
		witness int
		Answer
	}
	came := make(chan numbered, g.Len())
	answers := make([]Answer, g.Len())
	asking, waiting := map[int]bool{}, 0
	for i, w := range g.witnesses {
		answers[i] = Answer{Name: w.verifier.Name(), Err: ErrNotInTime}
		if !w.mu.TryLock() { // it is still about the one before
			continue
		}
		if asking[i] = !w.slow; asking[i] {
			waiting++
		}
		go func() {
			a := w.timed(ctx, signed, size, prove)
			w.mu.Unlock() // before the answer is told: the next checkpoint may be offered at once
			came <- numbered{i, a}
		}()
	}
	moment, longest := time.After(patience), time.After(answerTimeout)
	cosigned, left := 0, len(asking)
	for left > 0 && (waiting > 0 || cosigned < g.Quorum) {
		select {
		case n := <-came:
			answers[n.witness] = n.Answer
			left--
			if asking[n.witness] {
				waiting--
			}
			if n.Err == nil {
				cosigned++
			}
		case <-moment:
			waiting = 0
			clear(asking)
		case <-longest:
			return answers
		}
	}
	return answers
}

// timed asks a witness, and keeps whether it answered in time.
func (w *asked) timed(ctx context.Context, signed []byte, size int64, prove Prover) Answer {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
	defer cancel()
	moment := time.NewTimer(patience)
	a := w.ask(ctx, signed, size, prove)
	w.slow = !moment.Stop()
	return a
}

// ask asks a witness, and once more when it knows another size than we thought.
func (w *asked) ask(ctx context.Context, signed []byte, size int64, prove Prover) Answer {
	a := Answer{Name: w.verifier.Name()}
	for try := 0; ; try++ {
		older := min(w.size, size)
		proof, err := prove(older)
		if err != nil {
			a.Err = fmt.Errorf("proving that %d leaves continue %d: %w", size, older, err)
			return a
		}
		lines, knows, err := w.post(ctx, request(older, proof, signed))
		switch {
		case err != nil:
			a.Err = err
			return a
		case lines != "":
			if a.Cosignature, a.Err = w.cosignature(signed, lines); a.Err == nil {
				w.size = size
			}
			return a
		case knows > size:
			a.Knows, a.Err = knows, fmt.Errorf("it has cosigned %d entries", knows)
			return a
		case try > 0 || knows == older:
			a.Err = fmt.Errorf("it says that it knows %d entries, and cosigns none that follow", knows)
			return a
		}
		w.size = knows
	}
}

// request gives the body of a request.
func request(older int64, proof []ledger.Hash, signed []byte) []byte {
	body := fmt.Appendf(nil, "old %d\n", older)
	for _, h := range proof {
		body = append(append(body, base64.StdEncoding.EncodeToString(h[:])...), '\n')
	}
	return append(append(body, '\n'), signed...)
}

// post sends a request, and gives the signature lines of the answer, or the size that the witness knows.
func (w *asked) post(ctx context.Context, body []byte) (lines string, knows int64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/add-checkpoint", bytes.NewReader(body))
	if err != nil {
		return "", 0, err
	}
	answer, err := w.http.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerBytesMax+1))
	switch {
	case err != nil:
		return "", 0, err
	case len(text) > answerBytesMax:
		return "", 0, fmt.Errorf("its answer is longer than %d bytes", answerBytesMax)
	case answer.StatusCode == http.StatusConflict && answer.Header.Get("Content-Type") == sizeType:
		knows, err = parseSize(string(text))
		return "", knows, err
	case answer.StatusCode != http.StatusOK:
		return "", 0, fmt.Errorf("it answered %s", answer.Status)
	case len(text) == 0:
		return "", 0, errors.New("it answered with no signature")
	}
	return string(text), 0, nil
}

func parseSize(text string) (int64, error) {
	digits, ok := strings.CutSuffix(text, "\n")
	size, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || !ok || strconv.FormatUint(size, 10) != digits {
		return 0, fmt.Errorf("%.40q is not a size", text)
	}
	return int64(size), nil
}

// cosignature finds in an answer the witness's own signature of the checkpoint.
func (w *asked) cosignature(signed []byte, lines string) (string, error) {
	text, _, ok := bytes.Cut(signed, []byte("\n\n"))
	if !ok {
		return "", errors.New("the checkpoint has no signatures")
	}
	n, err := note.Open(append(append(bytes.Clone(text), "\n\n"...), lines...), note.VerifierList(w.verifier))
	if err != nil {
		return "", fmt.Errorf("its signature: %w", err)
	}
	s := n.Sigs[0]
	return fmt.Sprintf("— %s %s\n", s.Name, s.Base64), nil
}

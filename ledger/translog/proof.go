package translog

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"timebank/ledger"
)

const (
	proofVersion = "c2sp.org/tlog-proof@v1"
	// proofHashesMax bounds an inclusion proof: one hash for each level of a tree of 2^63 leaves.
	proofHashesMax = 63
)

// Proof shows offline that a leaf is in a signed log: a C2SP tlog-proof. The leaf is not part of it.
type Proof struct {
	Seq        int64
	Hashes     []ledger.Hash // from the leaf's neighbour up, as Inclusion gives them
	Checkpoint []byte        // the signed note, as the log and its witnesses signed it
	Extra      []byte        // another log's opaque data: no signature covers it; ours has none
}

// Text gives the proof as its file is written.
func (p Proof) Text() []byte {
	text := []byte(proofVersion + "\n")
	if len(p.Extra) != 0 {
		text = fmt.Appendf(text, "extra %s\n", base64.StdEncoding.EncodeToString(p.Extra))
	}
	text = fmt.Appendf(text, "index %d\n", p.Seq)
	for _, h := range p.Hashes {
		text = fmt.Appendf(text, "%s\n", base64.StdEncoding.EncodeToString(h[:]))
	}
	return append(append(text, '\n'), p.Checkpoint...)
}

// ParseProof reads the text of a proof. It checks the form alone; [Proof.Check] tells whether it is true.
func ParseProof(text []byte) (Proof, error) {
	p, err := parseProof(string(text))
	if err != nil {
		return Proof{}, fmt.Errorf("%w: proof: %w", ledger.ErrInvalid, err)
	}
	if string(p.Text()) != string(text) {
		return Proof{}, fmt.Errorf("%w: proof is not in canonical form", ledger.ErrInvalid)
	}
	return p, nil
}

func parseProof(text string) (p Proof, err error) {
	head, checkpoint, ok := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || lines[0] != proofVersion {
		return p, fmt.Errorf("it does not start as %s, or has no checkpoint", proofVersion)
	}
	lines, p.Checkpoint = lines[1:], []byte(checkpoint)
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		if p.Extra, err = base64.StdEncoding.DecodeString(lines[0][len("extra "):]); err != nil {
			return p, fmt.Errorf("the extra data are not base64: %w", err)
		}
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return p, errors.New("it has no index")
	}
	index, err := strconv.ParseUint(lines[0][len("index "):], 10, 63)
	if err != nil {
		return p, fmt.Errorf("the index is not a number: %w", err)
	}
	p.Seq = int64(index)
	p.Hashes, err = parseHashes(lines[1:])
	return p, err
}

func parseHashes(lines []string) ([]ledger.Hash, error) {
	if len(lines) > proofHashesMax {
		return nil, fmt.Errorf("%d hashes, at most %d", len(lines), proofHashesMax)
	}
	hashes := make([]ledger.Hash, len(lines))
	for i, line := range lines {
		h, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(h) != len(hashes[i]) {
			return nil, fmt.Errorf("%.80q is not a hash in base64", line)
		}
		hashes[i] = ledger.Hash(h)
	}
	return hashes, nil
}

// Check shows that the leaf is in the log of that origin, and gives the checkpoint under which it is. The
// verifiers must be keys of that log alone.
func (p Proof) Check(leaf []byte, origin string, verifiers note.Verifiers) (Checkpoint, error) {
	c, err := Open(p.Checkpoint, verifiers)
	if err != nil {
		return Checkpoint{}, err
	}
	if c.Origin != origin {
		return Checkpoint{}, fmt.Errorf("%w: the proof is of log %q, not of %q", ledger.ErrInvalid, c.Origin, origin)
	}
	if err := CheckInclusion(p.Hashes, c.Size, c.Root, p.Seq, LeafHash(leaf)); err != nil {
		return Checkpoint{}, fmt.Errorf("leaf %d is not in the log of %d leaves: %w", p.Seq, c.Size, err)
	}
	return c, nil
}

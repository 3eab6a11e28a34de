package translog

import (
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"

	"timebank/ledger"
)

// Checkpoint says what a log is at a size: C2SP tlog-checkpoint, without extension lines.
type Checkpoint struct {
	Origin string // the log's name
	Size   int64
	Root   ledger.Hash
}

// Text gives the body that is signed.
func (c Checkpoint) Text() []byte {
	return fmt.Appendf(nil, "%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

// ParseCheckpoint reads a body. It accepts nothing that Text would write otherwise: no extension lines
// either, which this log never writes.
func ParseCheckpoint(text []byte) (c Checkpoint, err error) {
	lines := strings.Split(string(text), "\n")
	if len(lines) != 4 || lines[0] == "" || lines[3] != "" {
		return c, fmt.Errorf("%w: a checkpoint has three lines", ledger.ErrInvalid)
	}
	if !utf8.ValidString(lines[0]) || strings.ContainsFunc(lines[0], unicode.IsControl) {
		return c, fmt.Errorf("%w: checkpoint: no note can carry the origin %.80q", ledger.ErrInvalid, lines[0])
	}
	size, err := strconv.ParseUint(lines[1], 10, 63)
	if err != nil || size > SizeMax {
		return c, fmt.Errorf("%w: checkpoint: %.80q is not a size", ledger.ErrInvalid, lines[1])
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != len(c.Root) {
		return c, fmt.Errorf("%w: checkpoint: %.80q is not a hash", ledger.ErrInvalid, lines[2])
	}
	c = Checkpoint{lines[0], int64(size), ledger.Hash(root)}
	if string(c.Text()) != string(text) {
		return Checkpoint{}, fmt.Errorf("%w: checkpoint is not in canonical form", ledger.ErrInvalid)
	}
	return c, nil
}

// Sign gives the checkpoint as a signed note. It refuses one that ParseCheckpoint would not read back,
// such as one whose origin holds a line break and so would frame another size.
func Sign(c Checkpoint, signers ...note.Signer) ([]byte, error) {
	text := c.Text()
	if back, err := ParseCheckpoint(text); err != nil || back != c {
		return nil, fmt.Errorf("%w: a checkpoint of origin %q and size %d cannot be written", ledger.ErrInvalid, c.Origin, c.Size)
	}
	return note.Sign(&note.Note{Text: string(text)}, signers...)
}

// Open checks a signed checkpoint against known keys and reads it. The verifiers must be the keys of one
// log: any of them vouches for the whole text, its origin too. Signatures of unknown keys, such as those
// of witnesses, are passed over.
func Open(signed []byte, verifiers note.Verifiers) (Checkpoint, error) {
	n, err := note.Open(signed, verifiers)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("opening a checkpoint: %w", err)
	}
	return ParseCheckpoint([]byte(n.Text))
}

// NewKey makes a log's Ed25519 key under a name: the secret with which it signs and the public key with
// which others check. The name must be free of spaces and of plus signs; by custom it is the log's origin.
func NewKey(rand io.Reader, name string) (signerKey, verifierKey string, err error) {
	signerKey, verifierKey, err = note.GenerateKey(rand, name)
	if err != nil {
		return "", "", fmt.Errorf("making a key for %q: %w", name, err)
	}
	// The library makes a key under any name and minds only when it is used.
	if _, err := note.NewVerifier(verifierKey); err != nil {
		return "", "", fmt.Errorf("%w: %q cannot name a key: %w", ledger.ErrInvalid, name, err)
	}
	return signerKey, verifierKey, nil
}

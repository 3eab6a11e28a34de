package translog

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

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

// ParseCheckpoint reads a body. It accepts nothing that Text would write otherwise.
func ParseCheckpoint(text []byte) (c Checkpoint, err error) {
	lines := strings.Split(string(text), "\n")
	if len(lines) != 4 || lines[0] == "" || lines[3] != "" {
		return c, fmt.Errorf("%w: a checkpoint has three lines", ledger.ErrInvalid)
	}
	size, err := strconv.ParseUint(lines[1], 10, 63)
	if err != nil {
		return c, fmt.Errorf("%w: checkpoint: %q is not a size", ledger.ErrInvalid, lines[1])
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != len(c.Root) {
		return c, fmt.Errorf("%w: checkpoint: %q is not a hash", ledger.ErrInvalid, lines[2])
	}
	c = Checkpoint{lines[0], int64(size), ledger.Hash(root)}
	if string(c.Text()) != string(text) {
		return Checkpoint{}, fmt.Errorf("%w: checkpoint is not in canonical form", ledger.ErrInvalid)
	}
	return c, nil
}

// Sign gives the checkpoint as a signed note.
func Sign(c Checkpoint, signer note.Signer) ([]byte, error) {
	return note.Sign(&note.Note{Text: string(c.Text())}, signer)
}

// Open checks a signed checkpoint against known keys and reads it.
func Open(signed []byte, verifiers note.Verifiers) (Checkpoint, error) {
	n, err := note.Open(signed, verifiers)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("opening a checkpoint: %w", err)
	}
	return ParseCheckpoint([]byte(n.Text))
}

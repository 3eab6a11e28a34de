package main

import (
	"fmt"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// witnesses are those of whom a quorum must have cosigned.
type witnesses struct {
	verifiers []note.Verifier
	quorum    int
}

func (s *settings) readWitnesses() (w witnesses, err error) {
	for _, key := range s.witnesses {
		v, err := fnote.NewVerifierForCosignatureV1(key)
		if err != nil {
			return w, fmt.Errorf("%w: --witness: %w", errMisuse, err)
		}
		w.verifiers = append(w.verifiers, v)
	}
	if w.quorum = s.quorum; w.quorum == 0 {
		w.quorum = len(w.verifiers)
	}
	if w.quorum < 0 || w.quorum > len(w.verifiers) {
		return w, fmt.Errorf("%w: --quorum %d, of %d witnesses", errMisuse, s.quorum, len(w.verifiers))
	}
	return w, nil
}

// check counts the witnesses that cosigned a checkpoint.
func (w witnesses) check(signed []byte) error {
	cosigned := 0
	for _, v := range w.verifiers {
		if _, err := note.Open(signed, note.VerifierList(v)); err == nil {
			cosigned++
		}
	}
	if cosigned < w.quorum {
		return fmt.Errorf("the checkpoint is cosigned by %d of %d witnesses, not by %d", cosigned, len(w.verifiers), w.quorum)
	}
	return nil
}

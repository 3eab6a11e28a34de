package book

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// LogKeys are the keys of the log. While the key is being changed two sign, so that whoever knows either is
// served; what any of them ever signed stays valid.
type LogKeys struct {
	Signers   []string // secret, the present one first: note signer keys (C2SP signed note)
	Verifiers []string // public, the present one first, then the one before, then the retired
}

const (
	logKeyFile      = "log.key"
	previousKeyFile = "log.previous.key"
	retiredKeysFile = "log.retired" // public keys, one a line
)

// ErrKeyChanging says that the key is being changed already.
var ErrKeyChanging = errors.New("two keys sign already: retire the former first")

func loadLogKeys(dir, origin string) (LogKeys, error) {
	var k LogKeys
	text, err := keyFile(filepath.Join(dir, logKeyFile), func() (string, error) { return newLogKey(origin) })
	if err == nil {
		err = k.add(logKeyFile, text)
	}
	if err != nil {
		return k, err
	}
	text, err = readKeyFile(filepath.Join(dir, previousKeyFile))
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return k, err
	default:
		if err := k.add(previousKeyFile, text); err != nil {
			return k, err
		}
	}
	retired, err := os.ReadFile(filepath.Join(dir, retiredKeysFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return k, err
	}
	for verifier := range strings.Lines(string(retired)) {
		verifier = strings.TrimSpace(verifier)
		if _, err := note.NewVerifier(verifier); err != nil {
			return k, fmt.Errorf("%s: %w", filepath.Join(dir, retiredKeysFile), err)
		}
		k.Verifiers = append(k.Verifiers, verifier)
	}
	return k, nil
}

// add adds the key that a key file holds.
func (k *LogKeys) add(file, text string) error {
	signer, verifier, ok := strings.Cut(text, "\n")
	_, wrong := note.NewSigner(signer)
	if _, err := note.NewVerifier(verifier); !ok || wrong != nil || err != nil {
		return fmt.Errorf("%s does not hold a signing key and its public half", file)
	}
	if !slices.Contains(k.Signers, signer) { // a change that was killed half-way leaves the same key in both files
		k.Signers, k.Verifiers = append(k.Signers, signer), append(k.Verifiers, verifier)
	}
	return nil
}

func newLogKey(origin string) (string, error) {
	signer, verifier, err := note.GenerateKey(rand.Reader, origin)
	return signer + "\n" + verifier, err
}

// signers gives what signs a checkpoint.
func (k LogKeys) signers() ([]note.Signer, error) {
	var all []note.Signer
	for _, text := range k.Signers {
		s, err := note.NewSigner(text)
		if err != nil {
			return nil, fmt.Errorf("reading the log's key: %w", err)
		}
		all = append(all, s)
	}
	return all, nil
}

// verifiers gives what opens any checkpoint that this log ever signed.
func (k LogKeys) verifiers() (note.Verifiers, error) {
	var all []note.Verifier
	for _, text := range k.Verifiers {
		v, err := note.NewVerifier(text)
		if err != nil {
			return nil, fmt.Errorf("reading the log's public key: %w", err)
		}
		all = append(all, v)
	}
	return note.VerifierList(all...), nil
}

// RotateLogKey makes a new key for the log kept in dir. From the server's next start on, both sign.
func RotateLogKey(dir, origin string) error {
	now, err := loadLogKeys(dir, origin)
	if err != nil {
		return err
	}
	if len(now.Signers) > 1 {
		return ErrKeyChanging
	}
	fresh, err := newLogKey(origin)
	if err != nil {
		return fmt.Errorf("making a key: %w", err)
	}
	tmp, err := writeKeyFile(dir, fresh)
	if err != nil {
		return err
	}
	present, previous := filepath.Join(dir, logKeyFile), filepath.Join(dir, previousKeyFile)
	if err := os.Link(present, previous); err != nil && !errors.Is(err, os.ErrExist) {
		return errors.Join(fmt.Errorf("keeping the former key: %w", err), os.Remove(tmp))
	}
	if err := os.Rename(tmp, present); err != nil {
		return errors.Join(fmt.Errorf("putting the new key in its place: %w", err), os.Remove(tmp))
	}
	return nil
}

// RetireLogKey ends the overlap: the former key signs no more, and its public half is kept for the checkpoints
// that it signed.
func RetireLogKey(dir, origin string) error {
	now, err := loadLogKeys(dir, origin)
	if err != nil {
		return err
	}
	if len(now.Signers) < 2 {
		return errors.New("one key signs: there is none to retire")
	}
	retired := strings.Join(append(slices.Clone(now.Verifiers[2:]), now.Verifiers[1]), "\n")
	tmp, err := writeKeyFile(dir, retired)
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(dir, retiredKeysFile)); err != nil {
		return errors.Join(fmt.Errorf("keeping the public half: %w", err), os.Remove(tmp))
	}
	return os.Remove(filepath.Join(dir, previousKeyFile))
}

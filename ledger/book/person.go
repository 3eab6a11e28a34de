package book

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
)

// person is what is known of a volunteer that nobody may read in the ledger: it is sealed with a key of
// that person alone, and the key is wrapped with the installation's. Without the person's key nothing
// of it can be read again, while every hash of the ledger stays valid.
type person struct {
	Name string `json:"name"`
	Born string `json:"born"`
}

// sealPerson gives the sealed person and the wrapped key.
func sealPerson(master [32]byte, id string, p person) (sealed, wrapped []byte, err error) {
	text, err := json.Marshal(p, json.Deterministic(true))
	if err != nil {
		return nil, nil, fmt.Errorf("sealing a person: %w", err)
	}
	var key [32]byte
	if _, err := rand.Read(key[:]); err != nil {
		return nil, nil, fmt.Errorf("making a person's key: %w", err)
	}
	if sealed, err = seal(key, id, text); err != nil {
		return nil, nil, err
	}
	wrapped, err = seal(master, id, key[:])
	return sealed, wrapped, err
}

// openPerson undoes sealPerson.
func openPerson(master [32]byte, id string, sealed, wrapped []byte) (name string, born ledger.Date, err error) {
	k, err := open(master, id, wrapped)
	if err != nil {
		return "", 0, fmt.Errorf("unwrapping the key of volunteer %s: %w", id, err)
	}
	var key [32]byte
	copy(key[:], k)
	text, err := open(key, id, sealed)
	if err != nil {
		return "", 0, fmt.Errorf("opening volunteer %s: %w", id, err)
	}
	var p person
	if err := json.Unmarshal(text, &p); err != nil {
		return "", 0, fmt.Errorf("reading volunteer %s: %w", id, err)
	}
	born, err = ledger.ParseDate(p.Born)
	return p.Name, born, err
}

// seal encrypts text with AES-256-GCM under a random nonce; id is bound to it, so that a row cannot be
// given to another person.
func seal(key [32]byte, id string, text []byte) ([]byte, error) {
	aead, err := gcm(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("making a nonce: %w", err)
	}
	return aead.Seal(nonce, nonce, text, []byte(id)), nil
}

func open(key [32]byte, id string, sealed []byte) ([]byte, error) {
	aead, err := gcm(key)
	if err != nil {
		return nil, err
	}
	if len(sealed) < aead.NonceSize() {
		return nil, fmt.Errorf("%d sealed bytes are too few", len(sealed))
	}
	nonce, rest := sealed[:aead.NonceSize()], sealed[aead.NonceSize():]
	return aead.Open(nil, nonce, rest, []byte(id))
}

func gcm(key [32]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

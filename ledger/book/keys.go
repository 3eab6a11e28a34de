package book

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Keys are the secrets of one installation. They live in files, never in the database.
type Keys struct {
	Log    LogKeys            // sign checkpoints
	Token  ed25519.PrivateKey // signs access tokens
	Person [32]byte           // wraps the key of each person
	Client [32]byte           // makes the secrets of clients
}

const (
	secretFileMode = 0o600
	keyFolderMode  = 0o700
)

// LoadKeys reads the keys kept in dir, and makes those that are missing. It refuses a key file that
// others may read. origin names the log key; it is the first line of every checkpoint.
func LoadKeys(dir, origin string) (Keys, error) {
	var k Keys
	if err := os.MkdirAll(dir, keyFolderMode); err != nil {
		return k, fmt.Errorf("making the folder of keys: %w", err)
	}
	var err error
	if k.Log, err = loadLogKeys(dir, origin); err != nil {
		return k, err
	}
	seed, err := secretFile(filepath.Join(dir, "token.key"))
	if err != nil {
		return k, err
	}
	k.Token = ed25519.NewKeyFromSeed(seed[:])
	if k.Person, err = secretFile(filepath.Join(dir, "person.key")); err != nil {
		return k, err
	}
	k.Client, err = secretFile(filepath.Join(dir, "client.key"))
	return k, err
}

func secretFile(path string) (key [32]byte, err error) {
	text, err := keyFile(path, func() (string, error) {
		var fresh [32]byte
		_, err := rand.Read(fresh[:])
		return base64.StdEncoding.EncodeToString(fresh[:]), err
	})
	if err != nil {
		return key, err
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) != len(key) {
		return key, fmt.Errorf("%s does not hold a key of 32 bytes in base64", path)
	}
	copy(key[:], b)
	return key, nil
}

// keyFile reads the text of a key file, or makes it with fresh. The file appears whole or not at all,
// and of two processes that start at once one wins and both read the same key.
func keyFile(path string, fresh func() (string, error)) (string, error) {
	text, err := readKeyFile(path)
	if !errors.Is(err, os.ErrNotExist) {
		return text, err
	}
	made, err := fresh()
	if err != nil {
		return "", fmt.Errorf("making %s: %w", path, err)
	}
	tmp, err := writeKeyFile(filepath.Dir(path), made)
	if err != nil {
		return "", err
	}
	defer os.Remove(tmp)
	if err := os.Link(tmp, path); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("keeping %s: %w", path, err)
	}
	return readKeyFile(path)
}

// writeKeyFile writes a key to a file that is not in its place yet.
func writeKeyFile(dir, key string) (path string, err error) {
	tmp, err := os.CreateTemp(dir, ".key-*") // CreateTemp makes it 0600
	if err != nil {
		return "", fmt.Errorf("making a key file: %w", err)
	}
	_, err = tmp.WriteString(key + "\n")
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("writing a key file: %w", err), os.Remove(tmp.Name()))
	}
	return tmp.Name(), nil
}

func readKeyFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&^secretFileMode != 0 {
		return "", fmt.Errorf("%s may be read by others (mode %04o): chmod 600 it", path, info.Mode().Perm())
	}
	b, err := os.ReadFile(path)
	return strings.TrimSuffix(string(b), "\n"), err
}

// ClientSecret gives the secret of a client. It is made from the client's id, so that a repeated
// request for credentials is answered with the same secret and the database holds none.
func (b *Book) ClientSecret(id string) string {
	mac := hmac.New(sha256.New, b.keys.Client[:])
	mac.Write([]byte("timebank client secret\n" + id))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// CheckClientSecret reports, in constant time, whether secret is the client's.
func (b *Book) CheckClientSecret(id, secret string) bool {
	return subtle.ConstantTimeCompare([]byte(b.ClientSecret(id)), []byte(secret)) == 1
}

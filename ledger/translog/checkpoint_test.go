package translog_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"timebank/ledger"
	"timebank/ledger/translog"
)

func testCheckpoint() translog.Checkpoint {
	return translog.Checkpoint{Origin: testOrigin, Size: 2,
		Root: merkle([]ledger.Hash{translog.LeafHash(translog.Leaf(hoursEntry)), translog.LeafHash(translog.Leaf(correctionEntry))})}
}

func TestSign_text_is_frozen_and_opens(t *testing.T) {
	signer, verifier := testKeys(t)
	signed, err := translog.Sign(testCheckpoint(), signer)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "checkpoint.golden", signed)
	got, err := translog.Open(signed, note.VerifierList(verifier))
	if err != nil || got != testCheckpoint() {
		t.Errorf("Open(Sign(%v)) = %v, %v", testCheckpoint(), got, err)
	}
}

func TestOpen_refuses_any_changed_byte(t *testing.T) {
	signer, verifier := testKeys(t)
	signed, err := translog.Sign(testCheckpoint(), signer)
	if err != nil {
		t.Fatal(err)
	}
	for i := range signed {
		bad := bytes.Clone(signed)
		bad[i] ^= 1
		if c, err := translog.Open(bad, note.VerifierList(verifier)); err == nil {
			t.Errorf("Open with byte %d changed = %v, want an error", i, c)
		}
	}
}

func TestOpen_wants_a_signature_of_a_known_key(t *testing.T) {
	signer, verifier := testKeys(t)
	strangerKey, strangerVerifier, err := translog.NewKey(rand.Reader, testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	stranger := must(note.NewSigner(strangerKey))
	signed, err := note.Sign(&note.Note{Text: string(testCheckpoint().Text())}, signer, stranger)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []note.Verifier{verifier, must(note.NewVerifier(strangerVerifier))} {
		if _, err := translog.Open(signed, note.VerifierList(v)); err != nil {
			t.Errorf("two signatures, as during a change of keys: Open = %v", err)
		}
	}
	if _, err := translog.Open(signed, note.VerifierList()); err == nil {
		t.Error("Open without any key gave no error")
	}
	other, err := note.Sign(&note.Note{Text: "not a checkpoint\n"}, signer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := translog.Open(other, note.VerifierList(verifier)); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("Open of a note that is no checkpoint = %v, want ErrInvalid", err)
	}
}

func TestSign_refuses_what_would_read_back_as_another_checkpoint(t *testing.T) {
	signer, _ := testKeys(t)
	for _, c := range []translog.Checkpoint{
		{Origin: "", Size: 1},
		{Origin: "evil\n999", Size: 1},
		{Origin: "log\n", Size: 1},
		{Origin: "log", Size: -1},
	} {
		if signed, err := translog.Sign(c, signer); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("Sign(%q, %d) = %q, %v, want ErrInvalid", c.Origin, c.Size, signed, err)
		}
	}
}

func TestParseCheckpoint_refuses_what_Text_would_not_write(t *testing.T) {
	good := string(testCheckpoint().Text())
	root := strings.Split(good, "\n")[2]
	tests := []struct {
		name, old, new string
	}{
		{"nothing", good, ""},
		{"no origin", testOrigin, ""},
		{"a leading zero", "\n2\n", "\n02\n"},
		{"a plus sign", "\n2\n", "\n+2\n"},
		{"a negative size", "\n2\n", "\n-2\n"},
		{"a size beyond 63 bits", "\n2\n", "\n9223372036854775808\n"},
		{"no size", "\n2\n", "\n\n"},
		{"a short hash", root, root[4:]},
		{"a hash without padding", root, strings.TrimRight(root, "=")},
		{"a hash in hexadecimal", root, testCheckpoint().Root.String()},
		{"an extension line", root, root + "\nextension"},
		{"no last line break", root + "\n", root},
		{"an empty line", root, root + "\n"},
		{"carriage returns", "\n", "\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bad := strings.Replace(good, tt.old, tt.new, 1)
			if bad == good {
				t.Fatalf("nothing was changed: %q is not in the checkpoint", tt.old)
			}
			if c, err := translog.ParseCheckpoint([]byte(bad)); !errors.Is(err, ledger.ErrInvalid) {
				t.Errorf("ParseCheckpoint(%q) = %v, %v, want ErrInvalid", bad, c, err)
			}
		})
	}
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add(testCheckpoint().Text())
	f.Add([]byte("o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := translog.ParseCheckpoint(text)
		if err == nil && !bytes.Equal(c.Text(), text) {
			t.Errorf("ParseCheckpoint(%q).Text() = %q", text, c.Text())
		}
	})
}

func TestNewKey_signs_what_its_other_half_opens(t *testing.T) {
	secret, public, err := translog.NewKey(rand.Reader, testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := translog.Sign(testCheckpoint(), must(note.NewSigner(secret)))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := translog.Open(signed, note.VerifierList(must(note.NewVerifier(public)))); err != nil || got != testCheckpoint() {
		t.Errorf("Open = %v, %v, want %v", got, err, testCheckpoint())
	}
}

func TestNewKey_refuses_a_name_that_a_note_cannot_carry(t *testing.T) {
	for _, name := range []string{"", "two words", "a+b", "line\nbreak", "\xff"} {
		if _, _, err := translog.NewKey(rand.Reader, name); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("NewKey(%q) = %v, want ErrInvalid", name, err)
		}
	}
}

func ExampleCheckpoint_Text() {
	fmt.Printf("%s", testCheckpoint().Text())
	// Output:
	// log.example.org/timebank
	// 2
	// EUOkgGiDqGKS4EufEZbOS24F19hutbw6iPA+m1HQqCo=
}

package translog_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"timebank/ledger"
	"timebank/ledger/translog"
)

const proofSize = 11

// testProof proves a leaf of a signed log of proofSize leaves, whose texts are testLeaf.
func testProof(t testing.TB, seq int64) translog.Proof {
	t.Helper()
	var hashes []ledger.Hash
	for i := range int64(proofSize) {
		hashes = append(hashes, translog.LeafHash(testLeaf(i)))
	}
	s := grow(t, hashes)
	signer, _ := testKeys(t)
	signed, err := translog.Sign(translog.Checkpoint{Origin: testOrigin, Size: proofSize, Root: merkle(hashes)}, signer)
	if err != nil {
		t.Fatal(err)
	}
	p := translog.Proof{Seq: seq, Checkpoint: signed}
	if p.Hashes, err = translog.Inclusion(proofSize, seq, s.read); err != nil {
		t.Fatal(err)
	}
	return p
}

func testLeaf(seq int64) []byte {
	e := hoursEntry
	e.Seq = ledger.Seq(seq)
	return translog.Leaf(e)
}

func TestProof_text_is_frozen(t *testing.T) {
	golden(t, "proof.golden", testProof(t, 5).Text())
	other := testProof(t, 5)
	other.Extra = []byte("what another log adds")
	golden(t, "proof-extra.golden", other.Text())
}

func TestProof_holds_offline_for_every_leaf(t *testing.T) {
	_, verifier := testKeys(t)
	for seq := range int64(proofSize) {
		want := testProof(t, seq)
		p, err := translog.ParseProof(want.Text())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, p); diff != "" {
			t.Errorf("ParseProof(Text()) -want +got:\n%s", diff)
		}
		c, err := p.Check(testLeaf(seq), testOrigin, note.VerifierList(verifier))
		if err != nil || c.Size != proofSize {
			t.Errorf("Check of leaf %d = %v, %v", seq, c, err)
		}
		if _, err := p.Check(testLeaf(seq+1), testOrigin, note.VerifierList(verifier)); err == nil {
			t.Errorf("the proof of leaf %d holds for leaf %d", seq, seq+1)
		}
	}
}

func TestProof_of_a_log_with_one_leaf_has_no_hashes(t *testing.T) {
	signer, verifier := testKeys(t)
	leaf := testLeaf(0)
	signed, err := translog.Sign(translog.Checkpoint{Origin: testOrigin, Size: 1, Root: translog.LeafHash(leaf)}, signer)
	if err != nil {
		t.Fatal(err)
	}
	text := translog.Proof{Checkpoint: signed}.Text()
	p, err := translog.ParseProof(text)
	if err != nil {
		t.Fatalf("ParseProof(%q): %v", text, err)
	}
	if _, err := p.Check(leaf, testOrigin, note.VerifierList(verifier)); err != nil {
		t.Error(err)
	}
}

func TestProof_with_any_changed_byte_fails(t *testing.T) {
	_, verifier := testKeys(t)
	text := testProof(t, 5).Text()
	for i := range text {
		bad := bytes.Clone(text)
		bad[i] ^= 1
		p, err := translog.ParseProof(bad)
		if err != nil {
			continue
		}
		if _, err := p.Check(testLeaf(5), testOrigin, note.VerifierList(verifier)); err == nil {
			t.Errorf("the proof holds with byte %d changed", i)
		}
	}
}

func TestProof_of_another_log_fails(t *testing.T) {
	_, verifier := testKeys(t)
	_, err := testProof(t, 5).Check(testLeaf(5), "log.example.org/other", note.VerifierList(verifier))
	if !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("Check under another origin = %v, want ErrInvalid", err)
	}
}

func TestParseProof_refuses_what_Text_would_not_write(t *testing.T) {
	good := string(testProof(t, 5).Text())
	hash := strings.Split(good, "\n")[2] + "\n"
	tests := []struct {
		name, old, new string
	}{
		{"nothing", good, ""},
		{"another version", "proof@v1", "proof@v2"},
		{"no index", "index 5\n", ""},
		{"an index with a leading zero", "index 5", "index 05"},
		{"a negative index", "index 5", "index -5"},
		{"an index beyond 63 bits", "index 5", "index 9223372036854775808"},
		{"extra data that are empty", "index 5", "extra \nindex 5"},
		{"extra data that are not base64", "index 5", "extra ?\nindex 5"},
		{"extra data after the index", "index 5\n", "index 5\nextra AAAA\n"},
		{"extra data twice", "index 5\n", "extra AAAA\nextra AAAA\nindex 5\n"},
		{"a hash of another length", hash, hash[4:]},
		{"a hash in an alphabet of another kind", hash, strings.Repeat("_", 43) + "=\n"},
		{"a hash with bits to spare", hash, strings.Repeat("A", 42) + "B=\n"},
		{"no empty line", "\n\n", "\n"},
		{"carriage returns", "\n", "\r\n"},
		{"more hashes than any tree has levels", hash, strings.Repeat(hash, 64)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bad := strings.Replace(good, tt.old, tt.new, 1)
			if tt.name == "no empty line" {
				bad = strings.ReplaceAll(good, tt.old, tt.new)
			}
			if bad == good {
				t.Fatalf("nothing was changed: %q is not in the proof", tt.old)
			}
			if p, err := translog.ParseProof([]byte(bad)); !errors.Is(err, ledger.ErrInvalid) {
				t.Errorf("ParseProof(%q) = %v, %v, want ErrInvalid", bad, p, err)
			}
		})
	}
}

func FuzzParseProof(f *testing.F) {
	f.Add(testProof(f, 5).Text())
	f.Add([]byte("c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n\no\n1\nx\n\n— o x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := translog.ParseProof(text)
		if err == nil && !bytes.Equal(p.Text(), text) {
			t.Errorf("ParseProof(%q).Text() = %q", text, p.Text())
		}
	})
}

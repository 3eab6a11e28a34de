package translog_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"timebank/ledger"
	"timebank/ledger/translog"
)

const leafPage = "../../docs/leaf.md"

// fences gives the fenced blocks of a page that carry a word, in order.
func fences(t *testing.T, page, word string) []string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, part := range strings.Split(string(text), "\n```"+word+"\n")[1:] {
		block, _, closed := strings.Cut(part, "```")
		if !closed {
			t.Fatalf("%s: a block of %s is not closed", page, word)
		}
		blocks = append(blocks, block)
	}
	if len(blocks) == 0 {
		t.Fatalf("%s has no block of %s", page, word)
	}
	return blocks
}

// A command of a console block with its here-document, and the output shown under it.
type command struct{ line, output string }

func commands(block string) []command {
	var list []command
	here := false
	for _, line := range strings.SplitAfter(block, "\n") {
		last := len(list) - 1
		switch {
		case here:
			list[last].line += line
			here = line != "END\n"
		case strings.HasPrefix(line, "$ "):
			list = append(list, command{line: line[2:]})
			here = strings.HasSuffix(line, "<<'END'\n")
		case line != "":
			list[last].output += line
		}
	}
	return list
}

// Every command of docs/leaf.md is run as a stranger would run it, in an empty folder; then the files it
// made are compared with what the code writes.
func TestLeafPage_commands_give_what_the_page_and_the_code_say(t *testing.T) {
	dir := t.TempDir()
	for _, block := range fences(t, leafPage, "console") {
		for _, c := range commands(block) {
			cmd := exec.Command("sh", "-c", c.line)
			cmd.Dir = dir
			got, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %v\n%s", c.line, err, got)
			}
			if diff := cmp.Diff(c.output, string(got)); diff != "" {
				t.Errorf("$ %s(-shown +got):\n%s", c.line, diff)
			}
		}
	}
	files := map[string][]byte{
		"0.leaf": translog.Leaf(hoursEntry), "1.leaf": translog.Leaf(correctionEntry),
		"0.details": hoursEntry.Details, "0.salt": hoursEntry.Salt[:],
	}
	for name, want := range files {
		got, err := os.ReadFile(dir + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s of the page -code +page:\n%s", name, diff)
		}
	}
}

func TestLeafPage_shows_the_hashes_that_the_code_computes(t *testing.T) {
	page := strings.Join(fences(t, leafPage, "console"), "")
	for name, hash := range map[string]ledger.Hash{
		"hash of leaf 0": translog.LeafHash(translog.Leaf(hoursEntry)), "hash of leaf 1": translog.LeafHash(translog.Leaf(correctionEntry)),
		"commitment of entry 0": hoursEntry.Commitment(), "root": testCheckpoint().Root,
	} {
		if !strings.Contains(page, "\n"+hash.String()+"  -\n") {
			t.Errorf("the page does not show %s as the %s", hash, name)
		}
	}
}

func TestLeafPage_shows_a_checkpoint_and_a_proof_that_hold(t *testing.T) {
	key := strings.TrimSpace(fences(t, leafPage, "key")[0])
	verifier, err := note.NewVerifier(key)
	if err != nil {
		t.Fatalf("the key %q of the page: %v", key, err)
	}
	signed := fences(t, leafPage, "checkpoint")[0]
	if c, err := translog.Open([]byte(signed), note.VerifierList(verifier)); err != nil || c != testCheckpoint() {
		t.Errorf("the checkpoint of the page = %v, %v, want %v", c, err, testCheckpoint())
	}
	proof, err := translog.ParseProof([]byte(fences(t, leafPage, "proof")[0]))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proof.Check(translog.Leaf(hoursEntry), testOrigin, note.VerifierList(verifier)); err != nil {
		t.Errorf("the proof of the page: %v", err)
	}
}

// The bounds that the page names are those of the code.
func TestLeafPage_names_the_bounds_of_the_code(t *testing.T) {
	text, err := os.ReadFile(leafPage)
	if err != nil {
		t.Fatal(err)
	}
	units := make([]string, len(ledger.Units))
	for i, u := range ledger.Units {
		units[i] = "`" + string(u) + "`"
	}
	last := len(units) - 1
	for _, want := range []string{
		"from " + ledger.DateMin.String() + " to " + ledger.DateMax.String(),
		"UNIT is " + strings.Join(units[:last], ", ") + " or " + units[last],
		"at most 65,535 bytes",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s does not say %q", leafPage, want)
		}
	}
	if translog.LeafBytesMax != 65535 {
		t.Errorf("LeafBytesMax = %d, the page says 65,535", translog.LeafBytesMax)
	}
}

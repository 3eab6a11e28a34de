package policy_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"timebank/ledger"
	"timebank/policy"
)

// Each file says what the error must say, and how to break the shipped set. The error must also name the
// line that was broken.
func TestParse_refuses_broken_sets_and_names_the_line(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/broken/*.txt")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d broken sets: %v", len(files), err)
	}
	good := string(policy.Shipped())
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			want, old, fresh := readBroken(t, file)
			before, after, found := strings.Cut(good, old)
			if !found {
				t.Fatalf("the shipped set has no %q to break", old)
			}
			// The last line of what is put in is the wrong one.
			line := 1 + strings.Count(before, "\n") + strings.Count(fresh, "\n")
			_, err := policy.Parse([]byte(before + fresh + after))
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprintf("line %d: ", line)) {
				t.Errorf("Parse = %v, want an error with %q at line %d", err, want, line)
			}
		})
	}
}

func readBroken(t *testing.T, file string) (want, old, fresh string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, not 3: want, old, new", len(lines))
	}
	for i, label := range []string{"want: ", "old: ", "new: "} {
		rest, ok := strings.CutPrefix(lines[i], label)
		if !ok {
			t.Fatalf("line %d does not begin with %q", i+1, label)
		}
		lines[i] = strings.ReplaceAll(rest, `\n`, "\n")
	}
	return lines[0], lines[1], lines[2]
}

// A set is read in moments, or refused, however it is written.
func TestParse_bounds_its_work(t *testing.T) {
	t.Parallel()
	with := func(condition string) string {
		return strings.Replace(string(policy.Shipped()), "when: remote && emergency == 0", "when: '"+condition+"'", 1)
	}
	tests := []struct{ name, source, want string }{
		{"more bytes than a set has are refused", strings.Repeat("#\n", 1<<15) + "#", "at most"},
		{"nested brackets are refused", "id: " + strings.Repeat("[", 60_000), "too deep"},
		{"nested braces are refused", "id: " + strings.Repeat("{a: ", 15_000), "too deep"},
		{"lists in lists are refused", strings.Repeat("- ", 30_000), "too deep"},
		{"a condition that fills the set is refused", with(strings.Repeat("age < 1 && ", 2500) + "true"), "at most 500 bytes"},
		{"nested parentheses are refused", with(strings.Repeat("(", 490) + "age"), "condition"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := policy.Parse([]byte(tt.source)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse = %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// A condition that would never end is stopped by its cost; the claim is neither recorded nor refused.
func TestDecide_stops_a_condition_that_costs_too_much(t *testing.T) {
	t.Parallel()
	const list = "[1,2,3,4,5,6,7,8,9]"
	costly := strings.Repeat(list+".all(x, ", 9) + "age > 0" + strings.Repeat(")", 9)
	r, err := policy.Parse([]byte(strings.Replace(string(policy.Shipped()), "when: remote && emergency == 0", "when: '"+costly+"'", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Decide(facts(60)); err == nil || errors.Is(err, ledger.ErrRefused) || !strings.Contains(err.Error(), "cost") {
		t.Errorf("Decide = %v, want an error about the cost, and no refusal", err)
	}
}

// The author of a set sees all faults at once, not one after the other.
func TestParse_tells_all_faults(t *testing.T) {
	t.Parallel()
	source := strings.NewReplacer("when: age < 25 && !(", "when: agee < 25 && !(", "most: 480", "most: 8 hours", "shortfall: owed", "shortfall: none").
		Replace(string(policy.Shipped()))
	_, err := policy.Parse([]byte(source))
	if err == nil {
		t.Fatal("Parse accepted three faults")
	}
	for _, want := range []string{"agee", "8 hours", "shortfall"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Parse = %v, want %q in it", err, want)
		}
	}
	if n := strings.Count(err.Error(), "line "); n != 3 {
		t.Errorf("Parse tells %d faults, want 3: %v", n, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(policy.Shipped())
	f.Add([]byte("id: x\ngrades:\n  - grade: A\n    when: \"true\""))
	f.Fuzz(func(_ *testing.T, text []byte) {
		if r, err := policy.Parse(text); err == nil {
			_, _ = r.Decide(facts(60)) // an accepted set decides or refuses, without a panic
		}
	})
}

// A set in force since before authors were asked for an approver and a list of sources is read for ever; a
// draft without them is refused.
func TestParseRecorded_reads_what_was_recorded_before(t *testing.T) {
	t.Parallel()
	old := strings.Replace(string(policy.Shipped()), "approver: the city that begins with it\n", "", 1)
	start, end := strings.Index(old, "sources:\n"), strings.Index(old, "ages:\n")
	old = old[:start] + old[end:]
	if _, err := policy.Parse([]byte(old)); err == nil {
		t.Error("Parse takes a draft without an approver")
	}
	if r, err := policy.ParseRecorded([]byte(old)); err != nil || r.ID() != "shipped-2026" {
		t.Errorf("ParseRecorded = %v", err)
	}
	if _, err := policy.ParseRecorded([]byte(strings.Replace(old, "when: age < 14", "when: agee < 14", 1))); err == nil {
		t.Error("ParseRecorded takes what it cannot understand")
	}
}

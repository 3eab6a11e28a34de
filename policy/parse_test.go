package policy_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

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
		return strings.Replace(string(policy.Shipped()), "when: age < 25", "when: '"+condition+"'", 1)
	}
	tests := []struct{ name, source, want string }{
		{"more bytes than a set has are refused", strings.Repeat("#\n", 1<<15) + "#", "at most"},
		{"nested brackets are refused", "id: " + strings.Repeat("[", 60_000), "too deep"},
		{"nested braces are refused", "id: " + strings.Repeat("{a: ", 15_000), "too deep"},
		{"lists in lists are refused", strings.Repeat("- ", 30_000), "too deep"},
		{"a condition that fills the set is refused", with(strings.Repeat("age < 1 && ", 4000) + "true"), "at most 500 bytes"},
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
	r, err := policy.Parse([]byte(strings.Replace(string(policy.Shipped()), "when: age < 25", "when: '"+costly+"'", 1)))
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
	source := strings.NewReplacer("when: age < 25", "when: agee < 25", "most: 480", "most: 8 hours", "shortfall: owed", "shortfall: none").
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

func facts(minutes ledger.Minutes) policy.ClaimFacts {
	return policy.ClaimFacts{Age: 70, OrganizationKind: "hospital", Minutes: minutes, ServedOn: 20000, Today: 20000, SheetOnFile: true, TwoPersons: true}
}

// Splitting a claim never earns more than the whole, whatever the rate and the parts.
func TestSplittingNeverGains(t *testing.T) {
	t.Parallel()
	sets := map[string]*policy.Rules{}
	for _, rate := range []string{"1/1", "4/5", "2/3", "7/4", "1/60"} {
		r, err := policy.Parse([]byte(strings.Replace(string(policy.Shipped()), "when: age >= 25\n    rate: 1/1", "when: age >= 25\n    rate: "+rate, 1)))
		if err != nil {
			t.Fatal(err)
		}
		sets[rate] = r
	}
	rapid.Check(t, func(t *rapid.T) {
		r := sets[rapid.SampledFrom([]string{"1/1", "4/5", "2/3", "7/4", "1/60"}).Draw(t, "rate")]
		whole := ledger.Minutes(rapid.Int64Range(2, 1440).Draw(t, "whole"))
		part := ledger.Minutes(rapid.Int64Range(1, int64(whole)-1).Draw(t, "part"))
		earned := func(m, before ledger.Minutes) ledger.Minutes {
			f := facts(m)
			f.CareOnDay = before
			d, err := r.Decide(f)
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Earned) == 0 {
				return 0
			}
			return d.Earned[0].Minutes
		}
		first := earned(part, 0)
		if split := first + earned(whole-part, first); split > earned(whole, 0) {
			t.Errorf("%d + %d minutes earn %d, %d at once earn %d", part, whole-part, split, whole, earned(whole, 0))
		}
	})
}

func TestWordsTellTheArithmetic(t *testing.T) {
	t.Parallel()
	r := shipped(t)
	d, err := r.Decide(facts(540))
	if err != nil {
		t.Fatal(err)
	}
	var en, zh []string
	for _, s := range d.Steps {
		en, zh = append(en, r.Words(s, policy.English)), append(zh, r.Words(s, policy.Chinese))
	}
	for _, want := range []string{"9 h × 1/1 = 9 h of care credit", "so 9 h become 8 h"} {
		if !strings.Contains(strings.Join(en, "\n"), want) {
			t.Errorf("words = %q, want %q in them", en, want)
		}
	}
	if !strings.Contains(strings.Join(zh, "\n"), "9 小时 计为 8 小时") {
		t.Errorf("words = %q, want 9 小时 计为 8 小时 in them", zh)
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	r := shipped(t)
	later, err := policy.Parse([]byte(strings.Replace(string(policy.Shipped()), `"2000-01-01"`, `"2030-01-01"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	day := func(s string) ledger.Date {
		d, err := ledger.ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for on, want := range map[string]*policy.Rules{"2029-12-31": r, "2030-01-01": later, "2000-01-01": r, "1999-12-31": nil} {
		if got, _ := policy.Choose([]*policy.Rules{r, later}, day(on)); got != want {
			t.Errorf("Choose(%s) chose another set", on)
		}
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

func BenchmarkDecide(b *testing.B) {
	r := shipped(b)
	f := facts(540)
	for b.Loop() {
		if _, err := r.Decide(f); err != nil {
			b.Fatal(err)
		}
	}
}

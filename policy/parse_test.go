package policy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"timebank/ledger"
	"timebank/policy"
)

// Each broken set begins with a comment that says what the error must say.
func TestParseRefusesBrokenSets(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/broken/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no broken sets: %v", err)
	}
	good := string(policy.Shipped())
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.SplitN(strings.TrimSpace(string(text)), "\n", 3)
			want := strings.TrimPrefix(lines[0], "want: ")
			old, fresh := strings.TrimPrefix(lines[1], "old: "), strings.TrimPrefix(lines[2], "new: ")
			if !strings.Contains(good, old) {
				t.Fatalf("the shipped set has no %q to break", old)
			}
			broken := strings.Replace(good, old, strings.ReplaceAll(fresh, `\n`, "\n"), 1)
			if _, err := policy.Parse([]byte(broken)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Parse = %v, want an error with %q", err, want)
			}
		})
	}
}

func TestParseNamesTheLine(t *testing.T) {
	t.Parallel()
	source := string(policy.Shipped())
	broken := strings.Replace(source, "when: age < 25", "when: agee < 25", 1)
	before, _, _ := strings.Cut(source, "id: youth-record")
	line := strings.Count(before, "\n") + 1
	_, err := policy.Parse([]byte(broken))
	if err == nil || !strings.Contains(err.Error(), "line "+itoa(line)) || !strings.Contains(err.Error(), "agee") {
		t.Errorf("Parse = %v, want line %d and the name agee", err, line)
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
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

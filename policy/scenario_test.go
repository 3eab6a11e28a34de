package policy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"timebank/policy"
)

func shipped(t testing.TB) *policy.Rules {
	t.Helper()
	r, err := policy.Parse(policy.Shipped())
	if err != nil {
		t.Fatalf("the shipped rule set does not load: %v", err)
	}
	return r
}

func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("scenarios/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenario files: %v", err)
	}
	rules := shipped(t)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		scenarios, err := policy.ParseScenarios(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, s := range scenarios {
			t.Run(s.Title, func(t *testing.T) {
				t.Parallel()
				if err := s.Run(rules); err != nil {
					t.Errorf("%s: %v", file, err)
				}
			})
		}
	}
}

// A scenario that expects something else must fail: otherwise the files would prove nothing.
func TestScenarioThatIsWrongFails(t *testing.T) {
	t.Parallel()
	for _, want := range []string{"grade C, care 61", "grade B, care 60", "grade C", "refused x", "held"} {
		text := "scenario: s\n born 1950-05-01\n serves 60 minutes on 2026-03-05 with signed sheet\n => " + want
		scenarios, err := policy.ParseScenarios(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := scenarios[0].Run(shipped(t)); err == nil {
			t.Errorf("%q passed, though it came to grade C, care 60", want)
		}
	}
}

func TestParseScenariosRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"born 1950-05-01":                                       "line 1",
		"scenario: s\nborn 1950-02-30":                          "line 2",
		"scenario: s\nborn 1950-05-01\n=> x":                    "line 1",
		"scenario: s\nserves many minutes on 2026-03-05":        "line 2",
		"scenario: s\nserves 5 minutes on 2026-03-05 with luck": "luck",
		"scenario: s\nredeems 5 hours on 2026-03-05":            "line 2",
	} {
		if _, err := policy.ParseScenarios(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseScenarios(%q) = %v, want an error with %q", text, err, want)
		}
	}
}

func FuzzParseScenarios(f *testing.F) {
	f.Add("scenario: s\n born 1950-05-01\n serves 60 minutes on 2026-03-05 with signed sheet\n => grade C, care 60")
	f.Add("scenario:\nalready earned 5 care that day")
	rules := shipped(f)
	f.Fuzz(func(_ *testing.T, text string) {
		scenarios, err := policy.ParseScenarios(text)
		if err != nil {
			return
		}
		for _, s := range scenarios {
			_ = s.Run(rules) // whatever it says, it says it without a panic
		}
	})
}

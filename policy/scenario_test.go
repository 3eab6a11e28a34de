package policy_test

import (
	"os"
	"path/filepath"
	"slices"
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

// other gives a rule set that shares nothing with the shipped one.
func other(t testing.TB) *policy.Rules {
	t.Helper()
	source, err := os.ReadFile("testdata/other/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := policy.Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func readScenarios(t *testing.T, pattern string) (all []policy.Scenario) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenario files %s: %v", pattern, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		scenarios, err := policy.ParseScenarios(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, scenarios...)
	}
	return all
}

func TestScenarios_come_out_as_told(t *testing.T) {
	t.Parallel()
	sets := []struct {
		name, files string
		rules       *policy.Rules
	}{
		{"the shipped set", "scenarios/*.txt", shipped(t)},
		{"another country's set", "testdata/other/scenarios.txt", other(t)},
	}
	for _, set := range sets {
		titles := map[string]bool{}
		for _, s := range readScenarios(t, set.files) {
			if titles[s.Title] {
				t.Errorf("two scenarios are called %q", s.Title)
			}
			titles[s.Title] = true
			t.Run(set.name+"/"+s.Title, func(t *testing.T) {
				t.Parallel()
				if err := s.Run(set.rules); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// Each rule must take part in one scenario and stay out of another; the one that lets credit be redeemed
// takes part always, and must say both yes and no.
func TestScenarios_show_each_rule_from_both_sides(t *testing.T) {
	t.Parallel()
	for files, rules := range map[string]*policy.Rules{"scenarios/*.txt": shipped(t), "testdata/other/scenarios.txt": other(t)} {
		var outcomes []policy.Outcome
		for _, s := range readScenarios(t, files) {
			o, err := s.Outcomes(rules)
			if err != nil {
				t.Fatal(err)
			}
			outcomes = append(outcomes, o...)
		}
		for _, rule := range rules.InWords(policy.English) {
			takes := func(o policy.Outcome) bool {
				grade, isGrade := strings.CutPrefix(rule.ID, "grade-")
				return isGrade && strings.HasPrefix(o.Text, "grade "+strings.ToUpper(grade)) || slices.Contains(o.Rules, rule.ID)
			}
			if !slices.ContainsFunc(outcomes, takes) {
				t.Errorf("%s: no scenario has rule %s take part", files, rule.ID)
			}
			if !slices.ContainsFunc(outcomes, func(o policy.Outcome) bool { return !takes(o) }) {
				t.Errorf("%s: no scenario has rule %s stay out", files, rule.ID)
			}
		}
		for _, start := range []string{"held", "refused", "grade A", "grade B", "grade C", "grade D"} {
			if !slices.ContainsFunc(outcomes, func(o policy.Outcome) bool { return strings.HasPrefix(o.Text, start) }) {
				t.Errorf("%s: no scenario comes to %q", files, start)
			}
		}
	}
}

// A scenario that expects something else must fail: otherwise the files would prove nothing.
func TestScenario_that_is_wrong_fails(t *testing.T) {
	t.Parallel()
	const start = "scenario: s\n born 1950-05-01\n serves 60 minutes on 2026-03-05 with signed sheet\n => "
	for _, want := range []string{
		"grade C, care 61", "grade B, care 60", "grade C", "grade C, care 60, youth 60", "refused x", "held for 72 hours",
		"grade C, care 60\n because nothing", "grade C, care 60\n because youth-record", "grade C, care 60\n because care-credit, care-day-cap",
		"grade C, care 60\n serves 60 minutes on 2026-03-05\n => grade C, care 60",
		"grade C, care 60\n redeems 60 minutes on 2026-03-05\n => held for 71 hours",
	} {
		scenarios, err := policy.ParseScenarios(start + want)
		if err != nil {
			t.Fatal(err)
		}
		if err := scenarios[0].Run(shipped(t)); err == nil || !strings.Contains(err.Error(), "line ") {
			t.Errorf("Run = %v for %q, which is wrong; want an error with the line", err, want)
		}
	}
}

func TestScenario_with_every_expectation_turned_round_fails(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("scenarios/shipped.txt")
	if err != nil {
		t.Fatal(err)
	}
	turned, err := policy.ParseScenarios(strings.ReplaceAll(string(text), "=> ", "=> not "))
	if err != nil {
		t.Fatal(err)
	}
	if len(turned) < 60 {
		t.Errorf("%d scenarios, want at least 60", len(turned))
	}
	for _, s := range turned {
		if err := s.Run(shipped(t)); err == nil {
			t.Errorf("%q passes with a wrong expectation", s.Title)
		}
	}
}

func TestParseScenarios_names_the_line_of_a_fault(t *testing.T) {
	t.Parallel()
	const born = "scenario: s\nborn 1950-05-01\n"
	tests := []struct{ name, text, want string }{
		{"a line before any scenario", "born 1950-05-01", "line 1: a scenario begins"},
		{"no title", "scenario:\nborn 1950-05-01\nserves 5 minutes on 2026-03-05\n=> x", "line 1: a scenario has a title"},
		{"a day that does not exist", "scenario: s\nborn 1950-02-30", "line 2: "},
		{"nobody was born", "scenario: s\nserves 5 minutes on 2026-03-05\n=> x", "line 1: a scenario tells when"},
		{"born twice", born + "born 1950-05-01", "line 3: somebody is born once"},
		{"nothing done", born, "line 1: a scenario tells what is served"},
		{"nothing expected", born + "serves 5 minutes on 2026-03-05", "line 3: a scenario tells what comes of it"},
		{"expected before done", born + "=> x", "line 3: "},
		{"expected twice", born + "serves 5 minutes on 2026-03-05\n=> x\n=> y", "line 5: "},
		{"because of what", born + "because x", "line 3: "},
		{"many minutes", born + "serves many minutes on 2026-03-05", "line 3: "},
		{"no minutes", born + "serves 0 minutes on 2026-03-05", "line 3: "},
		{"less than none", born + "serves -5 minutes on 2026-03-05", "line 3: "},
		{"more than a day", born + "serves 1441 minutes on 2026-03-05", "line 3: 1441"},
		{"hours", born + "redeems 5 hours on 2026-03-05", "line 3: "},
		{"with luck", born + "serves 5 minutes on 2026-03-05 with luck", "luck"},
		{"for nobody known", born + "serves 5 minutes on 2026-03-05 for circus", "circus"},
		{"posted before it was served", born + "serves 5 minutes on 2026-03-05, posted on 2026-03-04", "line 3: "},
		{"a role nobody has", born + "is emperor", "emperor"},
		{"a word nobody knows", born + "sings 5 minutes on 2026-03-05", "line 3: "},
		{"earned in support", born + "already earned 5 support that day", "support"},
		{"redeemed without a service", born + "redeems 5 minutes on 2026-03-05, TALK", "TALK"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := policy.ParseScenarios(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("ParseScenarios(%q) = %v, want an error with %q", tt.text, err, tt.want)
			}
		})
	}
}

// The first of January 1970 is day 0 of our calendar, and a birthday like any other.
func TestParseScenarios_knows_who_was_born_on_day_0(t *testing.T) {
	t.Parallel()
	scenarios, err := policy.ParseScenarios("scenario: s\nborn 1970-01-01\nredeems 5 minutes on 2030-01-01\n=> held for 72 hours")
	if err != nil {
		t.Fatal(err)
	}
	if err := scenarios[0].Run(shipped(t)); err != nil {
		t.Error(err)
	}
}

func FuzzParseScenarios(f *testing.F) {
	f.Add("scenario: s\n born 1950-05-01\n serves 60 minutes on 2026-03-05 with signed sheet\n => grade C, care 60")
	f.Add("scenario:\nalready earned 5 care that day")
	f.Add("scenario: s\nborn 2000-02-29\nis professional\nredeems 5 minutes on 2026-03-05, service TALK\n=> x\nbecause y, z")
	rules := shipped(f)
	f.Fuzz(func(t *testing.T, text string) {
		scenarios, err := policy.ParseScenarios(text)
		if err != nil {
			return
		}
		for _, s := range scenarios {
			if o, err := s.Outcomes(rules); err != nil || len(o) == 0 {
				t.Errorf("a scenario that was read comes to %v, %v", o, err)
			}
		}
	})
}

package policy_test

import (
	"regexp"
	"strings"
	"testing"

	"timebank/policy"
)

// A section that is only half written is refused: passed over in silence, its author would believe in rules
// that are not there.
func TestParse_refuses_half_a_section(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ section, instead, want string }{
		"a pool for nobody":         {"pool", "pool: {months: 12}", "it names no priority"},
		"a pool without a budget":   {"pool", "pool:\n  months: 12\n  priorities:\n    - {id: p1, when: alone, text: {en: a, zh: b}, source: project decision}\n", "is missing: how much"},
		"support for no team":       {"support", "support: {per: year}", "team is missing"},
		"support without levels":    {"support", "support:\n  per: year\n  team: {id: t1, when: \"true\", code: abc, text: {en: a, zh: b}, source: project decision}\n", "it has no levels"},
		"expiry that has no number": {"notices", "expiry: {id: ends, text: {en: a, zh: b}, source: project decision}", "after_months"},
		"expiry that has no name":   {"notices", "expiry: {after_months: 3, text: {en: a, zh: b}, source: project decision}", "a rule's id"},
		"limits for what is not":    {"donate", "donate:\n  limits:\n    - {id: d1, per: year, most: 60, code: abc, text: {en: a, zh: b}, source: project decision}\n", "so nobody may"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			section := regexp.MustCompile(`(?ms)^` + tt.section + `:\n.*?\n\n`)
			if !section.Match(policy.Shipped()) {
				t.Fatalf("the shipped set has no section %s", tt.section)
			}
			source := section.ReplaceAllLiteralString(string(policy.Shipped()), tt.instead+"\n\n")
			_, err := policy.Parse([]byte(source))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.HasPrefix(err.Error(), "line 1:") && !strings.Contains(tt.instead, "expiry") {
				t.Errorf("Parse = %v, want an error with %q and its line", err, tt.want)
			}
		})
	}
}

package policy_test

import (
	"strings"
	"testing"

	"timebank/policy"
)

func TestDiff_tells_rule_by_rule(t *testing.T) {
	t.Parallel()
	a := shipped(t)
	b, err := policy.Parse([]byte(strings.NewReplacer(
		"most: 480", "most: 240", "id: care-donated", "id: care-given", `"2000-01-01"`, `"2030-01-01"`, "shortfall: owed", "shortfall: written_off").
		Replace(string(policy.Shipped()))))
	if err != nil {
		t.Fatal(err)
	}
	changes, err := policy.Diff(a, b)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"effective_from": policy.Changed, "care-day-cap": policy.Changed, "care-donated": policy.Removed,
		"care-given": policy.Added, "correction.shortfall": policy.Changed}
	for _, c := range changes {
		if want[c.Rule] != c.What {
			t.Errorf("%s was %s, want %q", c.Rule, c.What, want[c.Rule])
		}
		if c.Rule == "care-day-cap" && (!strings.Contains(c.Before, "most: 480") || !strings.Contains(c.After, "most: 240")) {
			t.Errorf("care-day-cap changed from %q to %q", c.Before, c.After)
		}
	}
	if len(changes) != len(want) {
		t.Errorf("%d changes, want %d: %+v", len(changes), len(want), changes)
	}
	if same, err := policy.Diff(a, a); err != nil || len(same) != 0 {
		t.Errorf("a set differs from itself by %+v, %v", same, err)
	}
}

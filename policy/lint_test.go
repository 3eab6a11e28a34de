package policy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"timebank/policy"
)

func TestLint_warns_of_what_looks_like_a_mistake(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		replace []string
		want    []string
	}{
		{"the shipped set", nil, nil},
		{"a gap between the ages", []string{"when: age >= 25 ||", "when: age >= 27 ||", "when: (age >= 25 ||", "when: (age >= 27 ||"},
			[]string{"from age 25 to 26 an hour that is shown in every way earns nothing"}},
		{"ages that overlap", []string{"when: age < 25 &&", "when: age < 26 &&"}, []string{"from age 25 to 25 an hour earns both care and youth"}},
		{"everybody is refused", []string{"when: remote && emergency == 0", "when: age >= 100"},
			[]string{"from age 100 to 110 an hour is refused by rule attested-on-the-spot"}},
		{"a rule that always holds, with others behind it", []string{"when: age >= 18 && organization_kind == \"professional_team\" && \"pledge\" in chosen", `when: "true"`,
			"when: age < 25 &&", "when: age < 0 &&"},
			[]string{"rule care-donated can never apply: care-pledged, before it, always does", "rule care-credit can never apply: care-pledged, before it, always does"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := policy.Parse([]byte(strings.NewReplacer(tt.replace...).Replace(string(policy.Shipped()))))
			if err != nil {
				t.Fatal(err)
			}
			got, err := policy.Lint(r)
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("Lint: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

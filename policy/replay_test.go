package policy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
	"timebank/policy"
)

// A claim is decided, written down, and decided again: first as written, then with one number changed.
func TestReplay(t *testing.T) {
	t.Parallel()
	r := shipped(t)
	f := facts(90)
	d, err := r.Decide(f)
	if err != nil {
		t.Fatal(err)
	}
	details, err := json.Marshal(struct {
		Facts policy.ClaimFacts `json:"facts"`
		Grade ledger.Grade      `json:"grade"`
		Steps []policy.Step     `json:"steps"`
	}{f, d.Grade, d.Steps})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Replay(ledger.KindHours, details); err != nil {
		t.Errorf("Replay of what was decided = %v, want nil", err)
	}
	for _, change := range [][2]string{{`"minutes":90`, `"minutes":91`}, {`"grade":"C"`, `"grade":"A"`}, {`"out":90`, `"out":91`}} {
		changed := strings.Replace(string(details), change[0], change[1], 1)
		if err := r.Replay(ledger.KindHours, []byte(changed)); !errors.Is(err, policy.ErrDecidedOtherwise) {
			t.Errorf("Replay with %s = %v, want ErrDecidedOtherwise", change[1], err)
		}
	}
	if err := r.Replay(ledger.KindVolunteer, details); err == nil {
		t.Error("Replay of a kind that no rule decides = nil, want an error")
	}
}

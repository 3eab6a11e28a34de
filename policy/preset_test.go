package policy_test

import (
	"strings"
	"testing"

	"timebank/policy"
)

// Every preset loads, says what is not founded, and comes out as its scenarios tell.
func TestPresets(t *testing.T) {
	t.Parallel()
	names := policy.Presets()
	if len(names) != 6 {
		t.Errorf("presets are %v, want six", names)
	}
	hashes := map[string]string{}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			source, ok := policy.Preset(name)
			if !ok || !strings.Contains(string(source), "Not founded") && !strings.Contains(string(source), "not founded") {
				t.Errorf("it does not say what is not founded")
			}
			r, err := policy.Parse(source)
			if err != nil {
				t.Fatal(err)
			}
			if other := hashes[r.Hash().String()]; other != "" || r.ID() != "preset-"+name {
				t.Errorf("its id is %s, and its text that of %q", r.ID(), other)
			}
			hashes[r.Hash().String()] = name
			for _, s := range readScenarios(t, "presets/"+name+".txt") {
				if err := s.Run(r); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if _, ok := policy.Preset("../shipped"); ok {
		t.Error("Preset leaves its folder")
	}
}

package policy

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml"
)

// Change is what became of a rule, or of a section, between two sets.
type Change struct {
	Rule   string // id of the rule, or name of the section
	What   string // added, removed, changed
	Before string // as written; empty when it was not there
	After  string
}

// The ways in which a rule changes.
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
)

// Diff tells rule by rule what the second set has otherwise than the first: first what the first has, in
// its order, then what was added.
func Diff(a, b *Rules) ([]Change, error) {
	before, err := a.pieces()
	if err != nil {
		return nil, err
	}
	after, err := b.pieces()
	if err != nil {
		return nil, err
	}
	var changes []Change
	for _, p := range before {
		i := slices.IndexFunc(after, func(q piece) bool { return q.name == p.name })
		switch {
		case i < 0:
			changes = append(changes, Change{p.name, Removed, p.text, ""})
		case after[i].text != p.text:
			changes = append(changes, Change{p.name, Changed, p.text, after[i].text})
		}
	}
	for _, q := range after {
		if !slices.ContainsFunc(before, func(p piece) bool { return p.name == q.name }) {
			changes = append(changes, Change{q.name, Added, "", q.text})
		}
	}
	return changes, nil
}

// piece is a part of a set that is compared as a whole: a rule by its id, or what else a section says.
type piece struct{ name, text string }

func (r *Rules) pieces() ([]piece, error) {
	var doc yaml.MapSlice
	if err := yaml.Unmarshal(r.source, &doc); err != nil {
		return nil, fmt.Errorf("reading rule set %s: %w", r.id, err)
	}
	var pieces []piece
	for _, section := range doc {
		if err := cut(fmt.Sprint(section.Key), section.Value, &pieces); err != nil {
			return nil, err
		}
	}
	return pieces, nil
}

// cut takes a value apart into its rules: what has an id, a name, a code or a grade stands by itself.
func cut(name string, value any, pieces *[]piece) error {
	switch v := value.(type) {
	case []any:
		if len(v) == 0 || !slices.ContainsFunc(v, func(x any) bool { return nameOf(x) != "" }) {
			break
		}
		for _, x := range v {
			if err := write(nameOf(x), x, pieces); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		if nameOf(v) == "" {
			return cutMap(name, v, pieces)
		}
		return write(nameOf(v), v, pieces)
	}
	return write(name, value, pieces)
}

func cutMap(name string, m map[string]any, pieces *[]piece) error {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if err := cut(name+"."+k, m[k], pieces); err != nil {
			return err
		}
	}
	return nil
}

func nameOf(x any) string {
	m, ok := x.(map[string]any)
	if !ok {
		return ""
	}
	if grade, ok := m["grade"].(string); ok && m["id"] == nil {
		return "grade-" + grade
	}
	for _, key := range []string{"id", "code", "name"} {
		if name, ok := m[key].(string); ok {
			return name
		}
	}
	return ""
}

func write(name string, value any, pieces *[]piece) error {
	text, err := yaml.Marshal(value)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	*pieces = append(*pieces, piece{name, string(text)})
	return nil
}

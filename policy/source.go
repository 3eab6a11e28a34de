package policy

import (
	"slices"
	"strings"
)

// sourceKinds are what a rule may rest on, the firmest first.
var sourceKinds = []string{"law", "standard", "paper", "press", "decision"}

// Source is what rules of a set rest on.
type Source struct{ Name, Kind, Text string }

// sources reads the list of what the rules rest on. A rule's own source begins with one of the names, and
// may go on to say which article, or what was added to it.
func (p *parser) sources(r *Rules, doc document) {
	for _, d := range doc.Sources {
		line := lineOf(d.Name, d.Kind, doc.ID)
		if d.Name.blank() || slices.Contains(p.sourced, d.Name.value) {
			p.fault(line, "a source needs a name of its own, not %q", d.Name.value)
		}
		if !slices.Contains(sourceKinds, d.Kind.value) {
			p.fault(lineOf(d.Kind, d.Name), "source %s: kind is one of %s, not %q", d.Name.value, strings.Join(sourceKinds, ", "), d.Kind.value)
		}
		p.text(line, "source "+d.Name.value, d.Text)
		p.sourced = append(p.sourced, d.Name.value)
		r.sources = append(r.sources, sourceText{d.Name.value, d.Kind.value, d.Text})
	}
}

type sourceText struct {
	name, kind string
	text       text
}

// listed reports whether a rule's source begins with a name of the list; a set without a list takes any.
func (p *parser) listed(source string) bool {
	return p.recorded || len(p.sourced) == 0 || slices.ContainsFunc(p.sourced, func(name string) bool { return strings.HasPrefix(source, name) })
}

// Sources lists what the rules of the set rest on.
func (r *Rules) Sources(lang Lang) []Source {
	all := make([]Source, len(r.sources))
	for i, s := range r.sources {
		all[i] = Source{s.name, s.kind, s.text.in(lang)}
	}
	return all
}

// Author gives who wrote the set, and Approver who answers for it beside the author.
func (r *Rules) Author() string { return r.author }

// Approver gives who answers for the set beside its author.
func (r *Rules) Approver() string { return r.approver }

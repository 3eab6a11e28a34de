package policy

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/interpreter"
	"github.com/go-json-experiment/json"

	"timebank/ledger"
)

// field is a fact about something, declared once: its name in conditions, its type, and how it is read.
type field[F any] struct {
	fact
	value func(*F) any
}

func number[F any, N ~int | ~int64](name string, value func(*F) N) field[F] {
	return field[F]{fact{name, cel.IntType}, func(f *F) any { return int64(value(f)) }}
}

func yes[F any](name string, value func(*F) bool) field[F] {
	return field[F]{fact{name, cel.BoolType}, func(f *F) any { return value(f) }}
}

func name[F any, S ~string](name string, value func(*F) S) field[F] {
	return field[F]{fact{name, cel.StringType}, func(f *F) any { return string(value(f)) }}
}

func roles[F any](value func(*F) []ledger.VolunteerRole) field[F] {
	return field[F]{fact{"roles", cel.ListType(cel.StringType)}, func(f *F) any {
		return texts(value(f))
	}}
}

func factsOf[F any](fields []field[F]) []fact {
	all := make([]fact, len(fields))
	for i, x := range fields {
		all[i] = x.fact
	}
	return all
}

// view shows facts to conditions.
type view[F any] struct {
	f      *F
	fields []field[F]
}

// Parent is part of CEL's interface: there is no outer scope.
func (view[F]) Parent() interpreter.Activation { return nil }

// ResolveName gives the fact of a name.
func (v view[F]) ResolveName(name string) (any, bool) {
	for _, x := range v.fields {
		if x.name == name {
			return x.value(v.f), true
		}
	}
	return nil, false
}

// first gives the index of the first of some conditions that holds, or -1.
func first[F any, R any](f *F, fields []field[F], rules []R, when func(R) condition) (int, error) {
	for i, r := range rules {
		c := when(r)
		ok, err := c.holds(view[F]{f, fields})
		if err != nil {
			return -1, err
		}
		if ok {
			return i, nil
		}
	}
	return -1, nil
}

// replayOf decides something again from its recorded facts; a name that is no fact is refused.
func replayOf[F any](decide func(r *Rules, f F) ([]Step, error)) func(*Rules, []byte) (Decided, error) {
	return func(r *Rules, facts []byte) (Decided, error) {
		var f F
		if err := json.Unmarshal(facts, &f, json.RejectUnknownMembers(true)); err != nil {
			return Decided{}, err
		}
		steps, err := decide(r, f)
		return Decided{Steps: steps}, err
	}
}

// whatRule is what every rule has, when it needs nothing else to be read.
type whatRule struct {
	ID     word `yaml:"id"`
	Text   text `yaml:"text"`
	Source word `yaml:"source"`
}

// inBoth tells a rule in both languages, as refusals do.
func (r *Rules) inBoth(rule string) string {
	t := r.texts[rule].text
	return t.EN.value + " / " + t.ZH.value
}

// within reads a whole number of a rule, or faults.
func (p *parser) within(what string, w, id word, most int64) int64 {
	n, ok := w.whole()
	if !ok || n < 1 || n > most {
		p.fault(lineOf(w, id), "%s: a whole number from 1 to %d, not %q", what, most, w.value)
	}
	return n
}

// phrases are parts of a line of a scenario, with N for a number, and what each means.
type phrases map[string]func(n int64)

// read reads parts set apart by commas.
func (ph phrases) read(rest string) error {
	for part := range strings.SplitSeq(rest, ",") {
		words, n := strings.Fields(part), ledger.Minutes(0)
		if len(words) == 0 {
			continue
		}
		for i, w := range words {
			if w[0] < '0' || w[0] > '9' {
				continue
			}
			var err error
			if n, err = minutesUpTo(w, scenarioMinutesMax); err != nil {
				return err
			}
			words[i] = "N"
			break
		}
		mean, ok := ph[strings.Join(words, " ")]
		if !ok {
			return fmt.Errorf("%q is nothing that can be told here", strings.TrimSpace(part))
		}
		mean(int64(n))
	}
	return nil
}

// onDay reads "on 2026-03-05" and what comes after a comma.
func onDay(rest string) (ledger.Date, string, error) {
	day, more, _ := strings.Cut(rest, ",")
	words := strings.Fields(day)
	if len(words) != 2 || words[0] != "on" {
		return 0, "", fmt.Errorf("say when: \"on 2026-03-05\", not %q", strings.TrimSpace(day))
	}
	on, err := ledger.ParseDate(words[1])
	return on, more, err
}

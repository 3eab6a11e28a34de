package policy

import (
	"fmt"
	"strconv"
	"strings"

	"timebank/ledger"
)

// partsMax bounds the parts of a minute in which a set carries what rounding leaves: the least common
// multiple of its rates' denominators.
const partsMax = 1_000_000

// stepMinutesMax bounds the step in which credit is counted: a working day.
const stepMinutesMax = 480

// earn turns the minutes of a claim into a unit.
type earn struct {
	id       string
	unit     ledger.Unit
	pool     bool // credit goes to the pool, in the volunteer's name
	rate     ledger.Rate
	rateText string
	step     ledger.Minutes // credit is counted in steps of so many minutes
	when     condition
}

type earnDoc struct {
	ID     word `yaml:"id"`
	Unit   word `yaml:"unit"`
	To     word `yaml:"to"`
	When   word `yaml:"when"`
	Rate   word `yaml:"rate"`
	Round  word `yaml:"round"`
	Step   word `yaml:"step"`
	Text   text `yaml:"text"`
	Source word `yaml:"source"`
}

func (p *parser) earn(r *Rules, c compiler, docs []earnDoc) {
	for _, d := range docs {
		p.rule(r, d.ID, d.Text, d.Source)
		rate, err := parseRate(d.Rate.value)
		if err != nil {
			p.fault(lineOf(d.Rate, d.ID), "rule %s: %v", d.ID.value, err)
		}
		if ledger.Rounding(d.Round.value) != ledger.RoundDown {
			p.fault(lineOf(d.Round, d.ID), "rule %s: round is down: what is left is carried to the next claim, so nobody loses it; rounded up, splitting a claim would gain", d.ID.value)
		}
		e := earn{id: d.ID.value, unit: p.earnable(d.Unit, d.ID), rate: rate, rateText: rate.String(), step: p.step(d), when: p.condition(c, d.When, d.ID)}
		e.pool = p.toPool(d)
		r.earn = append(r.earn, e)
		r.partsOf[e.unit] = leastMultiple(r.parts(e.unit), rate.Den)
		if r.partsOf[e.unit] > partsMax {
			p.fault(lineOf(d.Rate, d.ID), "rule %s: with the other rates of %s, what rounding leaves would be counted in more than %d parts of a minute", d.ID.value, e.unit, partsMax)
			r.partsOf[e.unit] = 1
		}
	}
}

func (p *parser) step(d earnDoc) ledger.Minutes {
	if d.Step.blank() {
		return 1
	}
	n, ok := d.Step.whole()
	if !ok || n < 1 || n > stepMinutesMax {
		p.fault(lineOf(d.Step, d.ID), "rule %s: step is from 1 to %d whole minutes, not %q", d.ID.value, stepMinutesMax, d.Step.value)
		return 1
	}
	return ledger.Minutes(n)
}

func (p *parser) toPool(d earnDoc) bool {
	switch {
	case d.To.blank() || d.To.value == "volunteer":
		return false
	case d.To.value != "pool":
		p.fault(lineOf(d.To, d.ID), "rule %s: to is volunteer or pool, not %q", d.ID.value, d.To.value)
	case ledger.Unit(d.Unit.value) != ledger.Care:
		p.fault(lineOf(d.To, d.ID), "rule %s: only care goes to the pool: a service record is of the one who served", d.ID.value)
	}
	return true
}

// earnable refuses the service record above all: no rule may make it differ from what really was.
func (p *parser) earnable(unit, id word) ledger.Unit {
	if u := ledger.Unit(unit.value); u == ledger.Care || u == ledger.Youth {
		return u
	}
	p.fault(lineOf(unit, id), "a claim earns care or youth, not %q: the service record is what really happened, and no rule touches it", unit.value)
	return ""
}

func parseRate(s string) (ledger.Rate, error) {
	num, den, ok := strings.Cut(s, "/")
	n, err1 := strconv.ParseInt(num, 10, 64)
	d, err2 := strconv.ParseInt(den, 10, 64)
	if !ok || err1 != nil || err2 != nil || n < 1 || d < 1 || n > rateMax || d > rateMax {
		return ledger.Rate{Num: 1, Den: 1}, fmt.Errorf("a rate is a fraction such as 1/1, of numbers from 1 to %d, not %q", rateMax, s)
	}
	return ledger.Rate{Num: n, Den: d}, nil
}

func leastMultiple(a, b int64) int64 { return a / greatestDivisor(a, b) * b }

// parts gives in how many parts of a minute the set carries what rounding leaves of a unit.
func (r *Rules) parts(u ledger.Unit) int64 { return max(1, r.partsOf[u]) }

// Parts gives in how many parts of a minute the set carries what rounding leaves of a unit; the facts
// and steps of its decisions count in them.
func (r *Rules) Parts(u ledger.Unit) int64 { return r.parts(u) }

// Carry is what rounding has left over for a volunteer in a unit: Rest parts, of which Parts make a
// minute. It is negative when a correction took back minutes that rounding had lent.
type Carry struct{ Rest, Parts int64 }

// In gives the rest in other parts of a minute, rounded down where the two do not fit.
func (c Carry) In(parts int64) int64 { return c.in(parts) }

func (c Carry) in(parts int64) int64 {
	switch c.Parts {
	case 0:
		return 0
	case parts:
		return c.Rest
	}
	return floorDiv(c.Rest*parts, c.Parts)
}

// Plus adds a rest in parts of its own; the sum is in those.
func (c Carry) Plus(rest, parts int64) Carry { return Carry{c.in(parts) + rest, parts} }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// of gives what the minutes of a claim earn together with what was carried, in whole steps, and what is
// carried on: earned×parts + after = minutes×rate×parts + carried, exactly. However a claim is split,
// the sum is the same.
func (e *earn) of(m ledger.Minutes, carried, parts int64) (earned ledger.Minutes, after int64) {
	exact := int64(m)*e.rate.Num*(parts/e.rate.Den) + carried
	step := int64(e.step)
	earned = ledger.Minutes(max(0, floorDiv(exact, parts*step)) * step)
	return earned, exact - int64(earned)*parts
}

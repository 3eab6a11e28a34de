package policy

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"timebank/ledger"
)

const (
	rulesMax       = 200  // rules of one set; the shipped one has about ten
	rateMax        = 1000 // numerator and denominator of a rate
	holdSecondsMax = 366 * 86400
	bytesMax       = 64 << 10
)

var (
	idPattern   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,63}$`)
	codePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{1,63}$`)
)

// Parse reads and compiles a rule set. It refuses one that it does not wholly understand; the error
// joins all faults, each naming the line.
func Parse(source []byte) (*Rules, error) {
	if len(source) > bytesMax {
		return nil, fmt.Errorf("a rule set has at most %d bytes", bytesMax)
	}
	var doc document
	if err := yaml.UnmarshalWithOptions(source, &doc, yaml.Strict(), yaml.DisallowUnknownField()); err != nil {
		return nil, fmt.Errorf("reading the rule set: %w", err)
	}
	p := parser{source: string(source), seen: map[string]bool{}}
	rules := p.rules(doc)
	if len(p.faults) > 0 {
		return nil, errors.Join(p.faults...)
	}
	return rules, nil
}

// parser gathers the faults of a document, so that its author sees all at once.
type parser struct {
	source string
	faults []error
	seen   map[string]bool
	count  int
}

// fault notes a fault at the line where mark stands.
func (p *parser) fault(mark, format string, args ...any) {
	line := 1
	if i := strings.Index(p.source, mark); mark != "" && i >= 0 {
		line += strings.Count(p.source[:i], "\n")
	}
	p.faults = append(p.faults, fmt.Errorf("line %d: %s", line, fmt.Sprintf(format, args...)))
}

func (p *parser) rules(doc document) *Rules {
	r := &Rules{id: doc.ID, title: doc.Title, source: []byte(p.source), hash: sha256.Sum256([]byte(p.source)),
		holdSeconds: doc.Redeem.HoldSeconds, texts: map[string]ruleText{}}
	if !idPattern.MatchString(doc.ID) {
		p.fault("id:", "the id must be of lower-case letters, digits and hyphens")
	}
	p.text("title:", "the title", doc.Title)
	from, err := ledger.ParseDate(doc.EffectiveFrom)
	if err != nil {
		p.fault("effective_from:", "effective_from: %v", err)
	}
	r.from = from
	r.leap = ledger.LeapBirthday(doc.Ages.LeapBirthday)
	if r.leap != ledger.LeapFebruary28 && r.leap != ledger.LeapMarch1 {
		p.fault("leap_birthday:", "leap_birthday is 02-28 or 03-01: on which day of a common year somebody born on 29 February turns a year older")
	}
	claim, hold, age := p.compiler(claimNames), p.compiler(holdNames), p.compiler(ageNames)
	p.grades(r, p.compiler(slices.DeleteFunc(slices.Clone(claimNames), func(f fact) bool { return f.name == "grade" })), doc.Grades)
	for _, d := range doc.Refuse {
		r.refuse = append(r.refuse, p.check(r, claim, d, "refuse"))
	}
	p.earn(r, claim, doc.Earn)
	p.withhold(r, claim, doc.Withhold)
	p.limits(r, doc.Limits)
	r.redeemable = p.check(r, age, doc.Redeem.Redeemable, "redeemable")
	for _, d := range doc.Redeem.Require {
		r.require = append(r.require, p.check(r, hold, d, "require"))
	}
	if r.holdSeconds < 60 || r.holdSeconds > holdSecondsMax {
		p.fault("hold_seconds:", "hold_seconds is from 60 to %d", holdSecondsMax)
	}
	r.shortfall = Shortfall(doc.Correction.Shortfall)
	if r.shortfall != Owed && r.shortfall != WrittenOff {
		p.fault("shortfall:", "shortfall is %s or %s", Owed, WrittenOff)
	}
	p.text("correction:", "the correction", doc.Correction.Text)
	if p.count > rulesMax {
		p.fault("", "%d rules, at most %d", p.count, rulesMax)
	}
	return r
}

func (p *parser) compiler(facts []fact) compiler {
	c, err := newCompiler(facts)
	if err != nil {
		panic(err) // our own declarations
	}
	return c
}

// rule checks what every rule has: an id of its own, a text in both languages, and where it comes from.
func (p *parser) rule(r *Rules, id string, t text, source string) {
	p.count++
	mark := "id: " + id
	switch {
	case !idPattern.MatchString(id):
		p.fault("id: "+id, "a rule's id %q must be of lower-case letters, digits and hyphens", id)
	case p.seen[id]:
		p.fault(mark, "two rules have the id %s", id)
	}
	p.seen[id] = true
	p.text(mark, "rule "+id, t)
	if strings.TrimSpace(source) == "" {
		p.fault(mark, "rule %s names no source: a law, a paper, or the city's own decision", id)
	}
	r.texts[id] = ruleText{t, source}
}

func (p *parser) text(mark, what string, t text) {
	if strings.TrimSpace(t.EN) == "" || strings.TrimSpace(t.ZH) == "" {
		p.fault(mark, "%s needs its text in English and in Chinese", what)
	}
	if strings.Contains(t.ZH, "银行") {
		p.fault(mark, "%s says 银行, a word the Commercial Bank Law (article 11) reserves", what)
	}
}

func (p *parser) condition(c compiler, mark, text string) condition {
	compiled, err := c.compile(text)
	if err != nil {
		p.fault(mark, "%v", err)
	}
	return compiled
}

func (p *parser) grades(r *Rules, c compiler, docs []gradeDoc) {
	for i, d := range docs {
		id := "grade-" + strings.ToLower(d.Grade)
		mark := "grade: " + d.Grade
		if i >= len(ledger.Grades) || d.Grade != string(ledger.Grades[i]) {
			p.fault(mark, "grades are given in the order A, B, C, D")
			continue
		}
		p.rule(r, id, d.Text, d.Source)
		r.grades = append(r.grades, p.condition(c, mark, d.When))
	}
	if len(docs) != len(ledger.Grades) || strings.TrimSpace(docs[len(docs)-1].When) != "true" {
		p.fault("grades:", "there are four grades, and D, the last, is of every claim: when: \"true\"")
	}
}

func (p *parser) check(r *Rules, c compiler, d refuseDoc, what string) check {
	p.rule(r, d.ID, d.Text, d.Source)
	if !codePattern.MatchString(d.Code) {
		p.fault("id: "+d.ID, "%s rule %s needs a code such as minutes_exceed_clock", what, d.ID)
	}
	return check{d.ID, d.Code, d.Text, p.condition(c, "id: "+d.ID, d.When)}
}

func (p *parser) earn(r *Rules, c compiler, docs []earnDoc) {
	for _, d := range docs {
		p.rule(r, d.ID, d.Text, d.Source)
		mark := "id: " + d.ID
		rate, err := parseRate(d.Rate)
		if err != nil {
			p.fault(mark, "rule %s: %v", d.ID, err)
		}
		r.earn = append(r.earn, earn{d.ID, p.earnable(mark, d.Unit), rate, p.condition(c, mark, d.When)})
	}
}

// earnable refuses the service record above all: no rule may make it differ from what really was.
func (p *parser) earnable(mark, unit string) ledger.Unit {
	if u := ledger.Unit(unit); u == ledger.Care || u == ledger.Youth {
		return u
	}
	p.fault(mark, "a claim earns care or youth, not %q: the service record is what really happened, and no rule touches it", unit)
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

func (p *parser) withhold(r *Rules, c compiler, docs []holdback) {
	for _, d := range docs {
		p.rule(r, d.ID, d.Text, d.Source)
		w := withhold{id: d.ID, when: p.condition(c, "id: "+d.ID, d.When)}
		for _, u := range d.Units {
			w.units = append(w.units, p.earnable("id: "+d.ID, u))
		}
		if len(w.units) == 0 {
			p.fault("id: "+d.ID, "rule %s withholds no unit", d.ID)
		}
		r.withhold = append(r.withhold, w)
	}
}

func (p *parser) limits(r *Rules, docs []limitDoc) {
	for _, d := range docs {
		p.rule(r, d.ID, d.Text, d.Source)
		if d.Per != "day" {
			p.fault("id: "+d.ID, "limit %s: per is day, not %q", d.ID, d.Per)
		}
		if d.Most < 0 || d.Most > int64(ledger.ClaimMinutesMax) {
			p.fault("id: "+d.ID, "limit %s: most is from 0 to %d minutes", d.ID, ledger.ClaimMinutesMax)
		}
		r.limits = append(r.limits, limit{d.ID, p.earnable("id: "+d.ID, d.Unit), ledger.Minutes(d.Most)})
	}
}

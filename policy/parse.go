package policy

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"

	"timebank/ledger"
)

const (
	rulesMax       = 200  // rules of one set; the shipped one has about ten
	rateMax        = 1000 // numerator and denominator of a rate
	holdSecondsMin = 60
	holdSecondsMax = 366 * 86400
	bytesMax       = 64 << 10
)

var (
	idPattern   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,63}$`)
	codePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{1,63}$`)
)

// Parse reads and compiles a rule set. It refuses one that it does not wholly understand; the error
// joins all faults, each naming the line.
func Parse(source []byte) (*Rules, error) { return parse(source, false) }

// ParseRecorded reads a rule set that a book has recorded. It decided entries and must be read for ever, so
// what was only later asked of authors (an approver, a list of sources) is not asked of it.
func ParseRecorded(source []byte) (*Rules, error) { return parse(source, true) }

func parse(source []byte, recorded bool) (*Rules, error) {
	if len(source) > bytesMax {
		return nil, fmt.Errorf("a rule set has at most %d bytes", bytesMax)
	}
	if err := checkTokens(string(source)); err != nil {
		return nil, err
	}
	var doc document
	if err := yaml.UnmarshalWithOptions(source, &doc, yaml.Strict()); err != nil {
		return nil, readingFault(err)
	}
	p := parser{seen: map[string]bool{}, recorded: recorded}
	rules := p.rules(doc, source)
	if len(p.faults) > 0 {
		return nil, errors.Join(p.faults...)
	}
	return rules, nil
}

// parser gathers the faults of a document, so that its author sees all at once.
type parser struct {
	faults  []error
	seen    map[string]bool
	sourced []string // names of the set's sources

	recorded bool // the set is in force already: what was asked of authors later is not asked
}

func (p *parser) fault(line int, format string, args ...any) {
	p.faults = append(p.faults, &faultAt{line, fmt.Sprintf(format, args...)})
}

func (p *parser) rules(doc document, source []byte) *Rules {
	r := &Rules{source: append([]byte(nil), source...), hash: sha256.Sum256(source), texts: map[string]ruleText{}, partsOf: map[ledger.Unit]int64{}, optionTexts: map[string]text{}}
	p.head(r, doc)
	p.grades(r, doc.Grades)
	refuse := p.compiler(refuseNames)
	for _, d := range doc.Refuse {
		r.refuse = append(r.refuse, p.check(r, refuse, d, "refuse"))
	}
	earn := p.compiler(earnNames)
	p.earn(r, earn, doc.Earn)
	p.withhold(r, earn, doc.Withhold)
	p.limits(r, earn, doc.Limits)
	p.marks(r, earn, doc.Marks)
	p.calendar(r, doc.Calendar)
	p.choices(r, doc.Choices)
	p.services(r, doc.Services)
	p.levels(r, doc.Levels)
	p.redeem(r, doc.Redeem)
	r.transfer, r.donate = p.giving(r, "transfer", doc.Transfer), p.giving(r, "donate", doc.Donate)
	p.strikes(r, doc.Redeem.Strikes)
	p.pool(r, doc.Pool)
	p.expiry(r, doc.Expiry)
	p.honours(r, doc.Honours)
	p.support(r, doc.Support)
	p.workload(r, doc.Workload)
	p.notices(r, doc.Notices)
	p.correction(r, doc.Correction)
	r.count()
	if len(r.texts) > rulesMax {
		p.fault(1, "%d rules, at most %d", len(r.texts), rulesMax)
	}
	return r
}

func (p *parser) head(r *Rules, doc document) {
	r.id, r.title = doc.ID.value, doc.Title
	if !idPattern.MatchString(r.id) {
		p.fault(lineOf(doc.ID), "the set's id must be of lower-case letters, digits and hyphens, not %q", r.id)
	}
	p.text(lineOf(doc.ID), "the title", doc.Title)
	if doc.Author.blank() {
		p.fault(lineOf(doc.Author, doc.ID), "the set names no author")
	}
	if !p.recorded && (doc.Approver.blank() || doc.Approver.value == doc.Author.value) {
		p.fault(lineOf(doc.Approver, doc.ID), "the set names no approver, or the author as one: two persons answer for it")
	}
	r.author, r.approver = doc.Author.value, doc.Approver.value
	p.sources(r, doc)
	from, err := ledger.ParseDate(doc.EffectiveFrom.value)
	if err != nil {
		p.fault(lineOf(doc.EffectiveFrom, doc.ID), "effective_from: %v", err)
	}
	r.from = from
	r.leap = ledger.LeapBirthday(doc.Ages.LeapBirthday.value)
	if r.leap != ledger.LeapFebruary28 && r.leap != ledger.LeapMarch1 {
		p.fault(lineOf(doc.Ages.LeapBirthday, doc.ID), "leap_birthday is %s or %s: on which day of a common year somebody born on 29 February turns a year older",
			ledger.LeapFebruary28, ledger.LeapMarch1)
	}
}

func (p *parser) compiler(facts []fact) compiler {
	c, err := newCompiler(facts)
	if err != nil {
		panic(err) // our own declarations
	}
	return c
}

// rule checks what every rule has: an id of its own, a text in both languages, and where it comes from.
func (p *parser) rule(r *Rules, id word, t text, source word) {
	line := lineOf(id, t.EN, t.ZH, source)
	switch {
	case !idPattern.MatchString(id.value):
		p.fault(line, "a rule's id must be of lower-case letters, digits and hyphens, not %q", id.value)
	case p.seen[id.value]:
		p.fault(line, "two rules have the id %s", id.value)
	}
	p.seen[id.value] = true
	p.text(line, "rule "+id.value, t)
	switch {
	case source.blank():
		p.fault(lineOf(source, id), "rule %s names no source: a law, a paper, or the city's own decision", id.value)
	case !p.listed(source.value):
		p.fault(lineOf(source, id), "rule %s: its source begins with none of the set's sources: %q", id.value, source.value)
	}
	r.texts[id.value] = ruleText{t, source.value}
}

func (p *parser) text(line int, what string, t text) {
	if t.EN.blank() {
		p.fault(lineOf(t.EN, word{line: line}), "%s needs its text in English and in Chinese: the English is missing", what)
	}
	if t.ZH.blank() {
		p.fault(lineOf(t.ZH, word{line: line}), "%s needs its text in English and in Chinese: the Chinese is missing", what)
	}
	if strings.Contains(t.ZH.value, "银行") {
		p.fault(lineOf(t.ZH), "%s says 银行, a word the Commercial Bank Law (article 11) reserves", what)
	}
}

func (p *parser) condition(c compiler, when, id word) condition {
	compiled, err := c.compile(when.value)
	if err != nil {
		p.fault(lineOf(when, id), "rule %s: %v", id.value, err)
	}
	return compiled
}

func (p *parser) grades(r *Rules, docs []gradeDoc) {
	c := p.compiler(gradeNames)
	for i, d := range docs {
		if i >= len(ledger.Grades) || d.Grade.value != string(ledger.Grades[i]) {
			p.fault(lineOf(d.Grade, d.When), "grades are given in the order A, B, C, D")
			continue
		}
		id := word{gradeID(ledger.Grades[i]), d.Grade.line}
		p.rule(r, id, d.Text, d.Source)
		r.grades = append(r.grades, p.condition(c, d.When, id))
	}
	if len(docs) < len(ledger.Grades) {
		p.fault(1, "there are four grades, A, B, C, D, not %d", len(docs))
	} else if last := docs[len(ledger.Grades)-1]; last.When.value != "true" {
		p.fault(lineOf(last.When, last.Grade), "D, the last grade, is of every claim: when: \"true\"")
	}
}

func (p *parser) check(r *Rules, c compiler, d refuseDoc, what string) check {
	p.rule(r, d.ID, d.Text, d.Source)
	if !codePattern.MatchString(d.Code.value) {
		p.fault(lineOf(d.Code, d.ID), "%s rule %s needs a code such as minutes_exceed_clock", what, d.ID.value)
	}
	return check{d.ID.value, d.Code.value, d.Text, p.condition(c, d.When, d.ID)}
}

func (p *parser) withhold(r *Rules, c compiler, docs []holdback) {
	for _, d := range docs {
		p.rule(r, d.ID, d.Text, d.Source)
		w := withhold{id: d.ID.value, when: p.condition(c, d.When, d.ID)}
		for _, u := range d.Units {
			w.units = append(w.units, p.earnable(u, d.ID))
		}
		if len(w.units) == 0 {
			p.fault(lineOf(d.ID), "rule %s withholds no unit", d.ID.value)
		}
		r.withhold = append(r.withhold, w)
	}
}

// marks reads what honours a claim without moving minutes.
func (p *parser) marks(r *Rules, c compiler, docs []markDoc) {
	for _, d := range docs {
		p.rule(r, d.ID, d.Text, d.Source)
		r.marks = append(r.marks, mark{d.ID.value, p.condition(c, d.When, d.ID)})
	}
}

// notices reads what people are told and what decides nothing, such as what becomes of a youth record.
func (p *parser) notices(r *Rules, docs []whatRule) {
	for _, d := range docs {
		p.rule(r, d.ID, d.Text, d.Source)
		r.notices = append(r.notices, d.ID.value)
	}
}

func (p *parser) redeem(r *Rules, doc redeemDoc) {
	r.redeemable = p.check(r, p.compiler(ageNames), doc.Redeemable, "redeemable")
	hold := p.compiler(holdNames)
	if doc.ForRelative != (refuseDoc{}) {
		r.forRelative = p.check(r, hold, doc.ForRelative, "for_relative")
	}
	for _, d := range doc.Require {
		r.require = append(r.require, p.check(r, hold, d, "require"))
	}
	r.redeemLimits = p.givingLimits(r, doc.Limits)
	for i, l := range r.redeemLimits {
		if l.per != ledger.Month {
			p.fault(lineOf(doc.Limits[i].Per, doc.Limits[i].ID), "limit %s: what is redeemed is limited per month, not %q", l.id, l.per)
		}
	}
	seconds, ok := doc.HoldSeconds.whole()
	if !ok || seconds < holdSecondsMin || seconds > holdSecondsMax {
		p.fault(lineOf(doc.HoldSeconds, doc.Redeemable.ID), "hold_seconds is a whole number from %d to %d, not %q",
			holdSecondsMin, holdSecondsMax, doc.HoldSeconds.value)
	}
	r.holdSeconds = seconds
}

func (p *parser) correction(r *Rules, doc correctDoc) {
	r.shortfall = Shortfall(doc.Shortfall.value)
	if r.shortfall != Owed && r.shortfall != WrittenOff {
		p.fault(lineOf(doc.Shortfall, doc.Text.EN), "shortfall is %s or %s, not %q", Owed, WrittenOff, doc.Shortfall.value)
	}
	p.text(lineOf(doc.Shortfall), "the correction", doc.Text)
	if doc.Source.blank() {
		p.fault(lineOf(doc.Source, doc.Shortfall), "the correction names no source")
	}
}

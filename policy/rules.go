package policy

import (
	_ "embed" // the shipped rule set
	"fmt"

	"timebank/ledger"
)

// Lang is a language people read.
type Lang string

// The languages of every rule.
const (
	English Lang = "en"
	Chinese Lang = "zh"
)

// Shortfall says what a correction does with credit that it takes back but that is spent or held.
type Shortfall string

// The shortfall rules.
const (
	Owed       Shortfall = "owed"        // the volunteer owes it, and next earnings repay it
	WrittenOff Shortfall = "written_off" // the time bank bears it
)

//go:embed shipped.yaml
var shipped []byte

// Shipped gives the rule set that comes with the program.
func Shipped() []byte { return append([]byte(nil), shipped...) }

// Rules are a compiled rule set.
type Rules struct {
	id           string
	title        text
	author       string
	approver     string
	sources      []sourceText
	from         ledger.Date
	source       []byte
	hash         ledger.Hash
	leap         ledger.LeapBirthday
	grades       []condition // in the order of ledger.Grades
	refuse       []check
	earn         []earn
	withhold     []withhold
	limits       []limit
	levels       []level
	levelGrades  []ledger.Grade
	marks        []mark
	partsOf      map[ledger.Unit]int64 // in how many parts of a minute rests are carried
	workdays     workdays
	choices      []choice
	optionTexts  map[string]text
	counts       Counts
	redeemable   check
	require      []check
	holdSeconds  int64
	services     []careService
	forRelative  check // no id: nobody may
	redeemLimits []giveLimit
	transfer     giving
	donate       giving
	strikes      []strike
	pool         pool
	expiry       expiry
	honours      []honour
	support      support
	workload     workload
	notices      []string // ids of rules that tell people something and decide nothing
	shortfall    Shortfall
	texts        map[string]ruleText
}

type ruleText struct {
	text   text
	source string
}

// check is a condition with what is said when it decides.
type check struct {
	id, code string
	text     text
	when     condition
}

func (c check) refusal() *ledger.Refusal {
	return &ledger.Refusal{Code: c.code, Rule: c.id, Detail: c.text.EN.value + " / " + c.text.ZH.value}
}

type withhold struct {
	id    string
	units []ledger.Unit
	when  condition
}

type mark struct {
	id   string
	when condition
}

// ID gives the set's id.
func (r *Rules) ID() string { return r.id }

// Title gives the set's title.
func (r *Rules) Title(lang Lang) string { return r.title.in(lang) }

// EffectiveFrom gives the first day of service that the set decides.
func (r *Rules) EffectiveFrom() ledger.Date { return r.from }

// Hash gives the SHA-256 of the set's text.
func (r *Rules) Hash() ledger.Hash { return r.hash }

// Source gives the set's text.
func (r *Rules) Source() []byte { return append([]byte(nil), r.source...) }

// Age gives full years by the set's convention for 29 February.
func (r *Rules) Age(born, on ledger.Date) int { return ledger.Age(born, on, r.leap) }

// Shortfall gives what a correction does when the credit is already spent.
func (r *Rules) Shortfall() Shortfall { return r.shortfall }

// RuleInWords is a rule as people read it.
type RuleInWords struct{ ID, Text, Source string }

// InWords lists every rule of the set, in the order in which they are asked.
func (r *Rules) InWords(lang Lang) []RuleInWords {
	var ids []string
	for _, g := range ledger.Grades {
		ids = append(ids, gradeID(g))
	}
	for _, c := range r.refuse {
		ids = append(ids, c.id)
	}
	for _, e := range r.earn {
		ids = append(ids, e.id)
	}
	for _, w := range r.withhold {
		ids = append(ids, w.id)
	}
	for _, l := range r.limits {
		ids = append(ids, l.id)
	}
	for _, m := range r.marks {
		ids = append(ids, m.id)
	}
	for _, c := range r.choices {
		ids = append(ids, c.id)
	}
	for _, l := range r.levels {
		ids = append(ids, l.id)
	}
	ids = append(ids, r.redeemable.id)
	if r.forRelative.id != "" {
		ids = append(ids, r.forRelative.id)
	}
	for _, c := range r.require {
		ids = append(ids, c.id)
	}
	for _, l := range r.redeemLimits {
		ids = append(ids, l.id)
	}
	ids = append(append(ids, r.transfer.ids()...), r.donate.ids()...)
	ids = append(ids, r.laterIDs()...)
	words := make([]RuleInWords, len(ids))
	for i, id := range ids {
		words[i] = RuleInWords{id, r.texts[id].text.in(lang), r.texts[id].source}
	}
	return words
}

// Notices lists what people are told and what decides nothing.
func (r *Rules) Notices(lang Lang) []RuleInWords {
	words := make([]RuleInWords, len(r.notices))
	for i, id := range r.notices {
		words[i] = RuleInWords{id, r.texts[id].text.in(lang), r.texts[id].source}
	}
	return words
}

// laterIDs lists the rules on what comes after banking and giving.
func (r *Rules) laterIDs() (ids []string) {
	for _, s := range r.strikes {
		ids = append(ids, s.id)
	}
	ids = append(ids, r.pool.ids()...)
	if r.expiry.id != "" {
		ids = append(ids, r.expiry.id)
	}
	for _, h := range r.honours {
		ids = append(ids, h.id)
	}
	return append(append(ids, r.support.ids()...), r.workload.ids()...)
}

// Choose gives the set in force on a date: the one with the latest effective date that is not after it.
func Choose(sets []*Rules, on ledger.Date) (*Rules, error) {
	var chosen *Rules
	for _, r := range sets {
		if r.from <= on && (chosen == nil || r.from > chosen.from) {
			chosen = r
		}
	}
	if chosen == nil {
		return nil, &ledger.Refusal{Code: "no_rules", Detail: fmt.Sprintf("no rule set is in force on %s", on)}
	}
	return chosen, nil
}

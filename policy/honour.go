package policy

import (
	"slices"

	"timebank/ledger"
)

// honour is a certificate, a commendation or a certified record that somebody can be given. It never
// moves minutes.
type honour struct {
	id       string
	kind     string
	when     condition
	code     string
	nominate condition // whom an organization may nominate for it; no text: it needs no nomination
}

// HonourKinds lists what an honour may be.
var HonourKinds = []string{"certificate", "commendation", "record"}

type honourDoc struct {
	ID       word `yaml:"id"`
	Kind     word `yaml:"kind"`
	When     word `yaml:"when"`
	Code     word `yaml:"code"`
	Nominate word `yaml:"nominate"`
	Text     text `yaml:"text"`
	Source   word `yaml:"source"`
}

// HonourFacts are somebody's service record as it stood when an honour was given, or somebody was
// nominated for one.
type HonourFacts struct {
	Honour      string                 `json:"honour"`
	Giver       ledger.OwnerKind       `json:"giver"` // bank, when the operator gives it, or organization
	Age         int                    `json:"age"`
	Roles       []ledger.VolunteerRole `json:"roles,omitempty"`
	Nominated   bool                   `json:"nominated"`
	GivenBefore int                    `json:"given_before"` // how often, of this honour
	Today       string                 `json:"today"`
	RecordFacts
}

// RecordFacts sum up a service record. What was corrected is not in it, save in Corrected.
type RecordFacts struct {
	Minutes      ledger.Minutes `json:"minutes"`
	Counted      ledger.Minutes `json:"counted"`   // of the grades that count for levels
	Emergency    ledger.Minutes `json:"emergency"` // served in emergencies
	Claims       int            `json:"claims"`
	Corrected    int            `json:"corrected"` // claims taken back
	MonthsActive int            `json:"months_active"`
	LongestRun   int            `json:"longest_run"`  // of active months, one after the other
	Rated        int            `json:"rated"`        // claims for which the person helped was asked
	Satisfaction int            `json:"satisfaction"` // the sum of their answers, 1 to 5 each
	Organizers   int            `json:"organizers"`   // claims of service as organizer, leader or trainer
}

var honourFields = []field[HonourFacts]{
	name("giver", func(f *HonourFacts) ledger.OwnerKind { return f.Giver }),
	number("age", func(f *HonourFacts) int { return f.Age }),
	roles(func(f *HonourFacts) []ledger.VolunteerRole { return f.Roles }),
	yes("nominated", func(f *HonourFacts) bool { return f.Nominated }),
	number("given_before", func(f *HonourFacts) int { return f.GivenBefore }),
	number("minutes", func(f *HonourFacts) ledger.Minutes { return f.Minutes }),
	number("counted", func(f *HonourFacts) ledger.Minutes { return f.Counted }),
	number("emergency", func(f *HonourFacts) ledger.Minutes { return f.Emergency }),
	number("claims", func(f *HonourFacts) int { return f.Claims }),
	number("corrected", func(f *HonourFacts) int { return f.Corrected }),
	number("months_active", func(f *HonourFacts) int { return f.MonthsActive }),
	number("longest_run", func(f *HonourFacts) int { return f.LongestRun }),
	number("rated", func(f *HonourFacts) int { return f.Rated }),
	number("satisfaction", func(f *HonourFacts) int { return f.Satisfaction }),
	number("organizers", func(f *HonourFacts) int { return f.Organizers }),
}

func (p *parser) honours(r *Rules, docs []honourDoc) {
	c := p.compiler(factsOf(honourFields))
	for _, d := range docs {
		x := p.check(r, c, refuseDoc{d.ID, d.When, d.Code, d.Text, d.Source}, "honour")
		h := honour{id: x.id, kind: d.Kind.value, when: x.when, code: x.code}
		if !slices.Contains(HonourKinds, h.kind) {
			p.fault(lineOf(d.Kind, d.ID), "honour %s: its kind is one of %v, not %q", h.id, HonourKinds, h.kind)
		}
		if !d.Nominate.blank() {
			h.nominate = p.condition(c, d.Nominate, d.ID)
		}
		r.honours = append(r.honours, h)
	}
}

// Honour is an honour of the rules.
type Honour struct {
	ID, Kind string
	Text     map[Lang]string
}

// HonourOf gives an honour by its id.
func (r *Rules) HonourOf(id string) (Honour, bool) {
	for _, h := range r.honours {
		if h.id == id {
			t := r.texts[id].text
			return Honour{h.id, h.kind, map[Lang]string{English: t.EN.value, Chinese: t.ZH.value}}, true
		}
	}
	return Honour{}, false
}

// Honours lists the honours of the rules.
func (r *Rules) Honours() (all []Honour) {
	for _, h := range r.honours {
		x, _ := r.HonourOf(h.id)
		all = append(all, x)
	}
	return all
}

// Honour says whether somebody has earned an honour. The error is a *ledger.Refusal when not.
func (r *Rules) Honour(f HonourFacts) ([]Step, error) {
	h, steps, err := r.honoured(f, func(h honour) condition { return h.when })
	if err != nil || steps != nil {
		return steps, err
	}
	return nil, &ledger.Refusal{Code: h.code, Rule: h.id, Detail: r.inBoth(h.id)}
}

// Nominate says whether an organization may put somebody forward for an honour.
func (r *Rules) Nominate(f HonourFacts) ([]Step, error) {
	h, steps, err := r.honoured(f, func(h honour) condition { return h.nominate })
	if err != nil || steps != nil {
		return steps, err
	}
	return nil, &ledger.Refusal{Code: "not_to_be_nominated", Rule: h.id, Detail: r.inBoth(h.id)}
}

// honoured asks a condition of an honour; without steps it does not hold.
func (r *Rules) honoured(f HonourFacts, of func(honour) condition) (honour, []Step, error) {
	for _, h := range r.honours {
		if h.id != f.Honour {
			continue
		}
		when := of(h)
		if when.program == nil {
			return h, nil, nil
		}
		ok, err := when.holds(view[HonourFacts]{&f, honourFields})
		if err != nil || !ok {
			return h, nil, err
		}
		return h, []Step{{Rule: h.id, Effect: Marked, Unit: ledger.Service, In: f.Counted, Out: f.Counted}}, nil
	}
	return honour{}, nil, &ledger.Refusal{Code: "honour_unknown", Detail: "the rules in force know no such honour / 现行规则没有该项表彰"}
}

package policy

import "timebank/ledger"

// support is how teams are assessed by what they did in a period.
type support struct {
	team   check
	per    ledger.Period
	levels []supportLevel // best first
	kinds  map[string]text
}

type supportLevel struct {
	id, level string
	supports  []string
	when      condition
}

type supportDoc struct {
	Per      word              `yaml:"per"`
	Team     refuseDoc         `yaml:"team"` // who is assessed
	Supports []supportKindDoc  `yaml:"supports"`
	Levels   []supportLevelDoc `yaml:"levels"`
}

type supportKindDoc struct {
	ID   word `yaml:"id"`
	Text text `yaml:"text"`
}

type supportLevelDoc struct {
	ID       word   `yaml:"id"`
	Level    word   `yaml:"level"`
	When     word   `yaml:"when"`
	Supports []word `yaml:"supports"`
	Text     text   `yaml:"text"`
	Source   word   `yaml:"source"`
}

// SupportFacts are what a team did in a period, by the claims of its members. What was corrected by the
// day of the assessment is in Corrected alone.
type SupportFacts struct {
	OrganizationKind ledger.OrganizationKind `json:"organization_kind"`
	From             string                  `json:"from"` // first and last day of the period
	To               string                  `json:"to"`
	Minutes          ledger.Minutes          `json:"minutes"`
	Attested         ledger.Minutes          `json:"attested"`  // of grades A and B
	Emergency        ledger.Minutes          `json:"emergency"` // served in emergencies
	Pledged          ledger.Minutes          `json:"pledged"`   // what the period's service gave to the pool
	Claims           int                     `json:"claims"`
	Corrected        int                     `json:"corrected"`      // claims taken back: objections upheld, and mistakes
	Members          int                     `json:"members"`        // who served in the period
	MembersBefore    int                     `json:"members_before"` // who served in the period before
	Stayed           int                     `json:"stayed"`         // who served in both
	Rated            int                     `json:"rated"`          // claims for which the person helped was asked
	Satisfaction     int                     `json:"satisfaction"`   // the sum of their answers, 1 to 5 each
}

var supportFields = []field[SupportFacts]{
	name("organization_kind", func(f *SupportFacts) ledger.OrganizationKind { return f.OrganizationKind }),
	number("minutes", func(f *SupportFacts) ledger.Minutes { return f.Minutes }),
	number("attested", func(f *SupportFacts) ledger.Minutes { return f.Attested }),
	number("emergency", func(f *SupportFacts) ledger.Minutes { return f.Emergency }),
	number("pledged", func(f *SupportFacts) ledger.Minutes { return f.Pledged }),
	number("claims", func(f *SupportFacts) int { return f.Claims }),
	number("corrected", func(f *SupportFacts) int { return f.Corrected }),
	number("members", func(f *SupportFacts) int { return f.Members }),
	number("members_before", func(f *SupportFacts) int { return f.MembersBefore }),
	number("stayed", func(f *SupportFacts) int { return f.Stayed }),
	number("rated", func(f *SupportFacts) int { return f.Rated }),
	number("satisfaction", func(f *SupportFacts) int { return f.Satisfaction }),
}

func (p *parser) support(r *Rules, doc supportDoc) {
	if doc.Team == (refuseDoc{}) {
		if !doc.Per.blank() || len(doc.Supports)+len(doc.Levels) > 0 {
			p.fault(lineOf(doc.Per), "support: it does not say which teams are assessed: team is missing")
		}
		return
	}
	if len(doc.Levels) == 0 {
		p.fault(lineOf(doc.Per, doc.Team.ID), "support: it has no levels")
	}
	c := p.compiler(factsOf(supportFields))
	s := support{team: p.check(r, c, doc.Team, "team"), per: ledger.Period(doc.Per.value), kinds: map[string]text{}}
	if s.per != ledger.Quarter && s.per != ledger.HalfYear && s.per != ledger.Year {
		p.fault(lineOf(doc.Per, doc.Team.ID), "support: per is quarter, half_year or year, not %q", doc.Per.value)
	}
	for _, d := range doc.Supports {
		p.text(lineOf(d.ID), "support "+d.ID.value, d.Text)
		if _, twice := s.kinds[d.ID.value]; twice || !idPattern.MatchString(d.ID.value) {
			p.fault(lineOf(d.ID), "a support has an id of its own of lower-case letters, digits and hyphens, not %q", d.ID.value)
		}
		s.kinds[d.ID.value] = d.Text
	}
	for i, d := range doc.Levels {
		p.rule(r, d.ID, d.Text, d.Source)
		l := supportLevel{id: d.ID.value, level: d.Level.value, when: p.condition(c, d.When, d.ID)}
		if i > 2 || l.level != "ABC"[i:i+1] {
			p.fault(lineOf(d.Level, d.ID), "support: levels are given in the order A, B, C")
		}
		for _, w := range d.Supports {
			if _, ok := s.kinds[w.value]; !ok {
				p.fault(w.line, "level %s grants %q, which is none of the supports", l.id, w.value)
			}
			l.supports = append(l.supports, w.value)
		}
		s.levels = append(s.levels, l)
	}
	r.support = s
}

// SupportDecision is a team's standing for a period.
type SupportDecision struct {
	Level    string   // A, B or C; empty when none is reached
	Supports []string // what a city grants at that level, by id
	Steps    []Step
}

// SupportPer gives the period that teams are assessed by; it is empty when they are not.
func (r *Rules) SupportPer() ledger.Period { return r.support.per }

// SupportWords tells a support.
func (r *Rules) SupportWords(id string, lang Lang) string { return r.support.kinds[id].in(lang) }

// Support assesses a team. The error is a *ledger.Refusal when the rules assess none such.
func (r *Rules) Support(f SupportFacts) (SupportDecision, error) {
	s := r.support
	if s.team.id == "" {
		return SupportDecision{}, &ledger.Refusal{Code: "not_assessed", Detail: "no rule in force assesses teams / 现行规则未规定团队评定"}
	}
	ok, err := s.team.when.holds(view[SupportFacts]{&f, supportFields})
	if err != nil {
		return SupportDecision{}, err
	}
	if !ok {
		return SupportDecision{}, s.team.refusal()
	}
	d := SupportDecision{Steps: []Step{{Rule: s.team.id, Effect: Allowed, Unit: ledger.Support, In: f.Minutes, Out: f.Minutes}}}
	i, err := first(&f, supportFields, s.levels, func(l supportLevel) condition { return l.when })
	if err != nil {
		return SupportDecision{}, err
	}
	if i >= 0 {
		l := s.levels[i]
		d.Level, d.Supports = l.level, l.supports
		d.Steps = append(d.Steps, Step{Rule: l.id, Effect: Marked, Unit: ledger.Support, In: f.Minutes, Out: f.Minutes})
	}
	return d, nil
}

func (s support) ids() (ids []string) {
	if s.team.id != "" {
		ids = append(ids, s.team.id)
	}
	for _, l := range s.levels {
		ids = append(ids, l.id)
	}
	return ids
}

package policy

import (
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/interpreter"

	"timebank/ledger"
)

// choice is a question that rules leave to a volunteer or an organization.
type choice struct {
	id      string
	by      ledger.OwnerKind
	per     ledger.Period
	when    condition
	options []string // the first holds for whoever did not choose
}

type choiceDoc struct {
	ID      word        `yaml:"id"`
	By      word        `yaml:"by"`
	When    word        `yaml:"when"`
	Per     word        `yaml:"per"`
	Options []optionDoc `yaml:"options"`
	Text    text        `yaml:"text"`
	Source  word        `yaml:"source"`
}

type optionDoc struct {
	ID   word `yaml:"id"`
	Text text `yaml:"text"`
}

// ChoiceFacts decide whether somebody may choose. Age is -1 for an organization.
type ChoiceFacts struct {
	By               ledger.OwnerKind        `json:"by"`
	Age              int                     `json:"age"`
	Roles            []ledger.VolunteerRole  `json:"roles,omitempty"`
	OrganizationKind ledger.OrganizationKind `json:"organization_kind,omitempty"`
	Choice           string                  `json:"choice"`
	Option           string                  `json:"option"`
	Today            ledger.Date             `json:"today"`
	Before           ledger.Date             `json:"before"` // the day of the last choice of this kind; zero when there was none
}

var choiceNames = []fact{{"age", cel.IntType}, {"roles", cel.ListType(cel.StringType)}, {"organization_kind", cel.StringType}}

type choiceView struct{ f *ChoiceFacts }

// Parent is part of CEL's interface: there is no outer scope.
func (choiceView) Parent() interpreter.Activation { return nil }

// ResolveName gives the fact of a name.
func (v choiceView) ResolveName(name string) (any, bool) {
	switch name {
	case "age":
		return int64(v.f.Age), true
	case "roles":
		return texts(v.f.Roles), true
	case "organization_kind":
		return string(v.f.OrganizationKind), true
	}
	return nil, false
}

func (p *parser) choices(r *Rules, docs []choiceDoc) {
	c, seen := p.compiler(choiceNames), map[string]bool{}
	for _, d := range docs {
		p.rule(r, d.ID, d.Text, d.Source)
		per, err := ledger.ParsePeriod(d.Per.value)
		if err != nil {
			p.fault(lineOf(d.Per, d.ID), "choice %s: %v", d.ID.value, err)
		}
		by := ledger.OwnerKind(d.By.value)
		if by != ledger.OwnerVolunteer && by != ledger.OwnerOrganization {
			p.fault(lineOf(d.By, d.ID), "choice %s: by is volunteer or organization, not %q", d.ID.value, d.By.value)
		}
		made := choice{id: d.ID.value, by: by, per: per, when: p.condition(c, d.When, d.ID)}
		for _, o := range d.Options {
			if !idPattern.MatchString(o.ID.value) || seen[o.ID.value] {
				p.fault(lineOf(o.ID, d.ID), "choice %s: an option needs an id of its own in the whole set, not %q", d.ID.value, o.ID.value)
			}
			seen[o.ID.value] = true
			p.text(lineOf(o.ID, d.ID), "option "+o.ID.value, o.Text)
			made.options = append(made.options, o.ID.value)
			r.optionTexts[o.ID.value] = o.Text
		}
		if len(made.options) < 2 {
			p.fault(lineOf(d.ID), "choice %s: there is a choice only between two options or more", d.ID.value)
		}
		r.choices = append(r.choices, made)
	}
}

// Chose is the effect of a choice.
const Chose = "chose"

// ChoiceDecision tells why a choice holds.
type ChoiceDecision struct{ Steps []Step }

// Choose decides whether a volunteer or an organization may choose an option now: once a period, and
// only who the rules let. It holds from today until another is chosen.
func (r *Rules) Choose(f ChoiceFacts) (ChoiceDecision, error) {
	i := slices.IndexFunc(r.choices, func(c choice) bool { return c.id == f.Choice && c.by == f.By })
	if i < 0 {
		return ChoiceDecision{}, &ledger.Refusal{Code: "no_such_choice", Detail: "no rule leaves this choice / 没有这项选择的规则"}
	}
	c := r.choices[i]
	may, err := c.when.holds(choiceView{&f})
	if err != nil {
		return ChoiceDecision{}, err
	}
	text := r.texts[c.id].text
	switch {
	case !may:
		return ChoiceDecision{}, &ledger.Refusal{Code: "choice_not_yours", Rule: c.id, Detail: text.EN.value + " / " + text.ZH.value}
	case !slices.Contains(c.options, f.Option):
		return ChoiceDecision{}, &ledger.Refusal{Code: "no_such_option", Rule: c.id, Detail: "no such option / 没有这个选项"}
	case f.Before != 0 && f.Before >= c.per.Start(f.Today):
		return ChoiceDecision{}, &ledger.Refusal{Code: "choice_made", Rule: c.id,
			Detail: "chosen already in this period, on " + f.Before.String() + " / 本周期内已于 " + f.Before.String() + " 选择"}
	}
	return ChoiceDecision{[]Step{{Rule: c.id, Effect: Chose}}}, nil
}

// Choice is a question that rules leave open, as people read it.
type Choice struct {
	ID      string
	By      ledger.OwnerKind
	Per     ledger.Period
	Text    string
	Options []Option // the first holds for whoever did not choose
}

// Option is an answer to a choice.
type Option struct{ ID, Text string }

// Choices lists what the set leaves to people.
func (r *Rules) Choices(lang Lang) []Choice {
	all := make([]Choice, len(r.choices))
	for i, c := range r.choices {
		all[i] = Choice{ID: c.id, By: c.by, Per: c.per, Text: r.texts[c.id].text.in(lang)}
		for _, o := range c.options {
			all[i].Options = append(all[i].Options, Option{o, r.optionTexts[o].in(lang)})
		}
	}
	return all
}

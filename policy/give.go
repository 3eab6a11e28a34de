package policy

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/interpreter"

	"timebank/ledger"
)

// giving is what must hold when credit is given away, to a relative or to the pool.
type giving struct {
	require []check
	limits  []giveLimit
}

type giveLimit struct {
	id, code string
	per      ledger.Period
	most     ledger.Minutes
	text     text
}

type giveDoc struct {
	Require []refuseDoc    `yaml:"require"`
	Limits  []giveLimitDoc `yaml:"limits"`
}

type giveLimitDoc struct {
	ID     word `yaml:"id"`
	Per    word `yaml:"per"`
	Most   word `yaml:"most"`
	Code   word `yaml:"code"`
	Text   text `yaml:"text"`
	Source word `yaml:"source"`
}

// GiveFacts decide whether care credit may be given away. Of a donation, relation is empty and the
// receiver's age 0.
type GiveFacts struct {
	Age           int                 `json:"age"` // of the giver, full years today
	Relation      ledger.RelationKind `json:"relation,omitempty"`
	ReceiverAge   int                 `json:"receiver_age,omitzero"`
	Minutes       ledger.Minutes      `json:"minutes"`
	Available     ledger.Minutes      `json:"available"`
	GivenInMonth  ledger.Minutes      `json:"given_in_month"` // before, in the same way, in the calendar month
	GivenInYear   ledger.Minutes      `json:"given_in_year"`
	GrantedInYear ledger.Minutes      `json:"granted_in_year,omitzero"` // to the giver, from the pool, in the calendar year
	Today         ledger.Date         `json:"today"`
}

var giveNames = []fact{
	{"age", cel.IntType}, {"relation", cel.StringType}, {"receiver_age", cel.IntType}, {"minutes", cel.IntType}, {"available", cel.IntType},
	{"given_in_month", cel.IntType}, {"given_in_year", cel.IntType}, {"granted_in_year", cel.IntType}, {"today", cel.StringType},
}

type giveView struct{ f *GiveFacts }

// Parent is part of CEL's interface: there is no outer scope.
func (giveView) Parent() interpreter.Activation { return nil }

// ResolveName gives the fact of a name.
func (v giveView) ResolveName(name string) (any, bool) {
	switch name {
	case "age":
		return int64(v.f.Age), true
	case "relation":
		return string(v.f.Relation), true
	case "receiver_age":
		return int64(v.f.ReceiverAge), true
	case "minutes":
		return int64(v.f.Minutes), true
	case "available":
		return int64(v.f.Available), true
	case "given_in_month":
		return int64(v.f.GivenInMonth), true
	case "given_in_year":
		return int64(v.f.GivenInYear), true
	case "granted_in_year":
		return int64(v.f.GrantedInYear), true
	case "today":
		return v.f.Today.String(), true
	}
	return nil, false
}

func (p *parser) giving(r *Rules, what string, doc giveDoc) giving {
	var g giving
	if len(doc.Require) == 0 && len(doc.Limits) > 0 {
		p.fault(lineOf(doc.Limits[0].ID), "%s: it has limits and no require, so nobody may", what)
	}
	c := p.compiler(giveNames)
	for _, d := range doc.Require {
		g.require = append(g.require, p.check(r, c, d, what))
	}
	g.limits = p.givingLimits(r, doc.Limits)
	return g
}

// givingLimits reads limits on what leaves an account.
func (p *parser) givingLimits(r *Rules, docs []giveLimitDoc) (limits []giveLimit) {
	for _, d := range docs {
		p.rule(r, d.ID, d.Text, d.Source)
		l := giveLimit{id: d.ID.value, code: d.Code.value, per: ledger.Period(d.Per.value), text: d.Text}
		if l.per != ledger.Month && l.per != ledger.Year {
			p.fault(lineOf(d.Per, d.ID), "limit %s: per is month or year, not %q", d.ID.value, d.Per.value)
		}
		if !codePattern.MatchString(d.Code.value) {
			p.fault(lineOf(d.Code, d.ID), "limit %s needs a code such as transfer_limit", d.ID.value)
		}
		l.most = p.most(limitDoc{ID: d.ID, Per: d.Per, Most: d.Most})
		limits = append(limits, l)
	}
	return limits
}

// GiveDecision tells why credit may be given away.
type GiveDecision struct{ Steps []Step }

// Transfer says whether care credit may go to a relative. The error is a *ledger.Refusal when a rule, or
// the lack of any, says no.
func (r *Rules) Transfer(f GiveFacts) (GiveDecision, error) { return r.transfer.decide(f) }

// Donate says whether care credit may go to the pool.
func (r *Rules) Donate(f GiveFacts) (GiveDecision, error) { return r.donate.decide(f) }

func (g giving) decide(f GiveFacts) (GiveDecision, error) {
	var d GiveDecision
	if len(g.require) == 0 {
		return d, &ledger.Refusal{Code: "giving_not_allowed", Detail: "no rule in force allows this / 现行规则不允许此项"}
	}
	for _, c := range g.require {
		ok, err := c.when.holds(giveView{&f})
		if err != nil {
			return GiveDecision{}, err
		}
		if !ok {
			return GiveDecision{}, c.refusal()
		}
		d.Steps = append(d.Steps, Step{Rule: c.id, Effect: Allowed, Unit: ledger.Care, In: f.Minutes, Out: f.Minutes})
	}
	for _, l := range g.limits {
		before := f.GivenInYear
		if l.per == ledger.Month {
			before = f.GivenInMonth
		}
		if before+f.Minutes > l.most {
			return GiveDecision{}, &ledger.Refusal{Code: l.code, Rule: l.id, Detail: l.text.EN.value + " / " + l.text.ZH.value}
		}
		d.Steps = append(d.Steps, Step{Rule: l.id, Effect: Allowed, Unit: ledger.Care, In: f.Minutes, Out: f.Minutes, Before: before})
	}
	return d, nil
}

func (g giving) ids() (ids []string) {
	for _, c := range g.require {
		ids = append(ids, c.id)
	}
	for _, l := range g.limits {
		ids = append(ids, l.id)
	}
	return ids
}

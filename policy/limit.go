package policy

import "timebank/ledger"

// perStored is a limit on what is stored, whenever it was earned.
const perStored ledger.Period = "stored"

// limit bounds what is earned in a period, or stored.
type limit struct {
	id     string
	unit   ledger.Unit
	per    ledger.Period
	most   ledger.Minutes
	beyond bool // what exceeds goes to the pool, in the volunteer's name
	when   condition
}

type limitDoc struct {
	ID     word `yaml:"id"`
	Unit   word `yaml:"unit"`
	Per    word `yaml:"per"`
	Most   word `yaml:"most"`
	Beyond word `yaml:"beyond"`
	When   word `yaml:"when"`
	Text   text `yaml:"text"`
	Source word `yaml:"source"`
}

func (p *parser) limits(r *Rules, c compiler, docs []limitDoc) {
	for _, d := range docs {
		p.rule(r, d.ID, d.Text, d.Source)
		l := limit{id: d.ID.value, unit: p.earnable(d.Unit, d.ID), per: p.per(d), most: p.most(d), beyond: p.beyond(d)}
		if d.When.blank() {
			d.When.value = "true"
		}
		l.when = p.condition(c, d.When, d.ID)
		if l.per == perStored && l.unit == ledger.Youth {
			p.fault(lineOf(d.Per, d.ID), "limit %s: a youth record is kept for good; only care is stored", d.ID.value)
		}
		r.limits = append(r.limits, l)
	}
}

func (p *parser) per(d limitDoc) ledger.Period {
	per := ledger.Period(d.Per.value)
	switch per {
	case ledger.Day, ledger.Month, ledger.Year, perStored:
	default:
		p.fault(lineOf(d.Per, d.ID), "limit %s: per is day, month, year or stored, not %q", d.ID.value, d.Per.value)
	}
	return per
}

func (p *parser) most(d limitDoc) ledger.Minutes {
	bound := ledger.PostingMinutesMax
	if d.Per.value == string(ledger.Day) {
		bound = ledger.ClaimMinutesMax
	}
	most, ok := d.Most.whole()
	if !ok || most < 0 || most > int64(bound) {
		p.fault(lineOf(d.Most, d.ID), "limit %s: most is from 0 to %d whole minutes, not %q", d.ID.value, bound, d.Most.value)
	}
	return ledger.Minutes(most)
}

func (p *parser) beyond(d limitDoc) bool {
	switch {
	case d.Beyond.blank() || d.Beyond.value == "lost":
		return false
	case d.Beyond.value != "pool":
		p.fault(lineOf(d.Beyond, d.ID), "limit %s: beyond is lost or pool, not %q", d.ID.value, d.Beyond.value)
	case ledger.Unit(d.Unit.value) != ledger.Care:
		p.fault(lineOf(d.Beyond, d.ID), "limit %s: only care goes to the pool: a service record is of the one who served", d.ID.value)
	}
	return true
}

// share is what one earning rule gives, while limits are asked.
type share struct {
	rule   *earn
	kept   ledger.Minutes // by the volunteer
	pooled ledger.Minutes
}

// limit lets the limits of a unit decide: first those of periods, which bound the whole earning, then
// that of what is stored, which says how much of it the volunteer keeps.
func (r *Rules) limit(s *share, view *claimView, d *Decision) error {
	for _, stored := range [...]bool{false, true} {
		for i := range r.limits {
			l := &r.limits[i]
			if l.unit != s.rule.unit || (l.per == perStored) != stored || stored && s.rule.pool {
				continue
			}
			if err := l.apply(s, view, d); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *limit) apply(s *share, view *claimView, d *Decision) error {
	if l.beyond && s.rule.pool {
		return nil // what goes to the pool anyway cannot be too much for it
	}
	ok, err := l.when.holds(view)
	if err != nil || !ok {
		return err
	}
	m := &s.kept
	if s.rule.pool {
		m = &s.pooled
	}
	before := view.f.earned(l.unit, l.per)
	room := max(0, l.most-before)
	if *m <= room {
		return nil
	}
	step := Step{Rule: l.id, Effect: Limited, Unit: l.unit, In: *m, Out: room, Before: before}
	if l.beyond {
		step.Effect = Pooled
		s.pooled += *m - room
	}
	*m = room
	d.Steps = append(d.Steps, step)
	return nil
}

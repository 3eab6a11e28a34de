package policy

import "timebank/ledger"

// care for the carers: what the last days held, what is recommended, and to which help one is referred.
type workload struct {
	watch     []mark
	referrals []check
}

type workloadDoc struct {
	Watch     []markDoc   `yaml:"watch"`
	Referrals []refuseDoc `yaml:"referrals"`
}

// WorkloadFacts are what somebody served in the last days, today included.
type WorkloadFacts struct {
	Age           int                    `json:"age"`
	Roles         []ledger.VolunteerRole `json:"roles,omitempty"`
	In7           ledger.Minutes         `json:"minutes_in_7"`
	In30          ledger.Minutes         `json:"minutes_in_30"`
	DaysIn7       int                    `json:"days_in_7"` // days with service
	EmergencyIn30 ledger.Minutes         `json:"emergency_in_30"`
	By            ledger.OwnerKind       `json:"by,omitempty"` // of a referral: who asked for it
	Today         string                 `json:"today"`
	Referral      string                 `json:"referral,omitempty"` // to which help
}

var workloadFields = []field[WorkloadFacts]{
	number("age", func(f *WorkloadFacts) int { return f.Age }),
	roles(func(f *WorkloadFacts) []ledger.VolunteerRole { return f.Roles }),
	number("minutes_in_7", func(f *WorkloadFacts) ledger.Minutes { return f.In7 }),
	number("minutes_in_30", func(f *WorkloadFacts) ledger.Minutes { return f.In30 }),
	number("days_in_7", func(f *WorkloadFacts) int { return f.DaysIn7 }),
	number("emergency_in_30", func(f *WorkloadFacts) ledger.Minutes { return f.EmergencyIn30 }),
	name("by", func(f *WorkloadFacts) ledger.OwnerKind { return f.By }),
}

func (p *parser) workload(r *Rules, doc workloadDoc) {
	c := p.compiler(factsOf(workloadFields))
	for _, d := range doc.Watch {
		p.rule(r, d.ID, d.Text, d.Source)
		r.workload.watch = append(r.workload.watch, mark{d.ID.value, p.condition(c, d.When, d.ID)})
	}
	for _, d := range doc.Referrals {
		r.workload.referrals = append(r.workload.referrals, p.check(r, c, d, "referral"))
	}
}

// Watch gives what is recommended to somebody who served so much, a step for each recommendation. It
// never refuses service: whoever helps decides.
func (r *Rules) Watch(f WorkloadFacts) ([]Step, error) {
	var steps []Step
	for _, m := range r.workload.watch {
		ok, err := m.when.holds(view[WorkloadFacts]{&f, workloadFields})
		if err != nil {
			return nil, err
		}
		if ok {
			steps = append(steps, Step{Rule: m.id, Effect: Marked, Unit: ledger.Service, In: f.In7, Out: f.In7, Before: f.In30})
		}
	}
	return steps, nil
}

// Refer says whether somebody may be referred to a help. The error is a *ledger.Refusal when not.
func (r *Rules) Refer(f WorkloadFacts) ([]Step, error) {
	for _, c := range r.workload.referrals {
		if c.id != f.Referral {
			continue
		}
		ok, err := c.when.holds(view[WorkloadFacts]{&f, workloadFields})
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, c.refusal()
		}
		return []Step{{Rule: c.id, Effect: Allowed}}, nil
	}
	return nil, &ledger.Refusal{Code: "referral_unknown", Detail: "the rules in force know no such help / 现行规则没有该项支持"}
}

func (w workload) ids() (ids []string) {
	for _, m := range w.watch {
		ids = append(ids, m.id)
	}
	for _, c := range w.referrals {
		ids = append(ids, c.id)
	}
	return ids
}

package policy

import "timebank/ledger"

// pool is how the public pool gives: whom it serves first, and how much.
type pool struct {
	priorities []mark // the first that holds is an application's
	months     int64  // how long an application stands
	grant      giveMost
	budget     giveMost
}

// giveMost is how much is given at most in a calendar month.
type giveMost struct {
	id   string
	most ledger.Minutes
}

type poolDoc struct {
	Months     word      `yaml:"months"`
	Priorities []markDoc `yaml:"priorities"`
	Grant      poolMost  `yaml:"grant"`
	Budget     poolMost  `yaml:"budget"`
}

type poolMost struct {
	ID      word `yaml:"id"`
	Minutes word `yaml:"minutes"`
	Text    text `yaml:"text"`
	Source  word `yaml:"source"`
}

// ApplicationFacts are what an organization checked about somebody who asks the pool for care.
type ApplicationFacts struct {
	Age       int    `json:"age"` // full years today
	Alone     bool   `json:"alone"`
	Poor      bool   `json:"poor"`
	NeedsCare bool   `json:"needs_care"` // cannot fully care for themselves
	Withdrawn bool   `json:"withdrawn,omitzero"`
	Today     string `json:"today"`
}

var applicationFields = []field[ApplicationFacts]{
	number("age", func(f *ApplicationFacts) int { return f.Age }),
	yes("alone", func(f *ApplicationFacts) bool { return f.Alone }),
	yes("poor", func(f *ApplicationFacts) bool { return f.Poor }),
	yes("needs_care", func(f *ApplicationFacts) bool { return f.NeedsCare }),
}

// GrantFacts decide how much the next in line gets.
type GrantFacts struct {
	Application   ledger.Seq     `json:"application"`
	Priority      int            `json:"priority"`        // 1 is served first
	GrantedToThem ledger.Minutes `json:"granted_to_them"` // in this calendar month, before
	GrantedToAll  ledger.Minutes `json:"granted_to_all"`
	Pool          ledger.Minutes `json:"pool"` // what it has
	Today         string         `json:"today"`
}

const applicationMonthsMax = 120

func (p *parser) pool(r *Rules, doc poolDoc) {
	if len(doc.Priorities) == 0 {
		if !doc.Months.blank() || doc.Grant != (poolMost{}) || doc.Budget != (poolMost{}) {
			p.fault(lineOf(doc.Months, doc.Grant.ID, doc.Budget.ID), "pool: it names no priority, so it would serve nobody")
		}
		return
	}
	c := p.compiler(factsOf(applicationFields))
	for _, d := range doc.Priorities {
		p.rule(r, d.ID, d.Text, d.Source)
		r.pool.priorities = append(r.pool.priorities, mark{d.ID.value, p.condition(c, d.When, d.ID)})
	}
	r.pool.months = p.within("pool: months that an application stands", doc.Months, doc.Priorities[0].ID, applicationMonthsMax)
	if doc.Grant == (poolMost{}) || doc.Budget == (poolMost{}) {
		p.fault(lineOf(doc.Months, doc.Priorities[0].ID), "pool: its grant or its budget is missing: how much it gives a month to one and to all")
		return
	}
	r.pool.grant, r.pool.budget = p.poolMost(r, doc.Grant), p.poolMost(r, doc.Budget)
}

func (p *parser) poolMost(r *Rules, d poolMost) giveMost {
	p.rule(r, d.ID, d.Text, d.Source)
	return giveMost{d.ID.value, ledger.Minutes(p.within("rule "+d.ID.value+": minutes", d.Minutes, d.ID, int64(ledger.PostingMinutesMax)))}
}

// ApplicationDecision is an application's place in the line.
type ApplicationDecision struct {
	Priority int // 1 is served first
	Months   int // how long the application stands
	Steps    []Step
}

// Apply says whether somebody may ask the pool for care, and in which order they are served.
func (r *Rules) Apply(f ApplicationFacts) (ApplicationDecision, error) {
	if len(r.pool.priorities) == 0 {
		return ApplicationDecision{}, &ledger.Refusal{Code: "pool_gives_nothing", Detail: "no rule in force lets the pool give / 现行规则未规定公共池的发放"}
	}
	if f.Withdrawn { // it ends what stands, and stands for nothing
		return ApplicationDecision{}, nil
	}
	i, err := first(&f, applicationFields, r.pool.priorities, func(m mark) condition { return m.when })
	if err != nil {
		return ApplicationDecision{}, err
	}
	if i < 0 {
		return ApplicationDecision{}, &ledger.Refusal{Code: "not_entitled", Detail: "the pool serves none in this situation / 该情形不在公共池服务范围内"}
	}
	return ApplicationDecision{i + 1, int(r.pool.months), []Step{{Rule: r.pool.priorities[i].id, Effect: Marked}}}, nil
}

// GrantMost gives how much one person gets from the pool in a month.
func (r *Rules) GrantMost() ledger.Minutes { return r.pool.grant.most }

// PoolBudget gives how much all get from the pool in a month.
func (r *Rules) PoolBudget() ledger.Minutes { return r.pool.budget.most }

// GrantDecision is what the next in line gets.
type GrantDecision struct {
	Minutes ledger.Minutes
	Steps   []Step
}

// Grant says how much the pool gives to the next in line: what a month gives one person, within the
// budget of the month and what the pool has.
func (r *Rules) Grant(f GrantFacts) (GrantDecision, error) {
	if len(r.pool.priorities) == 0 {
		return GrantDecision{}, &ledger.Refusal{Code: "pool_gives_nothing", Detail: "no rule in force lets the pool give / 现行规则未规定公共池的发放"}
	}
	grant, budget := r.pool.grant, r.pool.budget
	m := grant.most - f.GrantedToThem
	if m <= 0 {
		return GrantDecision{}, &ledger.Refusal{Code: "granted_this_month", Rule: grant.id, Detail: r.inBoth(grant.id)}
	}
	d := GrantDecision{Steps: []Step{{Rule: grant.id, Effect: Allowed, Unit: ledger.Care, In: grant.most, Out: m, Before: f.GrantedToThem}}}
	left := budget.most - f.GrantedToAll
	switch {
	case left <= 0:
		return GrantDecision{}, &ledger.Refusal{Code: "pool_budget_spent", Rule: budget.id, Detail: r.inBoth(budget.id)}
	case f.Pool <= 0:
		return GrantDecision{}, &ledger.Refusal{Code: "pool_empty", Detail: "the pool has nothing to give / 公共池已无可用时间"}
	}
	d.Minutes = min(m, left, f.Pool)
	d.Steps = append(d.Steps, Step{Rule: budget.id, Effect: Allowed, Unit: ledger.Care, In: m, Out: d.Minutes, Before: f.GrantedToAll})
	return d, nil
}

func (x pool) ids() (ids []string) {
	for _, m := range x.priorities {
		ids = append(ids, m.id)
	}
	if len(ids) > 0 {
		ids = append(ids, x.grant.id, x.budget.id)
	}
	return ids
}

// PoolPriorities gives how many priorities there are.
func (r *Rules) PoolPriorities() int { return len(r.pool.priorities) }

// PoolPriority tells a priority, 1 the first.
func (r *Rules) PoolPriority(n int, lang Lang) string {
	return r.texts[r.pool.priorities[n-1].id].text.in(lang)
}

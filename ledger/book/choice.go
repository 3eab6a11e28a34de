package book

import (
	"context"
	"fmt"
	"slices"

	"timebank/ledger"
	"timebank/policy"
)

// Choice is what a volunteer or an organization chooses where the rules let them.
type Choice struct {
	Volunteer string // who chooses; empty when the actor's organization does
	Choice    string // id of the question in the rule set
	Option    string // id of the answer
}

// Choose records a choice. It holds for service from today on, until another is made; the rules say how
// often. The actor is the volunteer, the guardian, or an organization for itself.
func (b *Book) Choose(ctx context.Context, by ledger.Actor, key Key, c Choice) (Receipt, error) {
	if err := by.May(ledger.RoleVolunteer, ledger.RoleOrganization); err != nil {
		return Receipt{}, err
	}
	if err := ledger.CheckTexts(ledger.Text{Pointer: "/choice", Value: c.Choice, BytesMax: ledger.ReferenceBytesMax, Required: true},
		ledger.Text{Pointer: "/option", Value: c.Option, BytesMax: ledger.ReferenceBytesMax, Required: true}); err != nil {
		return Receipt{}, err
	}
	if (by.Role == ledger.RoleVolunteer) != (c.Volunteer != "") {
		return Receipt{}, &ledger.Invalid{Code: "volunteer_missing", Pointer: "/volunteer_id", Detail: "a volunteer's choice names the volunteer; an organization chooses for itself"}
	}
	if c.Volunteer != "" {
		if err := checkID("/volunteer_id", c.Volunteer); err != nil {
			return Receipt{}, err
		}
	}
	return b.do(ctx, by, key, &choose{by: by, choice: c})
}

type choose struct {
	by     ledger.Actor
	choice Choice
}

func (c *choose) owner() string {
	if c.choice.Volunteer != "" {
		return c.choice.Volunteer
	}
	return c.by.Subject
}

func (c *choose) want(_ *world, n *wants) {
	if c.choice.Volunteer != "" {
		n.volunteers.add(c.choice.Volunteer)
	} else {
		n.organizations.add(c.by.Subject)
	}
	n.choosers.add(c.owner())
}

type choiceDetails struct {
	Volunteer    string             `json:"volunteer,omitempty"`
	Organization string             `json:"organization,omitempty"`
	Facts        policy.ChoiceFacts `json:"facts"`
	Steps        []policy.Step      `json:"steps"`
}

func (c *choose) decide(w *world) (decision, error) {
	rules, err := w.rules(w.today)
	if err != nil {
		return decision{}, err
	}
	facts, err := c.facts(w, rules)
	if err != nil {
		return decision{}, err
	}
	d, err := rules.Choose(facts)
	if err != nil {
		return decision{}, err
	}
	details := choiceDetails{Volunteer: c.choice.Volunteer, Facts: facts, Steps: d.Steps}
	if c.choice.Volunteer == "" {
		details.Organization = c.by.Subject
	}
	text, err := encode(details)
	if err != nil {
		return decision{}, err
	}
	made := choiceFacts{c.choice.Choice, c.choice.Option, w.today}
	const insert = `INSERT INTO choice (seq, owner, choice, option, chosen_on) VALUES ($1, $2, $3, $4, date '1970-01-01' + $5::int)`
	return decision{effects: []effect{{
		draft:     ledger.Draft{Kind: ledger.KindChoice, Effective: w.today, Rules: rules.Hash(), Details: text},
		volunteer: details.Volunteer, organization: details.Organization,
		rows: func(seq ledger.Seq) []row {
			return []row{{insert, []any{seq, c.owner(), made.choice, made.option, int64(made.on)}}}
		},
		learned: func(w *world, _ ledger.Seq) { w.choices[c.owner()] = append(w.choices[c.owner()], made) },
	}}}, nil
}

func (c *choose) facts(w *world, rules *policy.Rules) (policy.ChoiceFacts, error) {
	f := policy.ChoiceFacts{By: ledger.OwnerOrganization, Age: -1, Choice: c.choice.Choice, Option: c.choice.Option, Today: w.today}
	if c.choice.Volunteer == "" {
		kind, ok := w.organizations[c.by.Subject]
		if !ok {
			return f, ledger.ErrNotFound
		}
		f.OrganizationKind = kind
	} else {
		v := w.volunteers[c.choice.Volunteer]
		if v == nil || c.by.Subject != c.choice.Volunteer && c.by.Subject != v.guardian {
			return f, ledger.ErrNotFound
		}
		f.By, f.Age, f.Roles = ledger.OwnerVolunteer, rules.Age(v.born, w.today), v.roles
	}
	for _, made := range w.choices[c.owner()] {
		if made.choice == c.choice.Choice {
			f.Before = made.on
		}
	}
	return f, nil
}

// choiceFacts is a choice somebody made.
type choiceFacts struct {
	choice, option string
	on             ledger.Date
}

// inForce adds to a list the options that held on a day, of choices in the order in which they were made.
func inForce(options []string, made []choiceFacts, on ledger.Date) []string {
	if len(made) == 0 { // as mostly
		return options
	}
	latest := map[string]string{}
	for _, m := range made {
		if m.on <= on {
			latest[m.choice] = m.option
		}
	}
	for _, option := range latest {
		options = append(options, option)
	}
	slices.Sort(options)
	return slices.Compact(options)
}

// fetchChoices reads what the owners in question ever chose: a line or two a year.
func (w *world) fetchChoices(ctx context.Context, q selecter, n *wants) error {
	ask := missing(n.choosers.list, w.known.choices, func(owner string, made []choiceFacts) { w.choices[owner] = made })
	if len(ask) == 0 {
		return nil
	}
	const query = `
		SELECT owner, choice, option, chosen_on - date '1970-01-01' AS chosen_on
		FROM choice WHERE owner = ANY ($1::uuid[]) ORDER BY seq`
	type choiceRow struct {
		Owner    string `db:"owner"`
		Choice   string `db:"choice"`
		Option   string `db:"option"`
		ChosenOn int32  `db:"chosen_on"`
	}
	rows, err := selectAll[choiceRow](ctx, q, query, uuids(ask))
	if err != nil {
		return fmt.Errorf("reading choices: %w", err)
	}
	for _, r := range rows {
		w.choices[r.Owner] = append(w.choices[r.Owner], choiceFacts{r.Choice, r.Option, ledger.Date(r.ChosenOn)})
	}
	for _, owner := range ask {
		w.known.choices[owner] = slices.Clip(w.choices[owner])
	}
	return nil
}

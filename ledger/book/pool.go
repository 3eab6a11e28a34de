package book

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/lib/pq"

	"timebank/ledger"
	"timebank/policy"
)

// Application asks the public pool for care, for somebody in need. The organization answers for what it
// found; two persons of it checked the document.
type Application struct {
	Volunteer              string
	Alone, Poor, NeedsCare bool
	Withdrawn              bool // ends the application that stands
	Document               string
	Recorder, Approver     string
}

// Apply records an application. It stands until the person's next one, or for as long as the rules say.
func (b *Book) Apply(ctx context.Context, by ledger.Actor, key Key, a Application) (Receipt, error) {
	if err := by.May(ledger.RoleOrganization); err != nil {
		return Receipt{}, err
	}
	if err := checkID("/volunteer_id", a.Volunteer); err != nil {
		return Receipt{}, err
	}
	if err := checkByTwo(a.Document, a.Recorder, a.Approver); err != nil {
		return Receipt{}, err
	}
	return b.do(ctx, by, key, &apply{organization: by.Subject, application: a})
}

type apply struct {
	organization string
	application  Application
	stands       *standing
}

func (c *apply) about() (organization, volunteer, partner string) {
	return c.organization, c.application.Volunteer, ""
}

// standing is an application that stands.
type standing struct {
	seq          ledger.Seq
	volunteer    string
	organization string
	priority     int
	until        ledger.Date
	granted      ledger.Minutes // this month
}

type applicationDetails struct {
	Volunteer    string                  `json:"volunteer"`
	Organization string                  `json:"organization"`
	Document     string                  `json:"document"`
	Recorder     string                  `json:"recorder"`
	Approver     string                  `json:"approver"`
	Priority     int                     `json:"priority,omitzero"`
	Until        string                  `json:"until,omitempty"`
	Facts        policy.ApplicationFacts `json:"facts"`
	Steps        []policy.Step           `json:"steps"`
}

func (c *apply) want(_ *world, n *wants) {
	n.organizations.add(c.organization)
	n.volunteers.add(c.application.Volunteer)
}

func (c *apply) look(ctx context.Context, q selecter, w *world, _ *wants) error {
	line, err := readLine(ctx, q, w.today)
	if i := slices.IndexFunc(line, func(s standing) bool { return s.volunteer == c.application.Volunteer }); i >= 0 {
		c.stands = &line[i]
	} else {
		c.stands = nil
	}
	return err
}

func (c *apply) decide(w *world) (decision, error) {
	a := c.application
	v := w.volunteers[a.Volunteer]
	if v == nil {
		return decision{}, &ledger.Invalid{Code: "volunteer_unknown", Pointer: "/volunteer_id", Detail: "no such volunteer is registered"}
	}
	if a.Withdrawn && (c.stands == nil || c.stands.organization != c.organization) {
		return decision{}, &ledger.Refusal{Code: "nothing_to_withdraw", Detail: "no application of this organization for this person stands"}
	}
	rules, err := w.rules(w.today)
	if err != nil {
		return decision{}, err
	}
	f := policy.ApplicationFacts{Age: rules.Age(v.born, w.today), Alone: a.Alone, Poor: a.Poor, NeedsCare: a.NeedsCare, Withdrawn: a.Withdrawn, Today: w.today.String()}
	d, err := rules.Apply(f)
	if err != nil {
		return decision{}, err
	}
	details := applicationDetails{Volunteer: a.Volunteer, Organization: c.organization, Document: a.Document, Recorder: a.Recorder, Approver: a.Approver,
		Priority: d.Priority, Facts: f, Steps: d.Steps}
	if !a.Withdrawn {
		details.Until = (w.today.AddMonths(d.Months) - 1).String()
	}
	text, err := encode(details)
	return decision{effects: []effect{{
		draft:     ledger.Draft{Kind: ledger.KindApplication, Effective: w.today, Rules: rules.Hash(), Details: text},
		volunteer: a.Volunteer, organization: c.organization,
	}}}, err
}

// GrantNext gives care credit from the pool to the next in line: the first priority before the second, and
// within one whoever asked first. Nobody chooses who it is. The actor is the operator.
func (b *Book) GrantNext(ctx context.Context, by ledger.Actor, key Key) (Receipt, error) {
	if err := by.May(ledger.RoleOperator); err != nil {
		return Receipt{}, err
	}
	return b.do(ctx, by, key, &grant{})
}

type grant struct{ line []standing }

type grantDetails struct {
	Volunteer string            `json:"volunteer"`
	Facts     policy.GrantFacts `json:"facts"`
	Steps     []policy.Step     `json:"steps"`
}

func (c *grant) want(*world, *wants) {}

func (c *grant) look(ctx context.Context, q selecter, w *world, n *wants) error {
	var err error
	if c.line, err = readLine(ctx, q, w.today); err != nil {
		return err
	}
	if rules, err := w.rules(w.today); err == nil {
		if next := nextInLine(c.line, rules.GrantMost()); next != nil {
			n.volunteers.add(next.volunteer)
		}
	}
	return nil
}

func (c *grant) decide(w *world) (decision, error) {
	rules, err := w.rules(w.today)
	if err != nil {
		return decision{}, err
	}
	next := nextInLine(c.line, rules.GrantMost())
	if next == nil {
		return decision{}, &ledger.Refusal{Code: "nobody_waits", Detail: "nobody in line has anything left to get this month"}
	}
	pool := w.account(string(ledger.OwnerPool), ledger.CarePurpose)
	f := policy.GrantFacts{Application: next.seq, Priority: next.priority, GrantedToThem: next.granted, GrantedToAll: grantedToAll(c.line),
		Pool: pool.balance, Today: w.today.String()}
	d, err := rules.Grant(f)
	if err != nil {
		return decision{}, err
	}
	text, err := encode(grantDetails{next.volunteer, f, d.Steps})
	return decision{effects: []effect{{
		draft: ledger.Draft{Kind: ledger.KindGrant, Effective: w.today, Rules: rules.Hash(), Refers: &next.seq, Details: text,
			Postings: w.creditCare(nil, pool.ID, next.volunteer, d.Minutes)},
		volunteer: next.volunteer,
	}}}, err
}

// nextInLine gives the first in line to whom this month may still give something.
func nextInLine(line []standing, most ledger.Minutes) *standing {
	for i := range line {
		if s := &line[i]; s.priority > 0 && s.granted < most {
			return s
		}
	}
	return nil
}

// grantedToAll sums what the month gave, to those too whose application stands no more.
func grantedToAll(line []standing) (m ledger.Minutes) {
	for _, s := range line {
		m += s.granted
	}
	return m
}

// readLine reads the applications that stand on a day, in the order in which they are served, each with
// what its person got this month; who got something and stands no more comes last, with priority 0.
func readLine(ctx context.Context, q selecter, today ledger.Date) ([]standing, error) {
	type lineRow struct {
		Seq          ledger.Seq     `db:"seq"`
		Volunteer    string         `db:"volunteer"`
		Organization string         `db:"organization"`
		Details      string         `db:"details"`
		Granted      ledger.Minutes `db:"granted"`
	}
	const query = `
		SELECT a.seq, a.volunteer, a.organization, a.details, coalesce(g.granted, 0) AS granted
		FROM (SELECT DISTINCT ON (volunteer) seq, volunteer, organization, details FROM entry WHERE kind = 'application' ORDER BY volunteer, seq DESC) a
		LEFT JOIN (SELECT e.volunteer, -sum(p.minutes)::bigint AS granted
		           FROM entry e JOIN posting p ON p.seq = e.seq JOIN account c ON c.id = p.account AND c.owner_kind = 'pool'
		           WHERE e.kind = 'grant' AND e.effective >= date '1970-01-01' + $1::int GROUP BY 1) g ON g.volunteer = a.volunteer`
	rows, err := selectAll[lineRow](ctx, q, query, int64(ledger.Month.Start(today)))
	if err != nil {
		return nil, fmt.Errorf("reading who waits for the pool: %w", err)
	}
	var line []standing
	for _, r := range rows {
		var d applicationDetails
		if err := json.Unmarshal([]byte(r.Details), &d); err != nil {
			return nil, fmt.Errorf("reading application %d: %w", r.Seq, err)
		}
		if s := d.standing(r.Seq, today); s.priority > 0 || r.Granted > 0 {
			s.granted = r.Granted
			line = append(line, s)
		}
	}
	sortLine(line)
	return line, nil
}

// standing gives an application's place on a day; priority 0 when it stands no more.
func (d applicationDetails) standing(seq ledger.Seq, today ledger.Date) standing {
	s := standing{seq: seq, volunteer: d.Volunteer, organization: d.Organization, priority: d.Priority}
	until, err := ledger.ParseDate(d.Until)
	if s.until = until; err != nil || until < today {
		s.priority = 0
	}
	return s
}

func sortLine(line []standing) {
	last := func(s standing) int {
		if s.priority == 0 {
			return 1
		}
		return 0
	}
	slices.SortFunc(line, func(a, b standing) int {
		return cmp.Or(cmp.Compare(last(a), last(b)), cmp.Compare(a.priority, b.priority), cmp.Compare(a.seq, b.seq))
	})
}

// fetchGranted sums what the pool gave this year to people who are about to give. A grant is a batch of its
// own, so no command of this batch can add to it.
func (w *world) fetchGranted(ctx context.Context, q selecter, givers []string) error {
	const query = `
		SELECT e.volunteer, -sum(p.minutes)::bigint AS granted
		FROM entry e JOIN posting p ON p.seq = e.seq JOIN account c ON c.id = p.account AND c.owner_kind = 'pool'
		WHERE e.kind = 'grant' AND e.volunteer = ANY ($1::uuid[]) AND e.effective >= date '1970-01-01' + $2::int GROUP BY 1`
	type grantedRow struct {
		Volunteer string         `db:"volunteer"`
		Granted   ledger.Minutes `db:"granted"`
	}
	rows, err := selectAll[grantedRow](ctx, q, query, pq.Array(givers), int64(ledger.Year.Start(w.today)))
	if err != nil {
		return fmt.Errorf("reading grants: %w", err)
	}
	for _, r := range rows {
		w.granted[r.Volunteer] = r.Granted
	}
	return nil
}

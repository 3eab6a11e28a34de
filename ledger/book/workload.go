package book

import (
	"context"
	"slices"

	"timebank/ledger"
	"timebank/policy"
)

// Workload is what somebody served in the last days, and what the rules recommend.
type Workload struct {
	Facts   policy.WorkloadFacts
	Steps   []policy.Step
	Rules   *policy.Rules
	LogSize int64
}

// Workload reads it. The volunteer, the guardian and auditors may.
func (b *Book) Workload(ctx context.Context, by ledger.Actor, volunteer string) (Workload, error) {
	var r Workload
	if err := b.mayReadVolunteer(ctx, by, volunteer, "workload"); err != nil {
		return r, err
	}
	now, err := b.Now(ctx)
	if err != nil {
		return r, err
	}
	today := b.today(now)
	if r.Rules, err = b.RulesInForce(ctx, today); err != nil {
		return r, err
	}
	if r.LogSize, err = b.sizeAt(ctx, AsOf{}); err != nil {
		return r, err
	}
	v, err := only(b.volunteers(ctx, ledger.Actor{Role: ledger.RoleOperator}, volunteer, ListFilter{AfterSeq: -1, Limit: 1}))
	if err != nil {
		return r, err
	}
	claims, err := selectServed(ctx, b.db, r.LogSize, lastMonth, volunteer, int64(today-29), int64(today))
	if err != nil {
		return r, err
	}
	r.Facts = workloadFacts(claims, today)
	r.Facts.Age, r.Facts.Roles = r.Rules.Age(v.Born, today), v.Roles
	r.Steps, err = r.Rules.Watch(r.Facts)
	return r, err
}

const lastMonth = `claims_of($2::uuid, date '1970-01-01' + $3::int, date '1970-01-01' + $4::int)`

// Referral points somebody to help: to a support that the rules know.
type Referral struct{ Volunteer, To string }

// Refer records a referral. The actor is the volunteer or the guardian, or an organization that recorded
// service of theirs in the last thirty days, and then that service alone counts. It is told to nobody else but
// auditors.
func (b *Book) Refer(ctx context.Context, by ledger.Actor, key Key, r Referral) (Receipt, error) {
	if err := by.May(ledger.RoleVolunteer, ledger.RoleOrganization); err != nil {
		return Receipt{}, err
	}
	if err := checkID("/volunteer_id", r.Volunteer); err != nil {
		return Receipt{}, err
	}
	if err := ledger.CheckTexts(ledger.Text{Pointer: "/to", Value: r.To, BytesMax: ledger.ReferenceBytesMax, Required: true}); err != nil {
		return Receipt{}, err
	}
	return b.do(ctx, by, key, &refer{by: by, referral: r})
}

type refer struct {
	by       ledger.Actor
	referral Referral
	claims   []servedClaim
}

type referralDetails struct {
	Volunteer    string               `json:"volunteer"`
	Organization string               `json:"organization,omitempty"`
	Facts        policy.WorkloadFacts `json:"facts"`
	Steps        []policy.Step        `json:"steps"`
}

func (c *refer) want(_ *world, n *wants) { n.volunteers.add(c.referral.Volunteer) }

func (c *refer) look(ctx context.Context, q selecter, w *world, _ *wants) (err error) {
	c.claims, err = selectServed(ctx, q, int64(w.next), lastMonth, c.referral.Volunteer, int64(w.today-29), int64(w.today))
	if c.by.Role == ledger.RoleOrganization { // what others recorded is none of its business
		c.claims = slices.DeleteFunc(c.claims, func(s servedClaim) bool { return s.Organization != c.by.Subject })
	}
	return err
}

func (c *refer) decide(w *world) (decision, error) {
	v := w.volunteers[c.referral.Volunteer]
	if v == nil || !c.concerns(v) {
		return decision{}, ledger.ErrNotFound
	}
	rules, err := w.rules(w.today)
	if err != nil {
		return decision{}, err
	}
	f := workloadFacts(c.claims, w.today)
	f.Age, f.Roles, f.Referral = rules.Age(v.born, w.today), v.roles, c.referral.To
	details := referralDetails{Volunteer: c.referral.Volunteer}
	if f.By = ledger.OwnerVolunteer; c.by.Role == ledger.RoleOrganization {
		f.By, details.Organization = ledger.OwnerOrganization, c.by.Subject
	}
	steps, err := rules.Refer(f)
	if err != nil {
		return decision{}, err
	}
	details.Facts, details.Steps = f, steps
	text, err := encode(details)
	return decision{effects: []effect{{
		draft:     ledger.Draft{Kind: ledger.KindReferral, Effective: w.today, Rules: rules.Hash(), Details: text},
		volunteer: c.referral.Volunteer, organization: details.Organization,
	}}}, err
}

// concerns reports whether the actor may refer this volunteer; of others it learns nothing.
func (c *refer) concerns(v *volunteerFacts) bool {
	if c.by.Role == ledger.RoleVolunteer {
		return c.by.Subject == c.referral.Volunteer || c.by.Subject == v.guardian
	}
	return slices.ContainsFunc(c.claims, func(s servedClaim) bool { return !s.Corrected })
}

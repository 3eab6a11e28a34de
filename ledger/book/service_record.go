package book

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/lib/pq"

	"timebank/ledger"
	"timebank/policy"
)

// ServiceRecord sums up what a volunteer really served, as a school, an employer or a reviewer reads it. It
// counts minutes of the service record, never credit; what was corrected is not in it.
type ServiceRecord struct {
	Volunteer      string
	LogSize        int64 // read as of this size of the log
	Roles          []ledger.VolunteerRole
	Facts          policy.RecordFacts
	ByGrade        []Served
	ByYear         []Served
	ByService      []Served // by code of the catalogue; "" is what named none
	ByPosition     []Served // by position in the activity; "" is a member's
	ByOrganization []Served // by who certifies it, each with its id
	Honours        []Honoured
	Clarifications []Clarified
	Rules          *policy.Rules // whose levels these are
}

// Served is a part of a service record.
type Served struct {
	ID, Name string
	Minutes  ledger.Minutes
	Claims   int64
}

// ServiceRecord reads a volunteer's record. The volunteer, the guardian and auditors may; they show it to
// whom they like.
func (b *Book) ServiceRecord(ctx context.Context, by ledger.Actor, volunteer string) (ServiceRecord, error) {
	r := ServiceRecord{Volunteer: volunteer}
	if err := b.mayReadVolunteer(ctx, by, volunteer, "record"); err != nil {
		return r, err
	}
	var err error
	if r.LogSize, err = b.sizeAt(ctx, AsOf{}); err != nil {
		return r, err
	}
	now, err := b.Now(ctx)
	if err != nil {
		return r, err
	}
	if r.Rules, err = b.RulesInForce(ctx, b.today(now)); err != nil {
		return r, err
	}
	v, err := only(b.volunteers(ctx, ledger.Actor{Role: ledger.RoleOperator}, volunteer, ListFilter{AfterSeq: -1, Limit: 1}))
	if err != nil {
		return r, err
	}
	r.Roles = v.Roles
	claims, err := selectServed(ctx, b.db, r.LogSize, `claims_of($2::uuid)`, volunteer)
	if err != nil {
		return r, err
	}
	r.sum(claims)
	if err := b.nameOrganizations(ctx, r.ByOrganization); err != nil {
		return r, err
	}
	if r.Honours, err = b.honours(ctx, HonourFilter{Volunteer: volunteer, Before: r.LogSize, After: -1, Limit: PageMax}); err != nil {
		return r, err
	}
	r.Clarifications, err = b.clarifications(ctx, volunteer, r.LogSize)
	return r, err
}

func (r *ServiceRecord) sum(claims []servedClaim) {
	r.Facts = recordFacts(claims, r.Rules.LevelGrades())
	for _, c := range claims {
		if c.Corrected {
			continue
		}
		r.ByGrade = addServed(r.ByGrade, string(c.Grade), c)
		r.ByYear = addServed(r.ByYear, c.on().String()[:4], c)
		r.ByService = addServed(r.ByService, c.Service, c)
		r.ByPosition = addServed(r.ByPosition, c.Position, c)
		r.ByOrganization = addServed(r.ByOrganization, c.Organization, c)
	}
	for _, list := range [][]Served{r.ByGrade, r.ByYear, r.ByService, r.ByPosition, r.ByOrganization} {
		slices.SortFunc(list, func(a, b Served) int { return cmp.Compare(a.ID, b.ID) })
	}
}

func addServed(list []Served, id string, c servedClaim) []Served {
	i := slices.IndexFunc(list, func(s Served) bool { return s.ID == id })
	if i < 0 {
		return append(list, Served{id, id, c.Minutes, 1})
	}
	list[i].Minutes, list[i].Claims = list[i].Minutes+c.Minutes, list[i].Claims+1
	return list
}

// nameOrganizations puts names to ids. Two organizations of one name stay two.
func (b *Book) nameOrganizations(ctx context.Context, list []Served) error {
	names, err := b.organizationNames(ctx, func(yield func(string) bool) {
		for _, s := range list {
			if !yield(s.ID) {
				return
			}
		}
	})
	for i := range list {
		list[i].Name = names[list[i].ID]
	}
	return err
}

func (b *Book) organizationNames(ctx context.Context, ids func(yield func(string) bool)) (map[string]string, error) {
	type nameRow struct {
		ID   string `db:"id"`
		Name string `db:"name"`
	}
	rows, err := selectAll[nameRow](ctx, b.db, `SELECT id, name FROM organization WHERE id = ANY ($1::uuid[])`, pq.Array(slices.Collect(ids)))
	if err != nil {
		return nil, fmt.Errorf("reading names of organizations: %w", err)
	}
	names := make(map[string]string, len(rows))
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return names, nil
}

// longestRun counts the most months that follow each other, of first days of months in order.
func longestRun(months []ledger.Date) (longest int) {
	run := 0
	for i, m := range months {
		if i > 0 && ledger.Month.End(months[i-1])+1 == m {
			run++
		} else {
			run = 1
		}
		longest = max(longest, run)
	}
	return longest
}

package book

import (
	"context"
	"fmt"
	"slices"

	"timebank/ledger"
	"timebank/policy"
)

// ServiceRecord sums up what a volunteer really served, as a school or an employer reads it. It counts
// minutes of the service record, never credit; what was corrected is not in it.
type ServiceRecord struct {
	Volunteer      string
	LogSize        int64 // read as of this size of the log
	Minutes        ledger.Minutes
	Claims         int64
	ByGrade        []Served
	ByYear         []Served
	ByService      []Served // by code of the catalogue; "" is what named none
	ByOrganization []Served // by name: who certifies it
	MonthsActive   int
	LongestRun     int            // of active months, one after the other
	Counted        ledger.Minutes // of the grades that count for levels
	Rules          *policy.Rules  // whose levels these are
}

// Served is a part of a service record.
type Served struct {
	Name    string
	Minutes ledger.Minutes
	Claims  int64
}

// ServiceRecord reads a volunteer's record. The volunteer, the guardian and auditors may; they show it to
// whom they like.
func (b *Book) ServiceRecord(ctx context.Context, by ledger.Actor, volunteer string) (ServiceRecord, error) {
	r := ServiceRecord{Volunteer: volunteer}
	if err := b.mayReadVolunteer(ctx, by, volunteer); err != nil {
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
	const query = `
		SELECT date_trunc('month', c.served_on)::date - date '1970-01-01' AS month, c.grade, o.name AS organization,
		       coalesce(e.details::json ->> 'service', '') AS service, sum(c.minutes)::bigint AS minutes, count(*) AS claims
		FROM claim c JOIN entry e ON e.seq = c.seq JOIN organization o ON o.id = c.organization
		WHERE c.volunteer = $1 AND c.seq < $2
		  AND NOT EXISTS (SELECT 1 FROM entry x WHERE x.refers = c.seq AND x.kind = 'correction' AND x.seq < $2)
		GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`
	rows, err := selectAll[servedRow](ctx, b.db, query, volunteer, r.LogSize)
	if err != nil {
		return r, fmt.Errorf("reading the service record of %s: %w", volunteer, err)
	}
	r.sum(rows)
	return r, nil
}

type servedRow struct {
	Month        int32          `db:"month"`
	Grade        ledger.Grade   `db:"grade"`
	Organization string         `db:"organization"`
	Service      string         `db:"service"`
	Minutes      ledger.Minutes `db:"minutes"`
	Claims       int64          `db:"claims"`
}

func (r *ServiceRecord) sum(rows []servedRow) {
	counts := r.Rules.LevelGrades()
	var months []ledger.Date
	for _, x := range rows {
		r.Minutes, r.Claims = r.Minutes+x.Minutes, r.Claims+x.Claims
		month := ledger.Date(x.Month)
		r.ByGrade = addServed(r.ByGrade, string(x.Grade), x)
		r.ByYear = addServed(r.ByYear, month.String()[:4], x)
		r.ByService = addServed(r.ByService, x.Service, x)
		r.ByOrganization = addServed(r.ByOrganization, x.Organization, x)
		if slices.Contains(counts, x.Grade) {
			r.Counted += x.Minutes
		}
		months = append(months, month)
	}
	months = slices.Compact(months)
	r.MonthsActive, r.LongestRun = len(months), longestRun(months)
	for _, list := range [][]Served{r.ByGrade, r.ByYear, r.ByService, r.ByOrganization} {
		slices.SortFunc(list, func(a, b Served) int {
			if a.Name < b.Name {
				return -1
			}
			return 1
		})
	}
}

func addServed(list []Served, name string, x servedRow) []Served {
	i := slices.IndexFunc(list, func(s Served) bool { return s.Name == name })
	if i < 0 {
		return append(list, Served{name, x.Minutes, x.Claims})
	}
	list[i].Minutes, list[i].Claims = list[i].Minutes+x.Minutes, list[i].Claims+x.Claims
	return list
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

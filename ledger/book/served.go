package book

import (
	"context"
	"fmt"
	"slices"

	"timebank/ledger"
	"timebank/policy"
)

// servedClaim is a claim as records and assessments count it.
type servedClaim struct {
	Seq          ledger.Seq     `db:"seq"`
	Volunteer    string         `db:"volunteer"`
	Organization string         `db:"organization"`
	ServedOn     int32          `db:"served_on"`
	Minutes      ledger.Minutes `db:"minutes"`
	Grade        ledger.Grade   `db:"grade"`
	Pooled       ledger.Minutes `db:"pooled"`
	Service      string         `db:"service"`
	Position     string         `db:"position"`
	Emergency    bool           `db:"emergency"`
	Satisfaction int            `db:"satisfaction"`
	Corrected    bool           `db:"corrected"`
}

func (c servedClaim) on() ledger.Date { return ledger.Date(c.ServedOn) }

// selectServed reads claims in the order of their days; of says which, as what may stand in FROM, up to a size
// of the log, its first argument.
func selectServed(ctx context.Context, q selecter, size int64, of string, args ...any) ([]servedClaim, error) {
	query := `
		SELECT c.seq, c.volunteer, c.organization, c.served_on - date '1970-01-01' AS served_on, c.minutes, c.grade, c.pooled,
		       coalesce(d.details ->> 'service', '') AS service, coalesce(d.details ->> 'position', '') AS position,
		       d.details -> 'emergency_level' IS NOT NULL AS emergency,
		       coalesce((d.details -> 'evidence' ->> 'satisfaction')::int, 0) AS satisfaction, x.seq IS NOT NULL AS corrected
		FROM ` + of + ` c JOIN entry e ON e.seq = c.seq CROSS JOIN LATERAL (SELECT e.details::json AS details) d
		LEFT JOIN entry x ON x.refers = c.seq AND x.kind = 'correction' AND x.seq < $1
		WHERE c.seq < $1 ORDER BY c.served_on, c.seq`
	claims, err := selectAll[servedClaim](ctx, q, query, append([]any{size}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("reading what was served: %w", err)
	}
	return claims, nil
}

// recordFacts sums up claims in the order of their days.
func recordFacts(claims []servedClaim, counts []ledger.Grade) (f policy.RecordFacts) {
	var months []ledger.Date
	for _, c := range claims {
		if c.Corrected {
			f.Corrected++
			continue
		}
		f.Claims++
		f.Minutes += c.Minutes
		if slices.Contains(counts, c.Grade) {
			f.Counted += c.Minutes
		}
		if c.Emergency {
			f.Emergency += c.Minutes
		}
		if c.Satisfaction > 0 {
			f.Rated, f.Satisfaction = f.Rated+1, f.Satisfaction+c.Satisfaction
		}
		if c.Position != "" {
			f.Organizers++
		}
		if m := ledger.Month.Start(c.on()); len(months) == 0 || months[len(months)-1] != m {
			months = append(months, m)
		}
	}
	f.MonthsActive, f.LongestRun = len(months), longestRun(months)
	return f
}

// supportFacts sums up what a team did from a day to a day, and who of the period before stayed.
func supportFacts(claims []servedClaim, before, from, to ledger.Date) (f policy.SupportFacts) {
	members, membersBefore := map[string]bool{}, map[string]bool{}
	for _, c := range claims {
		inPeriod := from <= c.on() && c.on() <= to
		switch {
		case c.Corrected && inPeriod:
			f.Corrected++
		case c.Corrected:
		case inPeriod:
			members[c.Volunteer] = true
			f.Claims++
			f.Minutes, f.Pledged = f.Minutes+c.Minutes, f.Pledged+c.Pooled
			if c.Grade == ledger.GradeA || c.Grade == ledger.GradeB {
				f.Attested += c.Minutes
			}
			if c.Emergency {
				f.Emergency += c.Minutes
			}
			if c.Satisfaction > 0 {
				f.Rated, f.Satisfaction = f.Rated+1, f.Satisfaction+c.Satisfaction
			}
		case before <= c.on() && c.on() < from:
			membersBefore[c.Volunteer] = true
		}
	}
	f.From, f.To, f.Members, f.MembersBefore = from.String(), to.String(), len(members), len(membersBefore)
	for v := range membersBefore {
		if members[v] {
			f.Stayed++
		}
	}
	return f
}

// workloadFacts sums up what somebody served in the last days, today included.
func workloadFacts(claims []servedClaim, today ledger.Date) (f policy.WorkloadFacts) {
	days := map[ledger.Date]bool{}
	for _, c := range claims {
		if c.Corrected || c.on() > today || c.on() <= today-30 {
			continue
		}
		f.In30 += c.Minutes
		if c.Emergency {
			f.EmergencyIn30 += c.Minutes
		}
		if c.on() > today-7 {
			f.In7 += c.Minutes
			days[c.on()] = true
		}
	}
	f.DaysIn7, f.Today = len(days), today.String()
	return f
}

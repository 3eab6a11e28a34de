package book

import (
	"context"
	"fmt"

	"github.com/lib/pq"

	"timebank/ledger"
)

// Check is a question that an auditor can ask of the claims and cite. What it finds is odd, not wrong.
type Check struct {
	Name               string
	Threshold          int64 // when none is given
	Least, Most        int64
	WordsEN, WordsZH   string
	ThresholdEN, query string
}

// Oddity is something that a check found.
type Oddity struct {
	Organization string         `db:"organization"` // whom it concerns; empty where nobody
	Volunteer    string         `db:"volunteer"`
	Recorder     string         `db:"recorder"`
	Period       string         `db:"period"` // a day or a month; empty for all time
	Claims       int64          `db:"claims"`
	Minutes      ledger.Minutes `db:"minutes"`
	Against      int64          `db:"against"` // what the minutes are held against, as the check's words say
	Seqs         pq.Int64Array  `db:"seqs"`    // at most twenty of the claims
}

const oddSeqs = `(array_agg(c.seq ORDER BY c.seq))[1:20] AS seqs`

// Checks are all checks, by name. Each reads c, the claims; $4 is the threshold, $5 the most rows.
var Checks = []Check{
	{"two_places", 30, 1, 240, "The same person at two places on one day, with less time between them than it takes to go",
		"同一人同一天在两地服务，间隔短于路程所需时间", "minutes between the end of one claim and the start of the other", `
		SELECT a.volunteer::text AS volunteer, '' AS organization, '' AS recorder, a.served_on::text AS period, 2 AS claims, a.minutes + b.minutes AS minutes,
		       b.span_from - a.span_to AS against, ARRAY[a.seq, b.seq] AS seqs
		FROM c a JOIN c b ON b.volunteer = a.volunteer AND b.seq <> a.seq AND b.span_from >= a.span_to AND b.span_from - a.span_to < $4
		JOIN organization o ON o.id = a.organization JOIN organization p ON p.id = b.organization
		WHERE (o.district, o.street, o.community, o.grid) <> (p.district, p.street, p.community, p.grid)
		ORDER BY a.seq, b.seq LIMIT $5`},
	{"round_numbers", 20, 2, 100000, "An organization whose claims are all of whole hours", "某组织的全部记录均为整小时",
		"claims it must have, at least", `
		SELECT c.organization::text AS organization, '' AS volunteer, '' AS recorder, '' AS period, count(*) AS claims, sum(c.minutes)::bigint AS minutes, 0 AS against, ` + oddSeqs + `
		FROM c GROUP BY c.organization HAVING count(*) >= $4 AND bool_and(c.minutes % 60 = 0) ORDER BY 5 DESC, 1 LIMIT $5`},
	{"night_hours", 1, 1, 480, "Service between ten in the evening and six in the morning", "夜间（22 时至次日 6 时）服务",
		"minutes in the night, at least", `
		SELECT c.organization::text AS organization, c.volunteer::text AS volunteer, '' AS recorder, c.served_on::text AS period, 1 AS claims, c.minutes, n.night AS against, ARRAY[c.seq] AS seqs
		FROM c, LATERAL (SELECT c.span_from % 1440 AS s, c.span_from % 1440 + c.span_to - c.span_from AS e) t,
		LATERAL (SELECT greatest(0, least(e, 360) - s) + greatest(0, least(e, 1800) - greatest(s, 1320)) + greatest(0, e - 2760) AS night) n
		WHERE c.span_from IS NOT NULL AND n.night >= $4 ORDER BY n.night DESC, c.seq LIMIT $5`},
	{"poster_share", 50, 1, 100, "One person recorded more than their share of an organization's minutes in a month of twenty claims or more",
		"某月（不少于二十条记录）由一人登记的时长超过该组织应有比例", "percent of the organization's minutes in that month; against are those minutes", `
		SELECT c.organization::text AS organization, '' AS volunteer, c.recorder, c.month AS period, count(*) AS claims, sum(c.minutes)::bigint AS minutes, min(c.whole)::bigint AS against, ` + oddSeqs + `
		FROM (SELECT c.*, coalesce(c.details::json -> 'evidence' ->> 'recorder', '') AS recorder, to_char(c.served_on, 'YYYY-MM') AS month,
			sum(c.minutes) OVER (PARTITION BY c.organization, to_char(c.served_on, 'YYYY-MM')) AS whole,
			count(*) OVER (PARTITION BY c.organization, to_char(c.served_on, 'YYYY-MM')) AS n FROM c) c
		WHERE c.n >= 20 AND c.recorder <> '' GROUP BY c.organization, c.recorder, c.month HAVING sum(c.minutes) * 100 > min(c.whole) * $4
		ORDER BY 6 DESC, 1, 3, 4 LIMIT $5`},
	{"sudden_jump", 3, 2, 100, "A month of more than so many times the mean of the three months before",
		"某月时长超过此前三个月平均值的若干倍", "times the mean; against is the sum of the three months before", `
		SELECT organization, volunteer, '' AS recorder, month AS period, claims, minutes, before AS against, seqs FROM (
			SELECT m.*, sum(m.minutes) OVER (PARTITION BY m.organization, m.volunteer ORDER BY m.first RANGE BETWEEN '3 months' PRECEDING AND '1 month' PRECEDING)::bigint AS before
			FROM (SELECT s.organization, s.volunteer, date_trunc('month', c.served_on::timestamp) AS first, to_char(c.served_on, 'YYYY-MM') AS month, count(*) AS claims, sum(c.minutes)::bigint AS minutes, ` + oddSeqs + `
				FROM c, LATERAL (VALUES (c.organization::text, ''), ('', c.volunteer::text)) s (organization, volunteer) GROUP BY 1, 2, 3, 4) m) j
		WHERE before > 0 AND minutes * 3 > before * $4 ORDER BY minutes DESC, organization, volunteer, month LIMIT $5`},
	{"largest", 1, 1, 1440, "The largest claims", "时长最长的记录", "minutes, at least", `
		SELECT c.organization::text AS organization, c.volunteer::text AS volunteer, '' AS recorder, c.served_on::text AS period, 1 AS claims, c.minutes, 0 AS against, ARRAY[c.seq] AS seqs
		FROM c WHERE c.minutes >= $4 ORDER BY c.minutes DESC, c.seq LIMIT $5`},
}

// OdditiesFilter chooses claims by the day of service, as known at a size of the log.
type OdditiesFilter struct {
	Check     string
	Threshold *int64
	From, To  *ledger.Date
	LogSize   *int64
	Limit     int
}

// Oddities runs a check. Auditors may; a check that there is not is ErrNotFound.
func (b *Book) Oddities(ctx context.Context, by ledger.Actor, f OdditiesFilter) (found []Oddity, threshold, size int64, err error) {
	if err := by.May(ledger.RoleAuditor); err != nil {
		return nil, 0, 0, err
	}
	check, err := checkOf(f.Check)
	if err != nil {
		return nil, 0, 0, err
	}
	if threshold = check.Threshold; f.Threshold != nil {
		threshold = *f.Threshold
	}
	if threshold < check.Least || threshold > check.Most {
		return nil, 0, 0, &ledger.Invalid{Code: "parameter_malformed", Pointer: "/threshold",
			Detail: fmt.Sprintf("the threshold of %s is from %d to %d", check.Name, check.Least, check.Most)}
	}
	if size, err = b.sizeAt(ctx, AsOf{LogSize: f.LogSize}); err != nil {
		return nil, 0, 0, err
	}
	statement := `WITH c AS (` + standingClaims + `) ` + check.query
	found, err = selectAll[Oddity](ctx, b.db, statement, size, dayOrNull(f.From), dayOrNull(f.To), threshold, min(f.Limit, PageMax))
	if err != nil {
		return nil, 0, 0, fmt.Errorf("running the check %s: %w", check.Name, err)
	}
	return found, threshold, size, nil
}

func checkOf(name string) (Check, error) {
	for _, c := range Checks {
		if c.Name == name {
			return c, nil
		}
	}
	return Check{}, ledger.ErrNotFound
}

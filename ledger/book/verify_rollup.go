package book

import (
	"context"
	"fmt"

	"github.com/lib/pq"

	"timebank/ledger"
)

// checkRollups computes every rollup again from the postings.
func (v *verifier) checkRollups(ctx context.Context) error {
	const query = `
		WITH line AS (SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]) AS l (of, owner_kind, purpose)),
		mark AS (SELECT account AS of, upto, lag(upto, 1, 0::bigint) OVER (PARTITION BY account ORDER BY upto) AS since FROM rollup WHERE level = 3 AND period = 0),
		whole AS (SELECT DISTINCT of FROM mark),
		posted AS (
			SELECT p.account AS of, p.seq, p.effective, p.minutes FROM posting p WHERE p.account IN (SELECT of FROM whole)
			UNION ALL SELECT l.of, p.seq, p.effective, p.minutes FROM posting p JOIN account a ON a.id = p.account
				JOIN line l ON l.owner_kind = a.owner_kind AND l.purpose = a.purpose),
		marked AS (SELECT m.of, m.upto, p.effective, sum(p.minutes) AS minutes, count(*) AS n
			FROM mark m JOIN posted p ON p.of = m.of AND p.seq >= m.since AND p.seq < m.upto GROUP BY 1, 2, 3),
		node AS (
			SELECT of, upto, 0 AS level, effective - date '1970-01-01' AS period, minutes, n FROM marked
			UNION ALL SELECT of, upto, 1, (extract(year FROM effective) * 12 + extract(month FROM effective) - 1)::int, minutes, n FROM marked
			UNION ALL SELECT of, upto, 2, extract(year FROM effective)::int, minutes, n FROM marked
			UNION ALL SELECT of, upto, 3, 0, minutes, n FROM marked
			UNION ALL SELECT of, upto, 3, 0, 0, 0 FROM mark),
		summed AS (SELECT of, level, period, upto, sum(minutes) AS minutes, sum(n) AS n FROM node GROUP BY 1, 2, 3, 4),
		want AS (SELECT of AS account, level, period, upto, sum(minutes) OVER w AS minutes, sum(n) OVER w AS entries
			FROM summed WINDOW w AS (PARTITION BY of, level, period ORDER BY upto))
		SELECT account, upto FROM want FULL JOIN rollup r USING (account, level, period, upto)
		WHERE want.minutes IS DISTINCT FROM r.minutes OR want.entries IS DISTINCT FROM r.entries OR upto > $4
		   OR account NOT IN (SELECT of FROM line UNION ALL SELECT id FROM account)
		ORDER BY upto, account LIMIT 100`
	type rollupRow struct {
		Account int64 `db:"account"`
		Upto    int64 `db:"upto"`
	}
	of, owners, purposes, _ := chartLines()
	rows, err := selectAll[rollupRow](ctx, v.tx, query, pq.Array(of), pq.Array(owners), pq.Array(purposes), int64(v.next))
	if err != nil {
		return fmt.Errorf("reading rollups: %w", err)
	}
	for _, r := range rows {
		v.find(-1, "a rollup of %s to log size %d is not what the postings come to", rollupName(r.Account), r.Upto)
	}
	return nil
}

func rollupName(of int64) string {
	if i := -1 - of; i >= 0 && i < int64(len(ledger.Chart)) {
		return fmt.Sprintf("%s of %s", ledger.Chart[i].Purpose, ledger.Chart[i].Owner)
	}
	return "account " + ledger.AccountID(of).String()
}

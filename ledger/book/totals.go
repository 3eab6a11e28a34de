package book

import (
	"context"
	"fmt"

	"timebank/ledger"
)

// TotalsBy says by what claims are added up.
type TotalsBy string

// What claims are added up by.
const (
	ByOrganization TotalsBy = "organization"
	ByGroup        TotalsBy = "group"
	ByPlace        TotalsBy = "place"
	ByMonth        TotalsBy = "month"
)

// TotalsFilter chooses claims by the day of service, as known at a size of the log.
type TotalsFilter struct {
	By       TotalsBy
	Unit     ledger.Unit // what the claims recorded: service, or what they earned: care, youth
	From, To *ledger.Date
	LogSize  *int64
}

// Total is a row: what those claims come to that have the key and were not taken back.
type Total struct {
	Key     string         `db:"key"`
	Name    string         `db:"name"` // of an organization
	Claims  int64          `db:"claims"`
	Minutes ledger.Minutes `db:"minutes"`
	ledger.Place
}

// TotalsMax bounds the rows of an answer.
const TotalsMax = 5000

// standingClaims are the claims of a range of days that were not taken back, as known at a size of the log: $1 the size, $2
// and $3 the days or NULL.
const standingClaims = `
	SELECT c.*, e.by_client, e.details FROM claim c JOIN entry e ON e.seq = c.seq
	WHERE c.seq < $1 AND ($2::int IS NULL OR c.served_on >= date '1970-01-01' + $2::int)
	  AND ($3::int IS NULL OR c.served_on <= date '1970-01-01' + $3::int)
	  AND NOT EXISTS (SELECT 1 FROM entry x WHERE x.refers = c.seq AND x.kind = 'correction' AND x.seq < $1)`

// totalKeys say what a claim is added to. A claim is of one group only: the first whose condition holds.
var totalKeys = map[TotalsBy]string{
	ByOrganization: `c.organization::text`,
	ByMonth:        `to_char(c.served_on, 'YYYY-MM')`,
	ByPlace:        `concat_ws('/', o.district, nullif(o.street, ''), nullif(o.community, ''), nullif(o.grid, ''))`,
	ByGroup: `CASE WHEN o.kind = 'professional_team' THEN 'professional_team'
		WHEN (c.details::json -> 'facts' ->> 'age')::int < 25 THEN 'young'
		WHEN (c.details::json -> 'facts' ->> 'age')::int >= 60 THEN 'elderly'
		WHEN 'medical_social_worker' = ANY (v.roles) THEN 'medical_social_worker'
		WHEN 'community_worker' = ANY (v.roles) THEN 'community_worker' ELSE 'other' END`,
}

var totalUnits = map[ledger.Unit]string{ledger.Service: "c.minutes", ledger.Care: "c.care", ledger.Youth: "c.youth"}

// Totals adds up claims. Auditors may.
func (b *Book) Totals(ctx context.Context, by ledger.Actor, f TotalsFilter) (rows []Total, size int64, err error) {
	if err := by.May(ledger.RoleAuditor); err != nil {
		return nil, 0, err
	}
	key, unit := totalKeys[f.By], totalUnits[f.Unit]
	if key == "" || unit == "" {
		return nil, 0, &ledger.Invalid{Code: "parameter_malformed", Pointer: "/by", Detail: "claims are not added up so"}
	}
	if size, err = b.sizeAt(ctx, AsOf{LogSize: f.LogSize}); err != nil {
		return nil, 0, err
	}
	place := `'' AS district, '' AS street, '' AS community, '' AS grid`
	if f.By == ByPlace {
		place = `min(o.district) AS district, min(o.street) AS street, min(o.community) AS community, min(o.grid) AS grid`
	}
	name := `''`
	if f.By == ByOrganization {
		name = `min(o.name)`
	}
	query := `SELECT ` + key + ` AS key, ` + name + ` AS name, ` + place + `, count(*) AS claims, sum(` + unit + `)::bigint AS minutes
		FROM (` + standingClaims + `) c JOIN organization o ON o.id = c.organization JOIN volunteer v ON v.id = c.volunteer
		GROUP BY 1 HAVING sum(` + unit + `) > 0 ORDER BY 1 LIMIT $4`
	if rows, err = selectAll[Total](ctx, b.db, query, size, dayOrNull(f.From), dayOrNull(f.To), TotalsMax); err != nil {
		return nil, 0, fmt.Errorf("adding up claims: %w", err)
	}
	return rows, size, nil
}

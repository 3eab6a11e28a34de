package book

import (
	"context"
	"fmt"

	"github.com/lib/pq"

	"timebank/ledger"
	"timebank/policy"
)

// carryKey names what rounding leaves: whose, and of which unit.
type carryKey struct {
	volunteer string
	unit      ledger.Unit
}

// carryOn adds to what rounding has left for a volunteer, and gives the rows that keep it.
func (w *world) carryOn(volunteer string, rules *policy.Rules, care, youth int64) map[carryKey]policy.Carry {
	var changed map[carryKey]policy.Carry
	for unit, left := range map[ledger.Unit]int64{ledger.Care: care, ledger.Youth: youth} {
		if left == 0 {
			continue
		}
		if changed == nil {
			changed = map[carryKey]policy.Carry{}
		}
		at := carryKey{volunteer, unit}
		changed[at] = w.carried[at].Plus(left, rules.Parts(unit))
	}
	return changed
}

// insertCarries keeps what rounding leaves after an entry.
func insertCarries(w *world) (insert, error) {
	var seqs, rests, parts []int64
	var volunteers, units []string
	for i, e := range w.effects {
		for at, c := range e.carried {
			seqs, volunteers, units = append(seqs, int64(w.records[i].Seq)), append(volunteers, at.volunteer), append(units, string(at.unit))
			rests, parts = append(rests, c.Rest), append(parts, c.Parts)
		}
	}
	if len(seqs) == 0 {
		return insert{}, nil
	}
	const query = `INSERT INTO carry (seq, volunteer, unit, rest, parts)
		SELECT unnest($1::bigint[]), unnest($2::uuid[]), unnest($3::text[]), unnest($4::bigint[]), unnest($5::bigint[])`
	return insert{query, []any{bigints(seqs), uuids(volunteers), texts(units), bigints(rests), bigints(parts)}}, nil
}

// fetchCarried reads what rounding has left for volunteers.
func (w *world) fetchCarried(ctx context.Context, q selecter, n *wants) error {
	if len(n.carried.list) == 0 {
		return nil
	}
	const query = `
		SELECT c.volunteer, c.unit, c.rest, c.parts
		FROM unnest($1::uuid[]) AS n (volunteer) CROSS JOIN (VALUES ('care'), ('youth')) AS u (unit)
		JOIN LATERAL (SELECT volunteer, unit, rest, parts FROM carry
		              WHERE volunteer = n.volunteer AND unit = u.unit ORDER BY seq DESC LIMIT 1) c ON true`
	type carryRow struct {
		Volunteer string      `db:"volunteer"`
		Unit      ledger.Unit `db:"unit"`
		Rest      int64       `db:"rest"`
		Parts     int64       `db:"parts"`
	}
	rows, err := selectAll[carryRow](ctx, q, query, pq.Array(n.carried.list))
	if err != nil {
		return fmt.Errorf("reading what rounding left: %w", err)
	}
	for _, r := range rows {
		w.carried[carryKey{r.Volunteer, r.Unit}] = policy.Carry{Rest: r.Rest, Parts: r.Parts}
	}
	return nil
}

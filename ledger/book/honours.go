package book

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
	"timebank/policy"
)

// Honoured is an honour as people read it.
type Honoured struct {
	Seq       ledger.Seq
	On        ledger.Date
	Volunteer string
	Name      string // of who has it; empty unless the list of honour may tell
	ID, Kind  string
	Giver     string // name of the organization; empty when the operator gave it, in the city's name
	Facts     policy.HonourFacts
	Words     map[policy.Lang]string
}

// HonourFilter chooses honours: of one volunteer, or, without, of those who let the list of honour name
// them.
type HonourFilter struct {
	Volunteer string
	Before    int64 // size of the log
	After     ledger.Seq
	Limit     int
}

// HonourList lists, for everybody, the certificates and commendations of those who consented to be named.
// A certified record is shown by its owner alone.
func (b *Book) HonourList(ctx context.Context, f HonourFilter) ([]Honoured, error) {
	f.Volunteer = ""
	return b.honours(ctx, f)
}

func (b *Book) honours(ctx context.Context, f HonourFilter) ([]Honoured, error) {
	const query = `
		SELECT e.seq, e.effective - date '1970-01-01' AS effective, e.volunteer, coalesce(e.organization::text, '') AS organization, e.rules, e.details,
		       v.sealed, k.wrapped
		FROM entry e JOIN volunteer v ON v.id = e.volunteer JOIN person_key k ON k.volunteer = v.id
		LEFT JOIN LATERAL (SELECT c.details::json ->> 'listed' AS listed FROM entry c
		                   WHERE c.kind = 'honour-consent' AND c.volunteer = e.volunteer AND c.seq < $2 ORDER BY c.seq DESC LIMIT 1) l ON true
		WHERE e.kind = 'honour' AND e.seq < $2 AND e.seq > $3
		  AND CASE WHEN $1 = '' THEN l.listed = 'true' AND e.details::json ->> 'kind' <> 'record' ELSE e.volunteer = nullif($1, '')::uuid END
		ORDER BY e.seq LIMIT $4`
	type honourRow struct {
		Seq          ledger.Seq `db:"seq"`
		Effective    int32      `db:"effective"`
		Volunteer    string     `db:"volunteer"`
		Organization string     `db:"organization"`
		Rules        []byte     `db:"rules"`
		Details      string     `db:"details"`
		Sealed       []byte     `db:"sealed"`
		Wrapped      []byte     `db:"wrapped"`
	}
	rows, err := selectAll[honourRow](ctx, b.db, query, f.Volunteer, f.Before, f.After, min(f.Limit, PageMax))
	if err != nil {
		return nil, fmt.Errorf("reading honours: %w", err)
	}
	givers, err := b.organizationNames(ctx, func(yield func(string) bool) {
		for _, r := range rows {
			if r.Organization != "" && !yield(r.Organization) {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	all := make([]Honoured, len(rows))
	for i, r := range rows {
		var d honourDetails
		if err := json.Unmarshal([]byte(r.Details), &d); err != nil {
			return nil, fmt.Errorf("reading honour %d: %w", r.Seq, err)
		}
		rules, err := rulesByHash(b.rules(), ledger.Hash(r.Rules))
		if err != nil {
			return nil, err
		}
		h, _ := rules.HonourOf(d.Honour)
		all[i] = Honoured{Seq: r.Seq, On: ledger.Date(r.Effective), Volunteer: r.Volunteer, ID: d.Honour, Kind: d.Kind, Giver: givers[r.Organization], Facts: d.Facts, Words: h.Text}
		if f.Volunteer == "" {
			v, err := volunteerRow{ID: r.Volunteer, Sealed: r.Sealed, Wrapped: r.Wrapped}.volunteer(b.keys.Person)
			if err != nil {
				return nil, err
			}
			all[i].Name = v.Name
		}
	}
	return all, nil
}

// Clarified is a clarification as it stands in a record.
type Clarified struct {
	Seq     ledger.Seq
	On      ledger.Date
	About   *ledger.Seq
	By      string // name of the organization
	Finding string
}

func (b *Book) clarifications(ctx context.Context, volunteer string, before int64) ([]Clarified, error) {
	const query = `
		SELECT e.seq, e.effective - date '1970-01-01' AS effective, e.refers, o.name, e.details::json ->> 'finding' AS finding
		FROM entry e JOIN organization o ON o.id = e.organization
		WHERE e.kind = 'clarification' AND e.volunteer = $1 AND e.seq < $2 ORDER BY e.seq LIMIT $3`
	type clarifiedRow struct {
		Seq       ledger.Seq    `db:"seq"`
		Effective int32         `db:"effective"`
		Refers    sql.NullInt64 `db:"refers"`
		Name      string        `db:"name"`
		Finding   string        `db:"finding"`
	}
	rows, err := selectAll[clarifiedRow](ctx, b.db, query, volunteer, before, PageMax)
	if err != nil {
		return nil, fmt.Errorf("reading clarifications: %w", err)
	}
	all := make([]Clarified, len(rows))
	for i, r := range rows {
		all[i] = Clarified{r.Seq, ledger.Date(r.Effective), seqOf(r.Refers), r.Name, r.Finding}
	}
	return all, nil
}

// ListHonours records whether the list of honour may name a volunteer. The last word stands. The actor is
// the volunteer or the guardian.
func (b *Book) ListHonours(ctx context.Context, by ledger.Actor, key Key, volunteer string, listed bool) (Receipt, error) {
	if err := by.May(ledger.RoleVolunteer); err != nil {
		return Receipt{}, err
	}
	if err := checkID("/volunteer_id", volunteer); err != nil {
		return Receipt{}, err
	}
	return b.do(ctx, by, key, &listHonours{by.Subject, volunteer, listed})
}

type listHonours struct {
	by, volunteer string
	listed        bool
}

type honourListDetails struct {
	Volunteer string `json:"volunteer"`
	Listed    bool   `json:"listed"`
}

func (c *listHonours) want(_ *world, n *wants) { n.volunteers.add(c.volunteer) }

func (c *listHonours) decide(w *world) (decision, error) {
	v := w.volunteers[c.volunteer]
	if v == nil || c.by != c.volunteer && c.by != v.guardian {
		return decision{}, ledger.ErrNotFound
	}
	text, err := encode(honourListDetails{c.volunteer, c.listed})
	return decision{effects: []effect{{
		draft:     ledger.Draft{Kind: ledger.KindHonourList, Effective: w.today, Details: text},
		volunteer: c.volunteer,
	}}}, err
}

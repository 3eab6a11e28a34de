package book

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/lib/pq"

	"timebank/ledger"
)

// RegisterVolunteer registers who helps. The actor is the operator or an organization. The log binds the
// sealed name and birth date by a hash and tells neither.
func (b *Book) RegisterVolunteer(ctx context.Context, by ledger.Actor, key Key, v Volunteer) (Receipt, error) {
	if err := by.May(ledger.RoleOperator, ledger.RoleOrganization); err != nil {
		return Receipt{}, err
	}
	if err := checkNames(v.Name, v.ExternalID); err != nil {
		return Receipt{}, err
	}
	if v.Guardian != "" {
		if err := checkID("/guardian_id", v.Guardian); err != nil {
			return Receipt{}, err
		}
	}
	seen := map[ledger.VolunteerRole]bool{}
	for i, r := range v.Roles {
		if !slices.Contains(ledger.VolunteerRoles, r) || seen[r] {
			return Receipt{}, &ledger.Invalid{Code: "role_unknown", Pointer: fmt.Sprintf("/roles/%d", i),
				Detail: fmt.Sprintf("a role is one of %v, each at most once", ledger.VolunteerRoles)}
		}
		seen[r] = true
	}
	if v.Born < ledger.DateMin || v.Born > ledger.DateMax {
		return Receipt{}, &ledger.Invalid{Code: "date_out_of_range", Pointer: "/born", Detail: "the birth date is out of range"}
	}
	return b.do(ctx, by, key, &registerVolunteer{v: v, master: b.keys.Person})
}

type registerVolunteer struct {
	v      Volunteer
	master [32]byte
}

func (c *registerVolunteer) want(_ *world, n *wants) {
	n.taken.add(externalID{string(ledger.KindVolunteer), c.v.ExternalID})
	if c.v.Guardian != "" {
		n.volunteers.add(c.v.Guardian)
	}
}

// volunteerDetails tells of a person no more than that there is one: Sealed is the hash of what is kept
// of name and birth date.
type volunteerDetails struct {
	ID         string                 `json:"id"`
	ExternalID string                 `json:"external_id,omitempty"`
	Guardian   string                 `json:"guardian,omitempty"`
	Roles      []ledger.VolunteerRole `json:"roles"`
	Sealed     string                 `json:"sealed"`
}

func (c *registerVolunteer) decide(w *world) (decision, error) {
	if err := w.checkUntaken(ledger.KindVolunteer, c.v.ExternalID); err != nil {
		return decision{}, err
	}
	if c.v.Guardian != "" && w.volunteers[c.v.Guardian] == nil {
		return decision{}, &ledger.Invalid{Code: "volunteer_unknown", Pointer: "/guardian_id", Detail: "the guardian is not registered"}
	}
	if c.v.Born > w.today {
		return decision{}, &ledger.Invalid{Code: "date_in_future", Pointer: "/born", Detail: "the birth date has not come yet"}
	}
	id, accounts, err := newParty(ledger.OwnerVolunteer)
	if err != nil {
		return decision{}, err
	}
	sealed, wrapped, err := sealPerson(c.master, id, person{c.v.Name, c.v.Born.String()})
	if err != nil {
		return decision{}, err
	}
	roles := append([]ledger.VolunteerRole{}, c.v.Roles...)
	details, err := encode(volunteerDetails{id, c.v.ExternalID, c.v.Guardian, roles, ledger.Hash(sha256.Sum256(sealed)).String()})
	if err != nil {
		return decision{}, err
	}
	const insert = `
		INSERT INTO volunteer (id, seq, external_id, guardian, roles, sealed)
		VALUES ($1, $2, nullif($3, ''), nullif($4, '')::uuid, $5, $6)`
	const insertKey = `INSERT INTO person_key (volunteer, wrapped) VALUES ($1, $2)`
	return decision{id: id, effects: []effect{{
		draft:     ledger.Draft{Kind: ledger.KindVolunteer, Effective: w.today, Details: details},
		volunteer: id, opens: accounts,
		rows: func(seq ledger.Seq) []row {
			return []row{{insert, []any{id, seq, c.v.ExternalID, c.v.Guardian, pq.Array(roles), sealed}},
				{insertKey, []any{id, wrapped}}}
		},
		learned: func(w *world, _ ledger.Seq) {
			w.takeName(ledger.KindVolunteer, c.v.ExternalID)
			w.volunteers[id] = &volunteerFacts{born: c.v.Born, guardian: c.v.Guardian, roles: roles}
		},
	}}}, nil
}

type volunteerRow struct {
	ID         string         `db:"id"`
	Seq        ledger.Seq     `db:"seq"`
	ExternalID string         `db:"external_id"`
	Guardian   string         `db:"guardian"`
	Roles      pq.StringArray `db:"roles"`
	Sealed     []byte         `db:"sealed"`
	Wrapped    []byte         `db:"wrapped"`
	Recorded   time.Time      `db:"recorded"`
}

func (r volunteerRow) volunteer(master [32]byte) (Volunteer, error) {
	v := Volunteer{ID: r.ID, Seq: r.Seq, ExternalID: r.ExternalID, Guardian: r.Guardian, RegisteredAt: r.Recorded.UTC()}
	for _, role := range r.Roles {
		v.Roles = append(v.Roles, ledger.VolunteerRole(role))
	}
	var err error
	v.Name, v.Born, err = openPerson(master, r.ID, r.Sealed, r.Wrapped)
	return v, err
}

func (w *world) fetchVolunteers(ctx context.Context, q selecter, n *wants, master [32]byte) error {
	ask := missing(n.volunteers.list, w.known.volunteers, func(id string, v *volunteerFacts) { w.volunteers[id] = v })
	if len(ask) == 0 {
		return nil
	}
	const query = `
		SELECT v.id, coalesce(v.guardian::text, '') AS guardian, v.roles, v.sealed, k.wrapped
		FROM volunteer v JOIN person_key k ON k.volunteer = v.id
		WHERE v.id = ANY ($1::uuid[])`
	rows, err := selectAll[volunteerRow](ctx, q, query, uuids(ask))
	if err != nil {
		return fmt.Errorf("reading volunteers: %w", err)
	}
	for _, r := range rows {
		v, err := r.volunteer(master)
		if err != nil {
			return err
		}
		facts := &volunteerFacts{born: v.Born, guardian: v.Guardian, roles: v.Roles}
		w.volunteers[r.ID], w.known.volunteers[r.ID] = facts, facts
	}
	return nil
}

// Volunteer reads one volunteer: the operator, an organization, the volunteer or the guardian may.
func (b *Book) Volunteer(ctx context.Context, by ledger.Actor, id string) (Volunteer, error) {
	if checkID("/id", id) != nil {
		return Volunteer{}, ledger.ErrNotFound
	}
	if err := by.May(ledger.RoleOperator, ledger.RoleOrganization, ledger.RoleVolunteer); err != nil {
		return Volunteer{}, err
	}
	v, err := only(b.volunteers(ctx, by, id, ListFilter{AfterSeq: -1, Limit: 1}))
	if err != nil {
		return v, err
	}
	return v, b.recordRead(ctx, by, "volunteer", v.ID)
}

// Volunteers lists volunteers in the order of registration. An organization must name the external id
// it looks for: it finds whom it knows, and cannot leaf through the city.
func (b *Book) Volunteers(ctx context.Context, by ledger.Actor, f ListFilter) ([]Volunteer, error) {
	if err := by.May(ledger.RoleOperator, ledger.RoleOrganization, ledger.RoleVolunteer); err != nil {
		return nil, err
	}
	if by.Role == ledger.RoleOrganization && f.ExternalID == "" {
		return nil, &ledger.Invalid{Code: "external_id_missing", Pointer: "/external_id", Detail: "name the external_id of the volunteer"}
	}
	found, err := b.volunteers(ctx, by, "", f)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(found))
	for i, v := range found {
		ids[i] = v.ID
	}
	return found, b.recordRead(ctx, by, "volunteers", ids...)
}

func (b *Book) volunteers(ctx context.Context, by ledger.Actor, id string, f ListFilter) ([]Volunteer, error) {
	self := ""
	if by.Role == ledger.RoleVolunteer {
		self = by.Subject
	}
	const query = `
		SELECT v.id, v.seq, coalesce(v.external_id, '') AS external_id, coalesce(v.guardian::text, '') AS guardian, v.roles,
		       v.sealed, k.wrapped, e.recorded
		FROM volunteer v JOIN person_key k ON k.volunteer = v.id JOIN entry e ON e.seq = v.seq
		WHERE ($1 = '' OR v.id = nullif($1, '')::uuid) AND v.seq > $2 AND ($3 = '' OR v.external_id = $3)
		      AND ($4 = '' OR v.id = nullif($4, '')::uuid OR v.guardian = nullif($4, '')::uuid)
		ORDER BY v.seq LIMIT $5`
	rows, err := selectAll[volunteerRow](ctx, b.db, query, id, f.AfterSeq, f.ExternalID, self, f.Limit)
	if err != nil {
		return nil, fmt.Errorf("reading volunteers: %w", err)
	}
	found := make([]Volunteer, len(rows))
	for i, r := range rows {
		if found[i], err = r.volunteer(b.keys.Person); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// VolunteersByExternalID finds the ids of volunteers by their outside ids, for a sheet of claims: the
// ids it does not know are missing from the answer.
func (b *Book) VolunteersByExternalID(ctx context.Context, by ledger.Actor, externalIDs []string) (map[string]string, error) {
	if err := by.May(ledger.RoleOperator, ledger.RoleOrganization); err != nil {
		return nil, err
	}
	type idRow struct {
		ID         string `db:"id"`
		ExternalID string `db:"external_id"`
	}
	rows, err := selectAll[idRow](ctx, b.db, `SELECT id, external_id FROM volunteer WHERE external_id = ANY ($1::text[])`, pq.Array(externalIDs))
	if err != nil {
		return nil, fmt.Errorf("reading volunteers by external id: %w", err)
	}
	found := make(map[string]string, len(rows))
	for _, r := range rows {
		found[r.ExternalID] = r.ID
	}
	return found, nil
}

package book

import (
	"context"
	"fmt"

	"github.com/lib/pq"

	"timebank/ledger"
)

// Relation says that Relative is Volunteer's spouse, parent, child, grandparent or grandchild, as two
// persons of an organization checked on a document.
type Relation struct {
	Volunteer, Relative string
	Kind                ledger.RelationKind
	Document            string // where the document is filed
	Recorder, Approver  string
}

// RegisterRelation records a relation of two registered volunteers. The actor is an organization.
func (b *Book) RegisterRelation(ctx context.Context, by ledger.Actor, key Key, r Relation) (Receipt, error) {
	if err := by.May(ledger.RoleOrganization); err != nil {
		return Receipt{}, err
	}
	if err := checkID("/volunteer_id", r.Volunteer); err != nil {
		return Receipt{}, err
	}
	if err := checkID("/relative_id", r.Relative); err != nil {
		return Receipt{}, err
	}
	if _, ok := r.Kind.Inverse(); !ok {
		return Receipt{}, &ledger.Invalid{Code: "relation_unknown", Pointer: "/relation", Detail: "a relation is spouse, parent, child, grandparent or grandchild"}
	}
	if r.Volunteer == r.Relative {
		return Receipt{}, &ledger.Invalid{Code: "relation_of_one", Pointer: "/relative_id", Detail: "nobody is their own relative"}
	}
	if err := checkByTwo(r.Document, r.Recorder, r.Approver); err != nil {
		return Receipt{}, err
	}
	return b.do(ctx, by, key, &registerRelation{by.Subject, r})
}

// EndRelation records that a relation ended, for example by divorce. The actor is the organization that
// registered it.
func (b *Book) EndRelation(ctx context.Context, by ledger.Actor, key Key, seq ledger.Seq) (Receipt, error) {
	if err := by.May(ledger.RoleOrganization); err != nil {
		return Receipt{}, err
	}
	return b.do(ctx, by, key, &endRelation{by.Subject, seq})
}

// pairKey names two people, whichever is told first.
type pairKey struct{ a, b string }

func pairOf(x, y string) pairKey { return pairKey{min(x, y), max(x, y)} }

// relationFacts is the latest relation of a pair.
type relationFacts struct {
	seq          ledger.Seq
	volunteer    string
	relative     string
	kind         ledger.RelationKind // what the relative is to the volunteer
	organization string
	ended        bool
}

// relationOf gives what somebody is to a volunteer, "" when they are not registered as relatives.
func (w *world) relationOf(volunteer, other string) ledger.RelationKind {
	r := w.relations[pairOf(volunteer, other)]
	switch {
	case r == nil || r.ended:
		return ""
	case r.volunteer == volunteer:
		return r.kind
	}
	inverse, _ := r.kind.Inverse()
	return inverse
}

type registerRelation struct {
	organization string
	r            Relation
}

func (c *registerRelation) want(_ *world, n *wants) {
	n.organizations.add(c.organization)
	n.volunteers.add(c.r.Volunteer)
	n.volunteers.add(c.r.Relative)
	n.pairs.add(pairOf(c.r.Volunteer, c.r.Relative))
}

type relationDetails struct {
	Volunteer    string              `json:"volunteer"`
	Relative     string              `json:"relative"`
	Kind         ledger.RelationKind `json:"kind"`
	Organization string              `json:"organization"`
	Document     string              `json:"document"`
	Recorder     string              `json:"recorder"`
	Approver     string              `json:"approver"`
}

func (c *registerRelation) decide(w *world) (decision, error) {
	if _, ok := w.organizations[c.organization]; !ok {
		return decision{}, ledger.ErrNotFound
	}
	for _, who := range []struct{ pointer, id string }{{"/volunteer_id", c.r.Volunteer}, {"/relative_id", c.r.Relative}} {
		if w.volunteers[who.id] == nil {
			return decision{}, &ledger.Invalid{Code: "volunteer_unknown", Pointer: who.pointer, Detail: "no such volunteer is registered"}
		}
	}
	pair := pairOf(c.r.Volunteer, c.r.Relative)
	before := w.relations[pair]
	if before != nil && !before.ended {
		return decision{}, &ledger.Refusal{Code: "relation_registered", Detail: "the two are registered as relatives already"}
	}
	details, err := encode(relationDetails{c.r.Volunteer, c.r.Relative, c.r.Kind, c.organization, c.r.Document, c.r.Recorder, c.r.Approver})
	if err != nil {
		return decision{}, err
	}
	var after *ledger.Seq
	if before != nil {
		after = &before.seq
	}
	const insert = `
		INSERT INTO relation (seq, volunteer, relative, kind, organization, document, recorder, approver, after)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	return decision{effects: []effect{{
		draft:        ledger.Draft{Kind: ledger.KindRelation, Effective: w.today, Details: details},
		organization: c.organization, volunteer: c.r.Volunteer,
		rows: func(seq ledger.Seq) []row {
			return []row{{insert, []any{seq, c.r.Volunteer, c.r.Relative, string(c.r.Kind), c.organization, c.r.Document, c.r.Recorder, c.r.Approver, after}}}
		},
		learned: func(w *world, seq ledger.Seq) {
			w.relations[pair] = &relationFacts{seq, c.r.Volunteer, c.r.Relative, c.r.Kind, c.organization, false}
		},
	}}}, nil
}

type endRelation struct {
	organization string
	seq          ledger.Seq
}

// want asks for the entry first, and then, when it is known whom it is about, for the pair.
func (c *endRelation) want(_ *world, n *wants) { n.ended.add(c.seq) }

type relationEndDetails struct {
	Relation ledger.Seq `json:"relation"`
}

func (c *endRelation) decide(w *world) (decision, error) {
	var r *relationFacts
	for _, x := range w.relations {
		if x.seq == c.seq {
			r = x
		}
	}
	if r == nil || r.organization != c.organization {
		return decision{}, ledger.ErrNotFound
	}
	if r.ended {
		return decision{}, &ledger.Refusal{Code: "relation_over", Entry: c.seq, Detail: "the relation ended before"}
	}
	details, err := encode(relationEndDetails{c.seq})
	if err != nil {
		return decision{}, err
	}
	const insert = `INSERT INTO relation_end (relation, seq) VALUES ($1, $2)`
	return decision{effects: []effect{{
		draft:        ledger.Draft{Kind: ledger.KindRelationEnd, Effective: w.today, Refers: &c.seq, Details: details},
		organization: c.organization, volunteer: r.volunteer,
		rows:    func(seq ledger.Seq) []row { return []row{{insert, []any{c.seq, seq}}} },
		learned: func(*world, ledger.Seq) { r.ended = true },
	}}}, nil
}

// fetchRelations reads the latest relation of each pair in question, and those named by their entries.
func (w *world) fetchRelations(ctx context.Context, q selecter, n *wants) error {
	if len(n.pairs.list)+len(n.ended.list) == 0 {
		return nil
	}
	as, bs := make([]string, len(n.pairs.list)), make([]string, len(n.pairs.list))
	for i, p := range n.pairs.list {
		as[i], bs[i] = p.a, p.b
	}
	seqs := make([]int64, len(n.ended.list))
	for i, s := range n.ended.list {
		seqs[i] = int64(s)
	}
	const query = `
		SELECT r.seq, r.volunteer, r.relative, r.kind, r.organization, e.seq IS NOT NULL AS ended
		FROM relation r LEFT JOIN relation_end e ON e.relation = r.seq
		WHERE (least(r.volunteer, r.relative), greatest(r.volunteer, r.relative)) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
		   OR r.seq = ANY ($3::bigint[])
		ORDER BY r.seq`
	type relationRow struct {
		Seq          ledger.Seq          `db:"seq"`
		Volunteer    string              `db:"volunteer"`
		Relative     string              `db:"relative"`
		Kind         ledger.RelationKind `db:"kind"`
		Organization string              `db:"organization"`
		Ended        bool                `db:"ended"`
	}
	rows, err := selectAll[relationRow](ctx, q, query, pq.Array(as), pq.Array(bs), pq.Array(seqs))
	if err != nil {
		return fmt.Errorf("reading relations: %w", err)
	}
	for _, r := range rows {
		pair := pairOf(r.Volunteer, r.Relative)
		if known := w.relations[pair]; known == nil || known.seq < r.Seq {
			w.relations[pair] = &relationFacts{r.Seq, r.Volunteer, r.Relative, r.Kind, r.Organization, r.Ended}
		}
	}
	return nil
}

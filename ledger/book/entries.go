package book

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/lib/pq"

	"timebank/ledger"
	"timebank/ledger/translog"
)

// PageMax bounds the rows of one page of any list.
const PageMax = 500

// EntryFilter chooses entries; what is zero does not narrow. Ids must be well formed.
type EntryFilter struct {
	Account                          ledger.AccountID
	Organization, Volunteer, Partner string
	Kind                             ledger.Kind
	EffectiveFrom, EffectiveTo       *ledger.Date // both inclusive
	RecordedFrom, RecordedTo         *time.Time   // from inclusive, to exclusive
	Rules                            *ledger.Hash // decided by this rule set
	MinutesMin, MinutesMax           *int64       // of the largest posting, whichever way it goes
	RefersTo                         *int64       // corrects, settles or answers this entry
	After                            ledger.Seq   // entries after this one; -1 from the start
	LogSize                          int64        // entries below it; 0 is all
	Limit                            int
}

// visible is the predicate by which every reader sees entries: an auditor all, an organization and a
// partner their own, a volunteer those about self or ward. $1 is the role, $2 the subject or ”.
const visible = `
	($1 = 'auditor'
	 OR $1 = 'organization' AND e.organization = nullif($2, '')::uuid
	 OR $1 = 'partner' AND e.partner = nullif($2, '')::uuid
	 OR $1 = 'volunteer' AND (e.volunteer = nullif($2, '')::uuid
	     OR e.volunteer IN (SELECT id FROM volunteer WHERE guardian = nullif($2, '')::uuid)))`

const entryColumns = `
	e.seq, e.kind, e.effective - date '1970-01-01' AS effective, e.recorded, coalesce(e.by_client::text, '') AS by_client, e.rules,
	e.refers, coalesce(e.organization::text, '') AS organization, coalesce(e.volunteer::text, '') AS volunteer,
	coalesce(e.partner::text, '') AS partner, e.salt, e.details, e.leaf,
	(SELECT x.seq FROM entry x WHERE x.refers = e.seq AND x.kind = 'correction') AS corrected_by`

type entryRow struct {
	Seq          ledger.Seq    `db:"seq"`
	Kind         ledger.Kind   `db:"kind"`
	Effective    int32         `db:"effective"`
	Recorded     time.Time     `db:"recorded"`
	By           string        `db:"by_client"`
	Rules        []byte        `db:"rules"`
	Refers       sql.NullInt64 `db:"refers"`
	Organization string        `db:"organization"`
	Volunteer    string        `db:"volunteer"`
	Partner      string        `db:"partner"`
	Salt         []byte        `db:"salt"`
	Details      string        `db:"details"`
	Leaf         string        `db:"leaf"`
	CorrectedBy  sql.NullInt64 `db:"corrected_by"`
}

func (r entryRow) record() Record {
	rec := Record{
		Entry: ledger.Entry{Seq: r.Seq, Recorded: r.Recorded.UTC(), Draft: ledger.Draft{Kind: r.Kind, Effective: ledger.Date(r.Effective),
			By: r.By, Refers: seqOf(r.Refers), Details: []byte(r.Details)}},
		Leaf: []byte(r.Leaf), LeafHash: translog.LeafHash([]byte(r.Leaf)),
		Organization: r.Organization, Volunteer: r.Volunteer, Partner: r.Partner, CorrectedBy: seqOf(r.CorrectedBy),
	}
	copy(rec.Rules[:], r.Rules)
	copy(rec.Salt[:], r.Salt)
	return rec
}

func seqOf(n sql.NullInt64) *ledger.Seq {
	if !n.Valid {
		return nil
	}
	seq := ledger.Seq(n.Int64)
	return &seq
}

// Entry reads one entry. One that the actor may not see is ErrNotFound, like one that is not there.
func (b *Book) Entry(ctx context.Context, by ledger.Actor, seq ledger.Seq) (Record, error) {
	const query = `SELECT ` + entryColumns + ` FROM entry e WHERE e.seq = $3 AND ` + visible
	rows, err := selectAll[entryRow](ctx, b.db, query, string(by.Role), by.Subject, seq)
	if err != nil {
		return Record{}, fmt.Errorf("reading entry %d: %w", seq, err)
	}
	return only(withLines(ctx, b.db, rows))
}

// Entries lists the entries that the actor may see and the filter lets through, in the order of seq.
func (b *Book) Entries(ctx context.Context, by ledger.Actor, f EntryFilter) ([]Record, error) {
	if err := by.May(ledger.RoleAuditor, ledger.RoleOrganization, ledger.RolePartner, ledger.RoleVolunteer); err != nil {
		return nil, err // an operator sees no entries, and is told so
	}
	// Which entries a volunteer or an account has is looked up, and not found by reading all: as an array, since PostgreSQL
	// looks nothing up by a query that stands in an OR. Whose they are is asked all the same.
	const query = `SELECT ` + entryColumns + `
		FROM entry e
		WHERE ` + visible + ` AND ($1 <> 'volunteer' OR e.seq = ANY (ARRAY(SELECT entries_of(v.id)
		      FROM (SELECT nullif($2, '')::uuid AS id UNION ALL SELECT id FROM volunteer WHERE guardian = nullif($2, '')::uuid) v)))
		  AND ($7 = '' OR e.seq = ANY (ARRAY(SELECT entries_of(nullif($7, '')::uuid))))
		  AND e.seq > $3 AND ($4::bigint = 0 OR e.seq < $4)
		  AND ($5::bigint = 0 OR e.seq = ANY (ARRAY(SELECT seq FROM postings_of($5, $3 + 1, coalesce(nullif($4, 0), 9223372036854775807)))))
		  AND ($6 = '' OR e.organization = nullif($6, '')::uuid) AND ($7 = '' OR e.volunteer = nullif($7, '')::uuid)
		  AND ($8 = '' OR e.partner = nullif($8, '')::uuid) AND ($9 = '' OR e.kind = $9)
		  AND ($10::int IS NULL OR e.effective >= date '1970-01-01' + $10::int)
		  AND ($11::int IS NULL OR e.effective <= date '1970-01-01' + $11::int)
		  AND ($12::timestamptz IS NULL OR e.recorded >= $12) AND ($13::timestamptz IS NULL OR e.recorded < $13)
		  AND ($15::bytea IS NULL OR e.rules = $15) AND ($16::bigint IS NULL OR e.refers = $16)
		  AND ($17::bigint IS NULL AND $18::bigint IS NULL OR
		       (SELECT max(abs(p.minutes)) FROM posting p WHERE p.seq = e.seq) BETWEEN coalesce($17, 1) AND coalesce($18, 9223372036854775807))
		ORDER BY e.seq LIMIT $14`
	var rules []byte
	if f.Rules != nil {
		rules = f.Rules[:]
	}
	rows, err := selectAll[entryRow](ctx, b.lists, query, string(by.Role), by.Subject, f.After, f.LogSize, int64(f.Account),
		f.Organization, f.Volunteer, f.Partner, string(f.Kind), dayOrNull(f.EffectiveFrom), dayOrNull(f.EffectiveTo),
		f.RecordedFrom, f.RecordedTo, min(f.Limit, PageMax), rules, f.RefersTo, f.MinutesMin, f.MinutesMax)
	if err != nil {
		return nil, fmt.Errorf("reading entries: %w", err)
	}
	if f.LogSize > 0 { // what corrects an entry later was not known then
		for i, r := range rows {
			rows[i].CorrectedBy.Valid = r.CorrectedBy.Valid && r.CorrectedBy.Int64 < f.LogSize
		}
	}
	return withLines(ctx, b.lists, rows)
}

func dayOrNull(d *ledger.Date) sql.NullInt64 {
	if d == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: int64(*d), Valid: true}
}

// withLines adds the postings, with the accounts they touch, to entries.
func withLines(ctx context.Context, q selecter, rows []entryRow) ([]Record, error) {
	records, at := make([]Record, len(rows)), make(map[ledger.Seq]int, len(rows))
	seqs := make([]int64, len(rows))
	for i, r := range rows {
		records[i], at[r.Seq], seqs[i] = r.record(), i, int64(r.Seq)
	}
	const query = `
		SELECT p.seq, p.account, p.unit, p.minutes, p.balance, a.owner_kind, coalesce(a.owner::text, '') AS owner, a.purpose
		FROM posting p JOIN account a ON a.id = p.account
		WHERE p.seq = ANY ($1::bigint[])`
	type lineRow struct {
		Seq       ledger.Seq       `db:"seq"`
		Account   ledger.AccountID `db:"account"`
		Unit      ledger.Unit      `db:"unit"`
		Minutes   ledger.Minutes   `db:"minutes"`
		Balance   ledger.Minutes   `db:"balance"`
		OwnerKind ledger.OwnerKind `db:"owner_kind"`
		Owner     string           `db:"owner"`
		Purpose   ledger.Purpose   `db:"purpose"`
	}
	lines, err := selectAll[lineRow](ctx, q, query, pq.Array(seqs))
	if err != nil {
		return nil, fmt.Errorf("reading postings: %w", err)
	}
	for _, l := range lines {
		r := &records[at[l.Seq]]
		r.Lines = append(r.Lines, Line{Posting: ledger.Posting{Account: l.Account, Unit: l.Unit, Minutes: l.Minutes},
			Owner: ledger.Owner{Kind: l.OwnerKind, ID: l.Owner}, Purpose: l.Purpose, Balance: l.Balance})
	}
	for i := range records {
		sortLines(&records[i])
	}
	return records, nil
}

// sortLines puts the lines into the order in which postings are hashed, and fills the postings.
func sortLines(r *Record) {
	byAccount := make(map[ledger.AccountID]Line, len(r.Lines))
	r.Postings = make([]ledger.Posting, len(r.Lines))
	for i, l := range r.Lines {
		byAccount[l.Account], r.Postings[i] = l, l.Posting
	}
	ledger.SortPostings(r.Postings)
	for i, p := range r.Postings {
		r.Lines[i] = byAccount[p.Account]
	}
}

// replayAll turns the results of keys that were answered before their batch into the receipts that were
// given then, with one query for all.
func (b *Book) replayAll(ctx context.Context, results []turnResult) {
	var seqs []int64
	for _, r := range results {
		if r.replay != nil {
			seqs = append(seqs, int64(*r.replay.seq))
		}
	}
	if len(seqs) == 0 {
		return
	}
	found := make(map[ledger.Seq]Record, len(seqs))
	const query = `SELECT ` + entryColumns + ` FROM entry e WHERE e.seq = ANY ($1::bigint[])`
	rows, err := selectAll[entryRow](ctx, b.db, query, pq.Array(seqs))
	if err == nil {
		var records []Record
		records, err = withLines(ctx, b.db, rows)
		for _, r := range records {
			r.CorrectedBy = nil // as it was then
			found[r.Seq] = r
		}
	}
	for i, r := range results {
		if r.replay == nil {
			continue
		}
		record, ok := found[*r.replay.seq]
		switch {
		case err != nil:
			results[i].err = fmt.Errorf("reading what a key was answered with: %w", err)
		case !ok:
			results[i].err = fmt.Errorf("entry %d, which answers a key, is missing", *r.replay.seq)
		default:
			results[i].receipt = Receipt{Record: record, ID: r.replay.id, Replayed: true}
		}
	}
}

// LogSize gives the number of entries.
func (b *Book) LogSize(ctx context.Context) (n int64, err error) {
	err = b.db.GetContext(ctx, &n, `SELECT coalesce(max(seq), -1) + 1 FROM entry`)
	return n, err
}

// Operation is what became of an idempotency key.
type Operation struct {
	Key        string
	Kind       ledger.Kind // of the entry; empty for a refusal
	Seq        *ledger.Seq
	ID         string
	Refusal    *ledger.Refusal
	RecordedAt time.Time
}

// Operation tells what became of one of the actor's keys, or ErrNotFound.
func (b *Book) Operation(ctx context.Context, by ledger.Actor, key string) (Operation, error) {
	const query = `
		SELECT a.client, a.key, a.request, a.seq, coalesce(a.subject::text, '') AS subject, coalesce(a.refusal, '') AS refusal,
		       a.recorded, coalesce(e.kind, '') AS kind
		FROM answer a LEFT JOIN entry e ON e.seq = a.seq
		WHERE a.client = $1 AND a.key = $2`
	type operationRow struct {
		answerRow
		Recorded time.Time   `db:"recorded"`
		Kind     ledger.Kind `db:"kind"`
	}
	r, err := only(selectAll[operationRow](ctx, b.db, query, clientOf(by), key))
	if err != nil {
		return Operation{}, err
	}
	a, err := r.answer()
	return Operation{Key: key, Kind: r.Kind, Seq: a.seq, ID: a.id, Refusal: a.refusal, RecordedAt: r.Recorded.UTC()}, err
}

package book

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"golang.org/x/mod/sumdb/tlog"

	"timebank/ledger"
)

// readByRange is how the pages are read: in the order of an index, which a planner that has not counted a young table yet
// would not do.
const readByRange = `SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0;
	SET LOCAL plan_cache_mode = force_generic_plan`

// pageRows are the rows of a page, each table's as one value that wire reads.
type pageRows struct{ entries, postings, claims, holds, settlements, choices, gifts, hashes []byte }

const pageTables = 8

// tables gives them in the order of the query's columns.
func (p *pageRows) tables() [pageTables]*[]byte {
	return [...]*[]byte{&p.entries, &p.postings, &p.claims, &p.holds, &p.settlements, &p.choices, &p.gifts, &p.hashes}
}

func (p *pageRows) clear() {
	for _, table := range p.tables() {
		*table = (*table)[:0]
	}
}

// pageReader reads pages on one connection.
type pageReader struct {
	statement *sqlx.Stmt
	bits      uint
}

// partEntries: a page is read in parts of 32 entries, the rows of each of which PostgreSQL puts together in memory that it has at
// hand. For values of megabytes it asks the system for memory each time, and the system took as long as all the rest.
const partEntries = 32

// newPageReader prepares the one query that reads all of a page. Prepared, its values come as bytes, not as text. Of postings and hashes
// there are several to an entry: put together column by column they take half of what record_send takes for them.
func newPageReader(ctx context.Context, tx *sqlx.Tx, bits uint) (*pageReader, error) {
	const query = `
		SELECT (SELECT string_agg(record_send(ROW(seq, kind, effective, recorded, by_client, rules, refers, organization, volunteer, partner,
		                                          salt, details, leaf)), '') FROM entry WHERE seq >= begin AND seq < stop),
		       (SELECT string_agg(int8send(seq) || int8send(account) || int8send(minutes) || int8send(balance) || date_send(effective)
		                          || boolsend(may_owe) || textsend(unit) || '\x00', '') FROM posting WHERE seq >= begin AND seq < stop),
		       (SELECT string_agg(record_send(ROW(seq, volunteer, organization, served_on, minutes, span_from, span_to, fingerprint, reference,
		                                          reposts_shift, reposts_reference, grade, care, youth, pooled)), '') FROM claim WHERE seq >= begin AND seq < stop),
		       (SELECT string_agg(record_send(ROW(seq, id, volunteer, partner, service, minutes, consent, ends_at, care_at)), '') FROM hold WHERE seq >= begin AND seq < stop),
		       (SELECT string_agg(record_send(ROW(seq, hold, held, given)), '') FROM settlement WHERE seq >= begin AND seq < stop),
		       (SELECT string_agg(record_send(ROW(seq, owner, choice, option, chosen_on)), '') FROM choice WHERE seq >= begin AND seq < stop),
		       (SELECT string_agg(record_send(ROW(seq, giver, receiver, minutes, given_on)), '') FROM gift WHERE seq >= begin AND seq < stop),
		       (SELECT string_agg(int8send(id) || int4send(octet_length(hash)) || hash, '') FROM hash WHERE id >= hash_begin AND id < hash_stop)
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS part (begin, stop, hash_begin, hash_stop)`
	statement, err := tx.PreparexContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("preparing to read pages: %w", err)
	}
	return &pageReader{statement, bits}, nil
}

// read adds the rows of a page to p.
func (r *pageReader) read(ctx context.Context, number int64, p *pageRows) error {
	parts := partsOf(number<<r.bits, (number+1)<<r.bits)
	rows, err := r.statement.QueryContext(ctx, pq.Array(parts.from), pq.Array(parts.to), pq.Array(parts.hashFrom), pq.Array(parts.hashTo))
	if err != nil {
		return fmt.Errorf("reading the entries from %d: %w", parts.from[0], err)
	}
	defer rows.Close()
	var values [pageTables]sql.RawBytes
	var into [pageTables]any
	for i := range into {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into[:]...); err != nil {
			return fmt.Errorf("reading the entries from %d: %w", parts.from[0], err)
		}
		for i, table := range p.tables() {
			*table = append(*table, values[i]...)
		}
	}
	return rows.Err()
}

// parts are ranges of entries and of stored hashes, each without its end.
type parts struct{ from, to, hashFrom, hashTo []int64 }

func partsOf(from, to int64) (p parts) {
	for ; from < to; from += partEntries {
		end := min(from+partEntries, to)
		p.from, p.to = append(p.from, from), append(p.to, end)
		p.hashFrom, p.hashTo = append(p.hashFrom, tlog.StoredHashCount(from)), append(p.hashTo, tlog.StoredHashCount(end))
	}
	return p
}

func (w *wire) entry(r *Record) {
	r.Seq, r.Kind, r.Effective, r.Recorded, r.By = w.seq(), kindOf(w.word()), w.date(), w.instant(), w.idOrNull()
	w.fixedOrNull(r.Rules[:])
	r.Refers, r.Organization, r.Volunteer, r.Partner = w.seqOrNull(), w.idOrNull(), w.idOrNull(), w.idOrNull()
	w.fixed(r.Salt[:])
	r.Details, r.Leaf = w.word(), w.word()
}

var kinds = func() map[string]ledger.Kind {
	all := map[string]ledger.Kind{}
	for _, k := range ledger.Kinds {
		all[string(k)] = k
	}
	return all
}()

// kindOf gives a kind that is known without a copy of its word.
func kindOf(word []byte) ledger.Kind {
	if k, ok := kinds[string(word)]; ok {
		return k
	}
	return ledger.Kind(word)
}

func unitOf(word []byte) ledger.Unit {
	for _, u := range ledger.Units {
		if string(u) == string(word) {
			return u
		}
	}
	return ledger.Unit(word)
}

func gradeOf(word []byte) ledger.Grade {
	for _, g := range ledger.Grades {
		if string(g) == string(word) {
			return g
		}
	}
	return ledger.Grade(word)
}

// postingSide is a row of posting.
type postingSide struct {
	seq ledger.Seq
	ledger.Posting
	balance ledger.Minutes
	mayOwe  bool
	on      ledger.Date
}

// postingBytes are the columns of a posting that are always as long; its unit comes after them and ends with a zero, which
// no text has.
const postingBytes = 8 + 8 + 8 + 8 + 4 + 1

func (w *wire) posting(s *postingSide) {
	b := w.take(postingBytes)
	end := bytes.IndexByte(w.rest, 0)
	if b == nil || end < 0 {
		w.err = errWire
		return
	}
	number := binary.BigEndian.Uint64
	s.seq, s.Account, s.Minutes, s.balance = ledger.Seq(number(b)), ledger.AccountID(number(b[8:])), ledger.Minutes(number(b[16:])), ledger.Minutes(number(b[24:]))
	s.on, s.mayOwe, s.Unit = ledger.Date(int32(binary.BigEndian.Uint32(b[32:]))+postgresEpochDay), b[36] != 0, unitOf(w.take(end))
	w.take(1)
}

func (w *wire) hash(s *hashSide) {
	b := w.take(8 + 4)
	if b == nil {
		return
	}
	*s = hashSide{int64(binary.BigEndian.Uint64(b)), w.take(int(int32(binary.BigEndian.Uint32(b[8:]))))}
}

func (w *wire) claim(s *claimSide) {
	*s = claimSide{w.seq(), w.id(), w.id(), w.date(), w.minutes(), w.numberOrNull(), w.numberOrNull(), w.bytes(), w.textOrNull(),
		w.numberOrNull(), w.numberOrNull(), gradeOf(w.word()), w.minutes(), w.minutes(), w.minutes()}
}

func (w *wire) hold(s *holdSide) {
	*s = holdSide{w.seq(), w.id(), w.id(), w.id(), w.text(), w.minutes(), w.seq(), instant(w.instant()), w.numberOrNull()}
}

func (w *wire) settlement(s *settlementSide) {
	*s = settlementSide{w.seq(), w.seq(), w.minutes(), w.minutes()}
}

func (w *wire) choice(s *choiceSide) {
	*s = choiceSide{w.seq(), w.id(), w.text(), w.text(), w.date()}
}

func (w *wire) gift(s *giftSide) {
	*s = giftSide{w.seq(), w.id(), w.idOrNull(), w.minutes(), w.date()}
}

func (w *wire) carry(s *carrySide) {
	*s = carrySide{w.seq(), w.id(), unitOf(w.word()), w.number(int8Type), w.number(int8Type)}
}

// account reads an account; texts are those of the chart, and one for each owner.
func (w *wire) account(owners map[uuid.UUID]string) (a ledger.Account) {
	a.ID = ledger.AccountID(w.number(int8Type))
	kind, owner, purpose := w.word(), w.orNull(uuidType), w.word()
	a.Owner.Kind, a.Purpose, a.Unit, a.MayOwe = ledger.OwnerKind(kind), ledger.Purpose(purpose), unitOf(w.word()), w.yes()
	for _, l := range ledger.Chart {
		if string(l.Owner) == string(kind) && string(l.Purpose) == string(purpose) {
			a.Owner.Kind, a.Purpose = l.Owner, l.Purpose
		}
	}
	if len(owner) != len(uuid.UUID{}) {
		w.odd = w.odd || owner != nil
		return a
	}
	id, ok := owners[uuid.UUID(owner)]
	if !ok {
		id = uuid.UUID(owner).String()
		owners[uuid.UUID(owner)] = id
	}
	a.Owner.ID = id
	return a
}

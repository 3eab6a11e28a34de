package book

import (
	"context"
	"fmt"
	"maps"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
	"timebank/ledger/translog"
)

// inserts is what records a batch: one statement, or three where it has rows of the rarer tables. Those need the
// batch's entries, and holds may need those.
type inserts struct {
	first []insert
	rows  []row
	after []insert
}

// inserts gives what records what was decided in this world.
func (w *world) inserts() (all inserts, err error) {
	if len(w.records) == 0 {
		return inserts{}, nil
	}
	for i, e := range w.effects {
		if e.rows != nil {
			all.rows = append(all.rows, e.rows(w.records[i].Seq)...)
		}
	}
	for _, table := range []func(*world) (insert, error){insertAccounts, insertEntries, insertPostings, insertHashes, insertClaims, insertCarries, insertAnswers} {
		if all.first, err = appendInsert(all.first, w, table); err != nil {
			return inserts{}, err
		}
	}
	last := &all.first
	if len(all.rows) > 0 {
		last = &all.after
	}
	for _, table := range []func(*world) (insert, error){insertHolds, insertSettlements} {
		if *last, err = appendInsert(*last, w, table); err != nil {
			return inserts{}, err
		}
	}
	return all, nil
}

func appendInsert(all []insert, w *world, table func(*world) (insert, error)) ([]insert, error) {
	i, err := table(w)
	if err == nil {
		err = i.encode()
	}
	return append(all, i), err
}

// run runs them. Rows of the rarer tables go one by one: a batch of claims has none.
func (i inserts) run(ctx context.Context, tx *writeTx) error {
	if err := tx.insert(ctx, i.first); err != nil {
		return err
	}
	for _, r := range i.rows {
		if _, err := tx.ExecContext(ctx, r.query, r.args...); err != nil {
			return err
		}
	}
	return tx.insert(ctx, i.after)
}

// afterTurn gives the statement that takes the writers' turn and records a batch of the first kind, if the book then ends where its
// world begins. It gives a row if so. Each insert has that as a condition of its own, which PostgreSQL asks before it makes
// any row of it. A book without entries has no salt, so nothing is its first entry this way.
func (i inserts) afterTurn(s *statements, w *world) (query string, args []any) {
	const (
		turn   = `SELECT next FROM take_turn() WHERE next = $1 AND salt = $2 AND rule_sets = $3`
		taken  = ` WHERE (SELECT true FROM t0)`
		result = `SELECT next FROM t0`
	)
	queries, args := []string{turn}, []any{int64(w.first), w.salt[:], int64(len(w.ruleSets))}
	for _, i := range i.first {
		if i.query != "" {
			queries, args = append(queries, i.query+taken), append(args, i.args...)
		}
	}
	return s.join(append(queries, result)), args
}

func insertAccounts(w *world) (insert, error) {
	var ids []int64
	var kinds, owners, purposes, units []string
	var mayOwe []bool
	for _, e := range w.effects {
		for _, a := range e.opens {
			ids = append(ids, int64(a.ID))
			kinds, owners = append(kinds, string(a.Owner.Kind)), append(owners, a.Owner.ID)
			purposes, units = append(purposes, string(a.Purpose)), append(units, string(a.Unit))
			mayOwe = append(mayOwe, a.MayOwe)
		}
	}
	if len(ids) == 0 {
		return insert{}, nil
	}
	const query = `
		INSERT INTO account (id, owner_kind, owner, purpose, unit, may_owe)
		SELECT * FROM unnest($1::bigint[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::boolean[])`
	return insert{query, []any{bigints(ids), texts(kinds), uuids(owners), texts(purposes),
		texts(units), bools(mayOwe)}}, nil
}

func insertEntries(w *world) (insert, error) {
	n := len(w.records)
	seqs, effectives, refers := make([]int64, n), make([]int64, n), make([]int64, n)
	kinds, bys, details, leaves := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	organizations, volunteers, partners := make([]string, n), make([]string, n), make([]string, n)
	rules, salts := make([][]byte, n), make([][]byte, n)
	for i, r := range w.records {
		seqs[i], kinds[i], effectives[i], refers[i] = int64(r.Seq), string(r.Kind), int64(r.Effective), -1
		if r.Refers != nil {
			refers[i] = int64(*r.Refers)
		}
		if !r.Rules.IsZero() {
			rules[i] = r.Rules[:]
		}
		bys[i], salts[i], details[i], leaves[i] = r.By, r.Salt[:], string(r.Details), string(r.Leaf)
		organizations[i], volunteers[i], partners[i] = r.Organization, r.Volunteer, r.Partner
	}
	const query = `
		INSERT INTO entry (seq, kind, effective, recorded, by_client, rules, refers, organization, volunteer, partner, salt, details, leaf)
		SELECT seq, kind, date '1970-01-01' + effective, $13, by_client, rules, nullif(refers, -1),
		       organization, volunteer, partner, salt, details, leaf
		FROM (SELECT unnest($1::bigint[]) AS seq, unnest($2::text[]) AS kind, unnest($3::int[]) AS effective,
		             unnest($4::uuid[]) AS by_client, unnest($5::bytea[]) AS rules, unnest($6::bigint[]) AS refers,
		             unnest($7::uuid[]) AS organization, unnest($8::uuid[]) AS volunteer, unnest($9::uuid[]) AS partner,
		             unnest($10::bytea[]) AS salt, unnest($11::text[]) AS details, unnest($12::text[]) AS leaf) AS e`
	return insert{query, []any{bigints(seqs), texts(kinds), ints(effectives), uuids(bys),
		byteas(rules), bigints(refers), uuids(organizations), uuids(volunteers), uuids(partners),
		byteas(salts), texts(details), texts(leaves), w.now}}, nil
}

func insertPostings(w *world) (insert, error) {
	var seqs, accounts, minutes, balances, effectives []int64
	var units []string
	var mayOwe []bool
	for _, r := range w.records {
		for _, l := range r.Lines {
			seqs, accounts = append(seqs, int64(r.Seq)), append(accounts, int64(l.Account))
			units, minutes = append(units, string(l.Unit)), append(minutes, int64(l.Minutes))
			balances, effectives = append(balances, int64(l.Balance)), append(effectives, int64(r.Effective))
			mayOwe = append(mayOwe, w.accountByID[l.Account].MayOwe)
		}
	}
	if len(seqs) == 0 {
		return insert{}, nil
	}
	const query = `
		INSERT INTO posting (seq, account, unit, minutes, balance, may_owe, effective)
		SELECT seq, account, unit, minutes, balance, may_owe, date '1970-01-01' + effective
		FROM (SELECT unnest($1::bigint[]) AS seq, unnest($2::bigint[]) AS account, unnest($3::text[]) AS unit,
		             unnest($4::bigint[]) AS minutes, unnest($5::bigint[]) AS balance, unnest($6::boolean[]) AS may_owe,
		             unnest($7::int[]) AS effective) AS p`
	return insert{query, []any{bigints(seqs), bigints(accounts), texts(units), bigints(minutes),
		bigints(balances), bools(mayOwe), ints(effectives)}}, nil
}

// insertHashes joins the leaves to the log.
func insertHashes(w *world) (insert, error) {
	leaves := make([]ledger.Hash, len(w.records))
	for i, record := range w.records {
		leaves[i] = record.LeafHash
	}
	first := w.records[0].Seq
	stored, err := translog.Append(int64(first), leaves, w.frontier)
	if err != nil {
		return insert{}, fmt.Errorf("hashing leaves: %w", err)
	}
	w.frontier = frontierAfter(w.next, stored, w.frontier)
	ids, hashes := make([]int64, len(stored)), make([][]byte, len(stored))
	for i, s := range stored {
		ids[i], hashes[i] = s.Index, s.Hash[:]
	}
	const query = `INSERT INTO hash (id, hash) SELECT unnest($1::bigint[]), unnest($2::bytea[])`
	return insert{query, []any{bigints(ids), byteas(hashes)}}, nil
}

// frontierAfter gives the right edge of a log of so many leaves, from the hashes stored last and the edge before.
func frontierAfter(next ledger.Seq, stored []translog.StoredHash, before map[int64]ledger.Hash) map[int64]ledger.Hash {
	all := maps.Clone(before)
	for _, s := range stored {
		all[s.Index] = s.Hash
	}
	edge := make(map[int64]ledger.Hash)
	for _, index := range translog.Frontier(int64(next)) {
		edge[index] = all[index]
	}
	return edge
}

func insertAnswers(w *world) (insert, error) {
	if len(w.newAnswers) == 0 {
		return insert{}, nil
	}
	n := len(w.newAnswers)
	clients, keys, subjects, refusals := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	requests, seqs := make([][]byte, n), make([]int64, n)
	for i, a := range w.newAnswers {
		clients[i], keys[i], requests[i], seqs[i], subjects[i] = a.client, a.key, a.request[:], int64(*a.seq), a.id
		if a.refusal == nil {
			continue
		}
		text, err := json.Marshal(a.refusal, json.Deterministic(true))
		if err != nil {
			return insert{}, fmt.Errorf("writing a refusal: %w", err)
		}
		refusals[i] = string(text)
	}
	const query = `
		INSERT INTO answer (client, key, request, recorded, seq, subject, refusal)
		SELECT client, key, request, $7, seq, subject, nullif(refusal, '')
		FROM (SELECT unnest($1::uuid[]) AS client, unnest($2::text[]) AS key, unnest($3::bytea[]) AS request, unnest($4::bigint[]) AS seq,
		             unnest($5::uuid[]) AS subject, unnest($6::text[]) AS refusal) AS a`
	return insert{query, []any{uuids(clients), texts(keys), byteas(requests), bigints(seqs),
		uuids(subjects), texts(refusals), w.now}}, nil
}

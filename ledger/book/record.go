package book

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
)

// part is what some commands of a batch came to, to be written at once. Nothing in it changes any more.
type part struct {
	now     time.Time
	records []*Record
	effects []effect // one a record
	answers []answer
}

// write writes a part: a statement a table, whatever the number of commands.
func (p part) write(ctx context.Context, tx *writeTx) error {
	for _, step := range []func(context.Context, *writeTx, part) error{
		recordAccounts, recordEntries, recordPostings, recordClaims, recordHolds, recordSettlements, recordRows, recordAnswers,
	} {
		if err := step(ctx, tx, p); err != nil {
			return err
		}
	}
	return nil
}

func recordAccounts(ctx context.Context, tx *writeTx, p part) error {
	var ids []int64
	var kinds, owners, purposes, units []string
	var mayOwe []bool
	for _, e := range p.effects {
		for _, a := range e.opens {
			ids = append(ids, int64(a.ID))
			kinds, owners = append(kinds, string(a.Owner.Kind)), append(owners, a.Owner.ID)
			purposes, units = append(purposes, string(a.Purpose)), append(units, string(a.Unit))
			mayOwe = append(mayOwe, a.MayOwe)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	const insert = `
		INSERT INTO account (id, owner_kind, owner, purpose, unit, may_owe)
		SELECT * FROM unnest($1::bigint[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::boolean[])`
	if _, err := tx.ExecContext(ctx, insert, bigints(ids), texts(kinds), uuids(owners), texts(purposes),
		texts(units), bools(mayOwe)); err != nil {
		return fmt.Errorf("opening accounts: %w", err)
	}
	return nil
}

func recordEntries(ctx context.Context, tx *writeTx, p part) error {
	if len(p.records) == 0 {
		return nil
	}
	n := len(p.records)
	seqs, effectives, refers := make([]int64, n), make([]int64, n), make([]int64, n)
	kinds, bys, details, leaves := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	organizations, volunteers, partners := make([]string, n), make([]string, n), make([]string, n)
	rules, salts := make([][]byte, n), make([][]byte, n)
	for i, r := range p.records {
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
	const insert = `
		INSERT INTO entry (seq, kind, effective, recorded, by_client, rules, refers, organization, volunteer, partner, salt, details, leaf)
		SELECT seq, kind, date '1970-01-01' + effective, $13, by_client, rules, nullif(refers, -1),
		       organization, volunteer, partner, salt, details, leaf
		FROM unnest($1::bigint[], $2::text[], $3::int[], $4::uuid[], $5::bytea[], $6::bigint[], $7::uuid[], $8::uuid[], $9::uuid[],
		            $10::bytea[], $11::text[], $12::text[])
		     AS e (seq, kind, effective, by_client, rules, refers, organization, volunteer, partner, salt, details, leaf)
		ORDER BY seq`
	if _, err := tx.ExecContext(ctx, insert, bigints(seqs), texts(kinds), ints(effectives), uuids(bys),
		byteas(rules), bigints(refers), uuids(organizations), uuids(volunteers), uuids(partners),
		byteas(salts), texts(details), texts(leaves), p.now); err != nil {
		return fmt.Errorf("recording entries: %w", err)
	}
	return nil
}

func recordPostings(ctx context.Context, tx *writeTx, p part) error {
	var seqs, accounts, minutes, balances, effectives []int64
	var units []string
	var mayOwe []bool
	for _, r := range p.records {
		for _, l := range r.Lines {
			seqs, accounts = append(seqs, int64(r.Seq)), append(accounts, int64(l.Account))
			units, minutes = append(units, string(l.Unit)), append(minutes, int64(l.Minutes))
			balances, effectives = append(balances, int64(l.Balance)), append(effectives, int64(r.Effective))
			mayOwe = append(mayOwe, ledger.MayOwe(l.Owner.Kind, l.Purpose))
		}
	}
	if len(seqs) == 0 {
		return nil
	}
	const insert = `
		INSERT INTO posting (seq, account, unit, minutes, balance, may_owe, effective)
		SELECT seq, account, unit, minutes, balance, may_owe, date '1970-01-01' + effective
		FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::boolean[], $7::int[])
		     AS p (seq, account, unit, minutes, balance, may_owe, effective)`
	if _, err := tx.ExecContext(ctx, insert, bigints(seqs), bigints(accounts), texts(units), bigints(minutes),
		bigints(balances), bools(mayOwe), ints(effectives)); err != nil {
		return fmt.Errorf("recording postings: %w", err)
	}
	return nil
}

// recordRows writes the rows of the rarer tables, one by one: a batch of claims has none.
func recordRows(ctx context.Context, tx *writeTx, p part) error {
	for i, e := range p.effects {
		for _, r := range e.written {
			if _, err := tx.ExecContext(ctx, r.query, r.args...); err != nil {
				return fmt.Errorf("recording %s %d: %w", p.records[i].Kind, p.records[i].Seq, err)
			}
		}
	}
	return nil
}

func recordAnswers(ctx context.Context, tx *writeTx, p part) error {
	if len(p.answers) == 0 {
		return nil
	}
	n := len(p.answers)
	clients, keys, subjects, refusals := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	requests, seqs := make([][]byte, n), make([]int64, n)
	for i, a := range p.answers {
		clients[i], keys[i], requests[i], seqs[i], subjects[i] = a.client, a.key, a.request[:], int64(*a.seq), a.id
		if a.refusal == nil {
			continue
		}
		text, err := json.Marshal(a.refusal, json.Deterministic(true))
		if err != nil {
			return fmt.Errorf("writing a refusal: %w", err)
		}
		refusals[i] = string(text)
	}
	const insert = `
		INSERT INTO answer (client, key, request, recorded, seq, subject, refusal)
		SELECT client, key, request, $7, seq, subject, nullif(refusal, '')
		FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::bigint[], $5::uuid[], $6::text[])
		     AS a (client, key, request, seq, subject, refusal)`
	if _, err := tx.ExecContext(ctx, insert, uuids(clients), texts(keys), byteas(requests), bigints(seqs),
		uuids(subjects), texts(refusals), p.now); err != nil {
		return fmt.Errorf("recording answers: %w", err)
	}
	return nil
}

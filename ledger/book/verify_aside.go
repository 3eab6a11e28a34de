package book

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"timebank/ledger"
)

// aside checks, on a connection of its own and beside the walk, what needs no order of the entries: the registry, and what
// was signed.
type aside struct {
	book        *Book
	tx          *sqlx.Tx
	rows        map[string]int64 // how many each table has
	registry    findings
	log         findings
	checkpoints int64
	root        ledger.Hash
}

func (a *aside) check(ctx context.Context, outside []byte, size ledger.Seq) error {
	if err := a.countRows(ctx); err != nil {
		return err
	}
	if err := a.checkRegistry(ctx); err != nil {
		return err
	}
	if err := a.checkRulesLife(ctx); err != nil {
		return err
	}
	return a.checkCheckpoints(ctx, outside, size)
}

// countRows counts the rows of every table beside the entries of which each row belongs to one, and the checkpoints.
func (a *aside) countRows(ctx context.Context) error {
	const query = `
		SELECT 'claim' AS name, count(*) AS rows FROM claim UNION ALL SELECT 'hold', count(*) FROM hold
		UNION ALL SELECT 'settlement', count(*) FROM settlement UNION ALL SELECT 'posting', count(*) FROM posting
		UNION ALL SELECT 'carry', count(*) FROM carry UNION ALL SELECT 'choice', count(*) FROM choice UNION ALL SELECT 'gift', count(*) FROM gift
		UNION ALL SELECT 'hash', count(*) FROM hash UNION ALL SELECT 'organization', count(*) FROM organization
		UNION ALL SELECT 'volunteer', count(*) FROM volunteer UNION ALL SELECT 'person_key', count(*) FROM person_key
		UNION ALL SELECT 'partner', count(*) FROM partner UNION ALL SELECT 'client', count(*) FROM client
		UNION ALL SELECT 'client_revoked', count(*) FROM client_revoked UNION ALL SELECT 'consent', count(*) FROM consent
		UNION ALL SELECT 'ward_consent', count(*) FROM ward_consent UNION ALL SELECT 'relation', count(*) FROM relation
		UNION ALL SELECT 'relation_end', count(*) FROM relation_end UNION ALL SELECT 'rule_draft', count(*) FROM rule_draft
		UNION ALL SELECT 'rule_approval', count(*) FROM rule_approval UNION ALL SELECT 'rule_set', count(*) FROM rule_set
		UNION ALL SELECT 'checkpoint', count(*) FROM checkpoint`
	type tableRow struct {
		Name string `db:"name"`
		Rows int64  `db:"rows"`
	}
	tables, err := selectAll[tableRow](ctx, a.tx, query)
	if err != nil {
		return fmt.Errorf("counting the rows of tables: %w", err)
	}
	a.rows = map[string]int64{}
	for _, t := range tables {
		a.rows[t.Name] = t.Rows
	}
	return nil
}

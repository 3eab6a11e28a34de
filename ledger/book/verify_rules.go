package book

import (
	"context"
	"fmt"

	"timebank/ledger"
)

// checkRulesLife checks that each rule set but the first came into force by three acts of the log, and
// that the rows beside them name the persons that the entries name.
func (a *aside) checkRulesLife(ctx context.Context) error {
	const odd = `
		SELECT d.seq FROM rule_draft d JOIN entry e ON e.seq = d.seq
		WHERE e.kind <> 'rules-draft' OR e.by_client IS DISTINCT FROM d.by_client
		UNION ALL
		SELECT a.seq FROM rule_approval a LEFT JOIN rule_draft d ON d.hash = a.draft JOIN entry e ON e.seq = a.seq
		WHERE e.kind <> 'rules-approval' OR e.by_client IS DISTINCT FROM a.by_client OR e.refers IS DISTINCT FROM d.seq
		   OR a.drafted_by IS DISTINCT FROM d.by_client OR a.by_client = d.by_client
		UNION ALL
		SELECT s.seq FROM rule_set s LEFT JOIN rule_approval a ON a.seq = s.approval AND a.draft = s.hash JOIN entry e ON e.seq = s.seq
		WHERE e.kind <> 'rules' OR e.refers IS DISTINCT FROM s.approval
		   OR s.approval IS NULL AND s.seq <> (SELECT min(seq) FROM rule_set)
		   OR s.approval IS NOT NULL AND (a.seq IS NULL OR s.approved_by IS DISTINCT FROM a.by_client
		      OR s.activated_by IS DISTINCT FROM e.by_client OR s.activated_by = s.approved_by)
		ORDER BY 1`
	seqs, err := selectAll[ledger.Seq](ctx, a.tx, odd)
	if err != nil {
		return fmt.Errorf("reading how rule sets came into force: %w", err)
	}
	for _, seq := range seqs {
		a.registry.find(seq, "is no step of a rule set's way into force by different persons")
	}
	return nil
}

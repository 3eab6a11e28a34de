package book_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lib/pq"

	"timebank/ledger"
	"timebank/ledger/book/booktest"
	"timebank/ledger/localpg"
	"timebank/policy"
)

// nextRules gives the shipped set as a city's own, in force from a day on.
func nextRules(id, from string) ([]byte, ledger.Hash) {
	source := []byte(strings.NewReplacer("id: shipped-2026", "id: "+id, `"2000-01-01"`, `"`+from+`"`).Replace(string(policy.Shipped())))
	r, err := policy.Parse(source)
	if err != nil {
		panic(err)
	}
	return source, r.Hash()
}

// Three officers take a set into force; at each step, whoever must not is told so.
func TestRulesComeIntoForceByDifferentPersons(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	an, bo, chu := b.Actor(t, ledger.RolePolicyOfficer, ""), b.Actor(t, ledger.RolePolicyOfficer, ""), b.Actor(t, ledger.RolePolicyOfficer, "")
	source, hash := nextRules("qinghe-2100", "2100-01-01")
	ctx := t.Context()
	expect := func(name string, err error, want string) {
		t.Helper()
		if booktest.RefusalCode(err) != want {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	_, err := b.ApproveRules(ctx, bo, b.Key(), hash)
	expect("approving what nobody drafted", err, "error: "+ledger.ErrNotFound.Error())
	_, err = b.DraftRules(ctx, booktest.Operator, b.Key(), source)
	expect("the operator drafts no rules", err, "error: "+ledger.ErrForbidden.Error())
	_, err = b.DraftRules(ctx, an, b.Key(), []byte("id: ["))
	expect("what cannot be read", err, "rules_malformed")
	past, _ := nextRules("qinghe-2020", "2020-01-01")
	_, err = b.DraftRules(ctx, an, b.Key(), past)
	expect("a day that has been", err, "rules_back_dated")
	_, err = b.DraftRules(ctx, an, b.Key(), source)
	expect("drafting", err, "")
	_, err = b.DraftRules(ctx, bo, b.Key(), source)
	expect("the same text again", err, "rules_drafted")
	_, err = b.ApproveRules(ctx, an, b.Key(), hash)
	expect("who drafted does not approve", err, "rules_same_person")
	_, err = b.ActivateRules(ctx, chu, b.Key(), hash)
	expect("nobody has approved", err, "rules_unapproved")
	_, err = b.ApproveRules(ctx, bo, b.Key(), hash)
	expect("approving", err, "")
	_, err = b.ApproveRules(ctx, chu, b.Key(), hash)
	expect("approving again", err, "rules_approved")
	_, err = b.ActivateRules(ctx, bo, b.Key(), hash)
	expect("who approved does not activate", err, "rules_same_person")
	r, err := b.ActivateRules(ctx, chu, b.Key(), hash)
	expect("activating", err, "")
	_, err = b.ActivateRules(ctx, an, b.Key(), hash)
	expect("activating again", err, "rules_active")

	if r.Rules != hash || r.Refers == nil {
		t.Errorf("the entry is %+v, want it to name the set and its approval", r.Entry)
	}
	earlier, _ := nextRules("qinghe-2099", "2099-01-01")
	_, err = b.DraftRules(ctx, an, b.Key(), earlier)
	expect("before a set that is active already", err, "rules_back_dated")
	for on, want := range map[string]string{"2099-12-31": "shipped-2026", "2100-01-01": "qinghe-2100"} {
		if set, err := b.RulesInForce(ctx, booktest.Date(t, on)); err != nil || set.ID() != want {
			t.Errorf("on %s: %v, %v, want %s", on, set, err, want)
		}
	}
	b.CheckBook(t)
}

// The schema says the same: with the service's login nobody can skip a person.
func TestSchemaKeepsRulesToDifferentPersons(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	an, bo := b.Actor(t, ledger.RolePolicyOfficer, ""), b.Actor(t, ledger.RolePolicyOfficer, "")
	source, hash := nextRules("qinghe-2100", "2100-01-01")
	if _, err := b.DraftRules(t.Context(), an, b.Key(), source); err != nil {
		t.Fatal(err)
	}
	approval, err := b.ApproveRules(t.Context(), bo, b.Key(), hash)
	if err != nil {
		t.Fatal(err)
	}
	const set = `INSERT INTO rule_set (hash, seq, effective_from, body, approval, approved_by, activated_by)
		SELECT hash, 0, '2100-01-01', body, `
	for name, statement := range map[string]string{
		"rule_approval_by_another": `INSERT INTO rule_approval (seq, draft, drafted_by, by_client)
			SELECT 0, hash, by_client, by_client FROM rule_draft`,
		"rule_approval_once": fmt.Sprintf(`INSERT INTO rule_approval (seq, draft, drafted_by, by_client)
			SELECT 0, hash, by_client, gen_random_uuid() FROM rule_draft WHERE seq < %d`, approval.Seq),
		"rule_set_activated_by_another": set + fmt.Sprintf(`%d, '%s', '%s' FROM rule_draft`, approval.Seq, bo.Client, bo.Client),
		"rule_set_one_without_approval": strings.Replace(set, "0,", "1,", 1) + `NULL, NULL, NULL FROM rule_draft`,
	} {
		var pe *pq.Error
		if err := b.As(localpg.ServiceRole, statement); !errors.As(err, &pe) || pe.Constraint != name {
			t.Errorf("%s: err = %v, want the constraint's name", name, err)
		}
	}
	b.CheckBook(t)
}

// A superuser who forges a person, a draft or an activation is found out.
func TestVerifyNamesForgedRules(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"another drafted it":      `UPDATE rule_draft SET by_client = gen_random_uuid()`,
		"another approved it":     `UPDATE rule_approval SET by_client = gen_random_uuid()`,
		"another activated it":    `UPDATE rule_set SET activated_by = gen_random_uuid() WHERE approval IS NOT NULL`,
		"no approval":             `DELETE FROM rule_approval`,
		"never asked for":         `DROP INDEX rule_set_one_without_approval; UPDATE rule_set SET approval = NULL, approved_by = NULL, activated_by = NULL`,
		"another text drafted":    `UPDATE rule_draft SET body = body || '#', hash = sha256(convert_to(body || '#', 'UTF8'))`,
		"the draft is gone":       `DELETE FROM rule_draft`,
		"in force from other day": `UPDATE rule_set SET effective_from = effective_from + 1`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := booktest.New(t)
			an, bo := b.Actor(t, ledger.RolePolicyOfficer, ""), b.Actor(t, ledger.RolePolicyOfficer, "")
			source, hash := nextRules("qinghe-2100", "2100-01-01")
			_, err1 := b.DraftRules(t.Context(), an, b.Key(), source)
			_, err2 := b.ApproveRules(t.Context(), bo, b.Key(), hash)
			_, err3 := b.ActivateRules(t.Context(), an, b.Key(), hash)
			if err := errors.Join(err1, err2, err3); err != nil {
				t.Fatal(err)
			}
			b.CheckBook(t)
			b.Tamper(t, statement)
			v, err := b.Verify(t.Context(), nil)
			if err != nil || len(v.Findings) == 0 {
				t.Errorf("Verify = %v, %v, want a finding", v.Findings, err)
			}
		})
	}
}

package book_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lib/pq"

	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/ledger/localpg"
	"timebank/policy"
)

// Somebody with the whole database in hand, triggers off, changes one thing; verify names the entry.
func TestVerifyNamesWhatWasTamperedWith(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name, statement string
		want            string // of the first finding; %d is the entry tampered with
	}{
		{"a posting's minutes", `UPDATE posting SET minutes = minutes + 60 WHERE seq = %[1]d`, "entry %d: "},
		{"a running balance", `UPDATE posting SET balance = balance + 60 WHERE seq = %[1]d AND may_owe = false`, "entry %d: says the balance"},
		{"an effective date", `UPDATE entry SET effective = effective - 1 WHERE seq = %[1]d`, "entry %d: "},
		{"who posted it", `UPDATE entry SET by_client = gen_random_uuid() WHERE seq = %[1]d`, "entry %d: differs from its leaf"},
		{"the details", `UPDATE entry SET details = replace(details, '陪聊', '陪跑') WHERE seq = %[1]d`, "entry %d: differs from its leaf"},
		{"the leaf", `UPDATE entry SET leaf = leaf || ' ' WHERE seq = %[1]d`, "entry %d: differs from its leaf"},
		{"a hash", `UPDATE hash SET hash = sha256(hash) WHERE id = (SELECT max(id) FROM hash)`, "stored hash"},
		{"the claim's row", `UPDATE claim SET minutes = minutes + 1 WHERE seq = %[1]d`, "entry %d: differs from its row in claim"},
		{"what the claim earned", `UPDATE claim SET care = 0 WHERE seq = %[1]d`, "entry %d: has a row in claim"},
		{"the claim is gone", `DELETE FROM claim WHERE seq = %[1]d`, "entry %d: has no row in claim"},
		{"an entry is gone", `DELETE FROM entry WHERE seq = %[1]d`, "entry %d: is missing"},
		{"postings are gone", `DELETE FROM posting WHERE seq = %[1]d`, "entry %d: "},
		{"an answer is gone", `DELETE FROM answer WHERE seq = %[1]d`, "entry %d: was asked for"},
		{"an organization's name", `UPDATE organization SET name = '别的'`, "registered otherwise"},
		{"a volunteer's guardian", `UPDATE volunteer SET roles = ARRAY['professional']`, "registered otherwise"},
		{"a volunteer is gone", `DELETE FROM person_key; DELETE FROM volunteer`, "not registered any more"},
		{"a rule set", `UPDATE rule_set SET body = body || '#', hash = sha256(convert_to(body || '#', 'UTF8'))`, "rule set"},
		{"a checkpoint", `UPDATE checkpoint SET note = replace(note, E'\n', E'\n ')`, "does not open"},
		{"another seat", `UPDATE account SET owner = gen_random_uuid() WHERE purpose = 'care' AND owner_kind = 'volunteer'`, "is bound to other"},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			b := booktest.New(t)
			_, _, _, posted := saved(t, b, 300)
			if err := b.Publish(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.CheckBook(t)
			b.Stop(t) // so that nothing is published meanwhile
			b.Tamper(t, strings.ReplaceAll(x.statement, "%[1]d", fmt.Sprint(posted.Seq)))
			opened, err := book.Open(t.Context(), b.Config)
			if err != nil {
				t.Fatal(err)
			}
			defer opened.Close()
			v, err := opened.Verify(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.ReplaceAll(x.want, "%d", fmt.Sprint(posted.Seq))
			if len(v.Findings) == 0 || !strings.Contains(v.Findings[0].String(), want) {
				t.Errorf("findings = %v, want the first to say %q", v.Findings, want)
			}
		})
	}
}

// The service's login cannot change history, and with triggers in force not even the owner can.
func TestAppendOnly(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	saved(t, b, 300)
	for _, role := range []string{localpg.ServiceRole, localpg.OwnerRole, localpg.Superuser} {
		for _, table := range []string{"entry", "posting", "answer", "hash", "claim", "account", "checkpoint", "volunteer", "client", "rule_set"} {
			for _, statement := range []string{"DELETE FROM " + table, "TRUNCATE " + table + " CASCADE", "UPDATE " + table + " SET " + column(table) + " = " + column(table)} {
				if err := b.As(role, statement); err == nil {
					t.Errorf("%s as %s succeeded", statement, role)
				}
			}
		}
	}
	b.CheckBook(t)
}

func column(table string) string {
	return map[string]string{"hash": "id", "account": "id", "checkpoint": "size", "volunteer": "id", "client": "id", "rule_set": "seq"}[table] +
		map[string]string{"entry": "seq", "posting": "seq", "answer": "seq", "claim": "seq"}[table]
}

// Each rule of the book stands a second time in the schema, under a name.
func TestConstraintsSayTheRulesAgain(t *testing.T) {
	t.Parallel()
	for name, database := range longAndShort {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			constraintsSayTheRulesAgain(t, booktest.Open(t, database(t), policy.Shipped()))
		})
	}
}

func constraintsSayTheRulesAgain(t *testing.T, b *booktest.Book) {
	t.Helper()
	elder, _, partner, posted := saved(t, b, 300)
	for range 8 { // so that the last entry is of another stretch than the last posting, where stretches are short
		b.Consent(t, elder, partner, 10_000)
	}
	for name, statement := range map[string]string{
		"entry_seq_gapless": `INSERT INTO entry (seq, kind, effective, recorded, salt, details, leaf)
			VALUES (999, 'consent', '2026-01-01', now(), decode(repeat('00', 16), 'hex'), '{}', 'x')`,
		"entry_corrected_once": fmt.Sprintf(`INSERT INTO entry (seq, kind, effective, recorded, refers, salt, details, leaf)
			SELECT max(seq) + n, 'correction', '2026-01-01', clock_timestamp(), %d, decode(repeat('00', 16), 'hex'), '{}', 'x'
			FROM entry, generate_series(1, 2) n GROUP BY n`, posted.Seq),
		"posting_sums_to_zero": fmt.Sprintf(`INSERT INTO posting SELECT %d, id, unit, 5, 5, may_owe, '2026-03-05'
			FROM account WHERE owner_kind = 'pool'`, posted.Seq),
		"posting_may_not_owe": fmt.Sprintf(`INSERT INTO posting SELECT %d, id, unit, -5, -5, may_owe, '2026-03-05'
			FROM account WHERE owner_kind = 'pool'`, posted.Seq),
		"posting_balance_runs": fmt.Sprintf(`INSERT INTO posting SELECT %d, id, unit,
			CASE purpose WHEN 'care' THEN 5 ELSE -5 END, CASE purpose WHEN 'care' THEN 6 ELSE 0 END, may_owe, '2026-03-05'
			FROM account WHERE owner_kind = 'pool' OR owner_kind = 'bank' AND purpose = 'care-written-off'`, posted.Seq),
		"posting_fits_account: of an account that has postings": `INSERT INTO posting SELECT e.seq, a.id, 'support', n * 5, p.balance + n * 5, a.may_owe, e.effective
			FROM (SELECT seq, effective FROM entry ORDER BY seq DESC LIMIT 1) e, account a, LATERAL (SELECT balance FROM posting WHERE account = a.id ORDER BY seq DESC LIMIT 1) p,
			     LATERAL (SELECT CASE purpose WHEN 'care' THEN 1 ELSE -1 END AS n) n
			WHERE purpose = 'care' AND owner_kind = 'volunteer' OR purpose = 'care-issued'`,
		"posting_balance_runs: as if the account had never moved": `INSERT INTO posting SELECT e.seq, a.id, a.unit, n * 5, n * 5, a.may_owe, e.effective
			FROM (SELECT seq, effective FROM entry ORDER BY seq DESC LIMIT 1) e, account a,
			     LATERAL (SELECT CASE purpose WHEN 'care' THEN 1 ELSE -1 END AS n) n
			WHERE purpose = 'care' AND owner_kind = 'volunteer' OR purpose = 'care-issued'`,
		"posting_fits_account: of one that has none": fmt.Sprintf(`INSERT INTO posting SELECT %d, a.id, 'youth', n, n, true, '2026-03-05'
			FROM account a, LATERAL (SELECT CASE owner_kind WHEN 'pool' THEN 5 ELSE -5 END AS n) n
			WHERE owner_kind = 'pool' OR purpose = 'care-written-off'`, posted.Seq),
		"posting_fits_account: of one that is not there": fmt.Sprintf(`INSERT INTO posting VALUES (%[1]d, 77, 'care', 5, 5, true, '2026-03-05'),
			(%[1]d, 78, 'care', -5, -5, true, '2026-03-05')`, posted.Seq),
		"posting_fits_entry: on another day": fmt.Sprintf(`INSERT INTO posting SELECT %d, id, unit,
			CASE purpose WHEN 'care' THEN 5 ELSE -5 END, CASE purpose WHEN 'care' THEN 5 ELSE -5 END, may_owe, '2026-03-06'
			FROM account WHERE owner_kind = 'pool' OR owner_kind = 'bank' AND purpose = 'care-written-off'`, posted.Seq),
		"posting_fits_entry: of none": `INSERT INTO posting SELECT 998, id, unit,
			CASE purpose WHEN 'care' THEN 5 ELSE -5 END, CASE purpose WHEN 'care' THEN 5 ELSE -5 END, may_owe, '2026-03-05'
			FROM account WHERE owner_kind = 'pool' OR owner_kind = 'bank' AND purpose = 'care-written-off'`,
		"answer_one_effect_per_key": `INSERT INTO answer SELECT * FROM answer LIMIT 1`,
		"claim_shift_once": `INSERT INTO claim (seq, volunteer, organization, served_on, minutes, fingerprint, grade, care, youth)
			SELECT seq + 1, volunteer, organization, served_on, minutes, fingerprint, grade, care, youth FROM claim`,
	} {
		constraint, _, _ := strings.Cut(name, ":")
		var pe *pq.Error
		if err := b.As(localpg.ServiceRole, statement); !errors.As(err, &pe) || pe.Constraint != constraint {
			t.Errorf("%s: err = %v, want the constraint's name", name, err)
		}
	}
	b.CheckBook(t)
}

func TestOpenRefusesWhatWouldBreakAPromise(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	c := b.Config
	c.Service = booktest.Server(t).URL(localpg.OwnerRole, b.Database)
	if _, err := book.Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "may change the ledger") {
		t.Errorf("Open as the owner = %v, want a refusal", err)
	}
	c = b.Config
	c.Service += " default_transaction_isolation=serializable"
	if _, err := book.Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "read committed") {
		t.Errorf("Open with transactions that are serializable = %v, want a refusal that names what it needs", err)
	}
	c = b.Config
	c.AcceptDataLoss = false
	if _, err := book.Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "fsync=off") {
		t.Errorf("Open on fsync=off = %v, want a refusal that names it", err)
	}
}

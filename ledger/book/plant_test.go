package book_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/jmoiron/sqlx"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
)

// plantings says how a value of a type is changed to another.
var plantings = map[string]string{
	"bigint": "%s + 1", "integer": "%s + 1", "smallint": "(%s + 1) %% 4", "boolean": "NOT %s", "text": "%s || 'x'", "date": "%s - 1",
	"uuid": "gen_random_uuid()", "bytea": "sha256(%s)", "timestamp with time zone": "%s + interval '1 second'", "ARRAY": "%s || ARRAY['professional']",
}

// A superuser, triggers and constraints off, changes any column of any row of any table of the ledger, puts a
// value where there was none, takes any row away, or adds any twice: verify finds it.
func TestVerifyFindsAnyChangeOfAnyColumn(t *testing.T) {
	t.Parallel()
	b := plantedBook(t)
	db := b.Reader(t)
	// The schema's own rules would refuse most plantings; whoever can turn triggers off can drop rules.
	drop := []string{}
	if err := db.Select(&drop, `SELECT format('ALTER TABLE %I DROP CONSTRAINT IF EXISTS %I CASCADE', c.relname, k.conname)
		FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE k.connamespace = 'public'::regnamespace AND c.relname <> 'goose_db_version'
		UNION ALL SELECT format('DROP INDEX IF EXISTS %I', i.indexname) FROM pg_indexes i WHERE i.schemaname = 'public'
			AND i.indexname NOT IN (SELECT conname FROM pg_constraint) AND i.indexname NOT LIKE 'goose%'`); err != nil {
		t.Fatal(err)
	}
	for _, d := range drop {
		b.Tamper(t, d)
	}
	type column struct {
		Table string `db:"table_name"`
		Name  string `db:"column_name"`
		Type  string `db:"data_type"`
	}
	var columns []column
	if err := db.Select(&columns, `SELECT table_name, column_name, data_type FROM information_schema.columns c
		WHERE table_schema = 'public' AND table_name NOT IN ('goose_db_version', 'rollup') ORDER BY 1, ordinal_position`); err != nil {
		t.Fatal(err)
	}
	planted := 0
	for _, c := range columns {
		if c.Name == "recorded" && c.Table == "checkpoint" { // when it was signed is nobody's claim
			continue
		}
		change, ok := plantings[c.Type]
		if !ok {
			t.Fatalf("%s.%s is a %s: say how to change one", c.Table, c.Name, c.Type)
		}
		planted += plant(t, b, db, c.Table, c.Name, fmt.Sprintf(`UPDATE %s SET %s = `+change+` WHERE ctid = (SELECT max(ctid) FROM %[1]s WHERE %[2]s IS NOT NULL)`, c.Table, c.Name, c.Name))
	}
	tables := []string{}
	for _, c := range columns {
		if !slices.Contains(tables, c.Table) {
			tables = append(tables, c.Table)
		}
	}
	for _, table := range tables {
		planted += plant(t, b, db, table, "a row taken away", fmt.Sprintf(`DELETE FROM %s WHERE ctid = (SELECT max(ctid) FROM %[1]s)`, table))
		planted += plant(t, b, db, table, "a row twice", fmt.Sprintf(`INSERT INTO %s SELECT * FROM %[1]s WHERE ctid = (SELECT max(ctid) FROM %[1]s)`, table))
	}
	for _, c := range columns {
		if c.Name == "recorded" && c.Table == "checkpoint" {
			continue
		}
		planted += plantNothing(t, b, db, c.Table, c.Name)
	}
	for _, x := range lookalikes {
		planted += plant(t, b, db, x.table, x.set, fmt.Sprintf(`UPDATE %s SET %s WHERE ctid = (SELECT max(ctid) FROM %[1]s WHERE %[3]s)`, x.table, x.set, x.where))
	}
	planted += plant(t, b, db, "checkpoint", "one of no size", `ALTER TABLE checkpoint ALTER size DROP NOT NULL; INSERT INTO checkpoint SELECT NULL, note FROM checkpoint LIMIT 1`)
	if planted < 40 {
		t.Errorf("%d plantings are few", planted)
	}
	t.Logf("%d plantings, in %d tables", planted, len(tables))
}

// lookalikes are values that stand for nothing where one reads them, in place of the nothing that is written, and bytes after those
// that are looked at.
var lookalikes = []struct{ table, set, where string }{
	{"claim", "span_from = -1, span_to = -1", "span_from IS NULL"},
	{"claim", "reference = ''", "reference IS NULL"},
	{"claim", "reposts_shift = -1", "reposts_shift IS NULL"},
	{"claim", "reposts_reference = -1", "reposts_reference IS NULL"},
	{"hold", "care_at = -1", "care_at IS NULL"},
	{"answer", "refusal = ''", "refusal IS NULL"},
	{"organization", "external_id = ''", "external_id IS NULL"},
	{"volunteer", "external_id = ''", "external_id IS NULL"},
	{"partner", "external_id = ''", "external_id IS NULL"},
	{"entry", `salt = salt || '\x00'`, "true"},
	{"entry", `rules = rules || '\x00'`, "rules IS NOT NULL"},
	{"carry", "unit = 'youth', rest = 0, parts = 0", "unit = 'care'"},
	{"carry", "unit = 'youth', rest = 0, parts = 0", "unit = 'care'"},
	{"answer", `request = request || '\x00'`, "true"},
}

// plantNothing puts a NULL where the schema lets none be, best in place of a value that is next to nothing. Verifying must go
// on, and tell of it.
func plantNothing(t *testing.T, b *booktest.Book, db *sqlx.DB, table, column string) int {
	t.Helper()
	var nullable bool
	if err := db.Get(&nullable, `SELECT NOT attnotnull FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2`, table, column); err != nil {
		t.Fatal(err)
	}
	if nullable {
		return 0
	}
	b.Tamper(t, fmt.Sprintf(`ALTER TABLE %s ALTER %s DROP NOT NULL`, table, column))
	found := plant(t, b, db, table, column+" that is NULL", fmt.Sprintf(`UPDATE %s SET %s = NULL WHERE ctid =
		(SELECT ctid FROM %[1]s ORDER BY %[2]s::text IN ('', '0', 'false', '{}') DESC, ctid LIMIT 1)`, table, column))
	b.Tamper(t, fmt.Sprintf(`ALTER TABLE %s ALTER %s SET NOT NULL`, table, column))
	return found
}

// plant makes one change, demands that verify finds it, and takes it back.
func plant(t *testing.T, b *booktest.Book, db *sqlx.DB, table, what, statement string) int {
	t.Helper()
	b.Tamper(t, fmt.Sprintf(`CREATE TABLE untouched AS TABLE %s`, table))
	var before, after int
	count := func() (n int) {
		if err := db.Get(&n, fmt.Sprintf(`SELECT count(*) FROM (TABLE %s EXCEPT ALL TABLE untouched) x`, table)); err != nil {
			t.Fatal(err)
		}
		var gone int
		if err := db.Get(&gone, fmt.Sprintf(`SELECT count(*) FROM (TABLE untouched EXCEPT ALL TABLE %s) x`, table)); err != nil {
			t.Fatal(err)
		}
		return n + gone
	}
	before = count()
	b.Tamper(t, statement)
	after = count()
	if before != 0 || after == 0 {
		t.Errorf("%s, %s: nothing was planted: the test's book has no such row", table, what)
	} else if v, err := b.Verify(t.Context(), nil); err != nil || len(v.Findings) == 0 {
		t.Errorf("%s, %s: verify finds %v, %v", table, what, v.Findings, err)
	}
	b.Tamper(t, fmt.Sprintf(`DELETE FROM %s; INSERT INTO %[1]s TABLE untouched; DROP TABLE untouched`, table))
	return 1
}

// plantedBook is a stopped book with rows in every table.
func plantedBook(t *testing.T) *booktest.Book {
	t.Helper()
	b := booktest.Open(t, booktest.Database(t), with("rate: 1/1", "rate: 2/3"))
	f := groupsBook(t, b)
	ctx := t.Context()
	must := func(_ book.Receipt, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	claim := booktest.At(t, booktest.Served(t, f.giver, "2026-03-09", 50), "09:00", "09:50")
	claim.Reference = "sheet 7, row 2"
	must(f.CorrectEntry(ctx, f.org, f.Key(), f.MustPost(t, f.org, claim).Seq, "posted too early"))
	f.MustPost(t, f.org, claim)
	r, err := f.RegisterRelation(ctx, f.org, f.Key(), f.related(ledger.Parent))
	must(r, err)
	must(book.Receipt{}, f.give(t, f.mother, 5))
	must(f.EndRelation(ctx, f.org, f.Key(), r.Seq))
	must(f.RegisterRelation(ctx, f.org, f.Key(), f.related(ledger.Parent)))
	must(f.Choose(ctx, f.as(f.mother), f.Key(), book.Choice{Volunteer: f.mother, Choice: "keep-or-donate", Option: "donate"}))
	ward := f.Register(t, book.Volunteer{Name: "小明", Born: booktest.Date(t, "2012-01-01"), Guardian: f.giver, ExternalID: "w-1"})
	must(f.GiveWardConsent(ctx, f.as(f.giver), f.Key(), book.WardConsent{Ward: ward, Since: booktest.Date(t, "2026-03-01"), Until: booktest.Date(t, "2026-12-31")}))
	an, bo, chu := b.Actor(t, ledger.RolePolicyOfficer, ""), b.Actor(t, ledger.RolePolicyOfficer, ""), b.Actor(t, ledger.RolePolicyOfficer, "")
	source, hash := nextRules("qinghe-2100", "2100-01-01")
	must(f.DraftRules(ctx, an, f.Key(), source))
	must(f.ApproveRules(ctx, bo, f.Key(), hash))
	must(f.ActivateRules(ctx, chu, f.Key(), hash))
	must(f.RevokeClient(ctx, booktest.Operator, f.Key(), an.Client))
	partner := f.Partner(t)
	f.Consent(t, f.mother, partner, 500)
	h, err := f.Hold(ctx, partner, f.Key(), book.Redemption{Volunteer: f.mother, Service: "TALK", Minutes: 20})
	must(h, err)
	must(f.Confirm(ctx, partner, f.Key(), h.ID, 10))
	must(f.RegisterOrganization(ctx, booktest.Operator, f.Key(), book.Organization{Name: "青禾", ExternalID: "o-1", Kind: "social_organization",
		Place: ledger.Place{District: "d", Street: "s", Community: "c", Grid: "g"}}))
	must(f.RegisterPartner(ctx, booktest.Operator, f.Key(), book.Partner{Name: "食堂", ExternalID: "p-1"}))
	_, err = f.Hold(ctx, partner, f.Key(), book.Redemption{Volunteer: f.mother, Service: "TALK", Minutes: 1440})
	if refused := booktest.RefusalCode(err); refused == "" {
		t.Fatal("holding more than there is was not refused")
	}
	if err := b.Publish(ctx); err != nil {
		t.Fatal(err)
	}
	b.CheckBook(t)
	b.Stop(t)
	b.Config.CheckpointFile = filepath.Join(t.TempDir(), "checkpoint")
	opened, err := book.Open(ctx, b.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	b.Book = opened
	if err := b.Publish(ctx); err != nil {
		t.Fatal(err)
	}
	return b
}

package book

import (
	"context"
	"errors"
	"fmt"
	"time"

	"timebank/ledger"
	"timebank/ledger/statement"
)

// VolunteerBalances are the balances of one volunteer, all at one log size.
type VolunteerBalances struct {
	Volunteer     string
	LogSize       int64
	Served        ledger.Minutes // the service record
	Youth         ledger.Minutes // the young volunteer's record
	Care          ledger.Minutes // credit not held; what came back from holds that ended counts here
	CareHeld      ledger.Minutes // credit in holds that have not ended
	CareOwed      ledger.Minutes // what a correction could not take back, as a positive number
	CareAvailable ledger.Minutes // what may be held today: Care, or nothing before it is redeemable
	Redeemable    bool
	Accounts      []AccountBalance
}

// mayReadVolunteer gives ErrNotFound unless the actor is the volunteer, the guardian, or an auditor, whose reading
// of what it names is recorded.
func (b *Book) mayReadVolunteer(ctx context.Context, by ledger.Actor, id, what string) error {
	if err := by.May(ledger.RoleVolunteer, ledger.RoleAuditor); err != nil {
		return err
	}
	if checkID("/id", id) != nil {
		return ledger.ErrNotFound
	}
	const query = `
		SELECT EXISTS (SELECT 1 FROM volunteer v WHERE v.id = $3
			AND ($1 = 'auditor' OR v.id = nullif($2, '')::uuid OR v.guardian = nullif($2, '')::uuid))`
	var may bool
	if err := b.db.GetContext(ctx, &may, query, string(by.Role), by.Subject, id); err != nil {
		return fmt.Errorf("looking for volunteer %s: %w", id, err)
	}
	if !may {
		return ledger.ErrNotFound
	}
	return b.recordRead(ctx, by, what, id)
}

// Balances reads a volunteer's balances. The volunteer, the guardian and auditors may.
func (b *Book) Balances(ctx context.Context, by ledger.Actor, volunteer string, at AsOf) (VolunteerBalances, error) {
	if err := b.mayReadVolunteer(ctx, by, volunteer, "balances"); err != nil {
		return VolunteerBalances{}, err
	}
	size, err := b.sizeAt(ctx, at)
	if err != nil {
		return VolunteerBalances{}, err
	}
	past := at.LogSize != nil || at.Effective != nil
	at.LogSize = &size // all accounts at one moment
	accounts, err := b.accounts(ctx, AccountFilter{Owner: volunteer, At: at, Limit: PageMax})
	if err != nil {
		return VolunteerBalances{}, err
	}
	v := VolunteerBalances{Volunteer: volunteer, LogSize: size, Accounts: accounts}
	for _, a := range accounts {
		switch a.Purpose {
		case ledger.Served:
			v.Served = a.Balance
		case ledger.YouthRecord:
			v.Youth = a.Balance
		case ledger.CarePurpose:
			v.Care = a.Balance
		case ledger.CareHeld:
			v.CareHeld = a.Balance
		case ledger.CareOwed:
			v.CareOwed = -a.Balance
		}
	}
	if past {
		return v, nil
	}
	return b.available(ctx, v)
}

// available says what may be held today. A hold that has ended counts as given back, by the database's
// clock, whether or not its end was recorded.
func (b *Book) available(ctx context.Context, v VolunteerBalances) (VolunteerBalances, error) {
	const query = `
		SELECT coalesce(sum(h.minutes), 0)::bigint AS ended, clock_timestamp() AS now
		FROM hold h LEFT JOIN settlement s ON s.hold = h.seq AND s.seq < $2
		WHERE h.volunteer = $1 AND h.seq < $2 AND s.seq IS NULL AND h.ends_at <= clock_timestamp()`
	var ended struct {
		Ended ledger.Minutes `db:"ended"`
		Now   time.Time      `db:"now"`
	}
	if err := b.db.GetContext(ctx, &ended, query, v.Volunteer, v.LogSize); err != nil {
		return v, fmt.Errorf("reading ended holds: %w", err)
	}
	repaid := min(ended.Ended, v.CareOwed) // as recording the end will do
	v.CareHeld -= ended.Ended
	v.CareOwed -= repaid
	v.Care += ended.Ended - repaid
	person, err := only(b.volunteers(ctx, ledger.Actor{}, v.Volunteer, ListFilter{AfterSeq: -1, Limit: 1}))
	if err != nil {
		return v, err
	}
	today := b.today(ended.Now)
	rules, err := b.RulesInForce(ctx, today)
	if err != nil {
		return v, err
	}
	if v.Redeemable = rules.Redeemable(rules.Age(person.Born, today)); v.Redeemable {
		v.CareAvailable = v.Care
	}
	return v, nil
}

// Statement is what happened on an account between two dates.
type Statement = statement.Statement

// StatementLinesMax bounds a statement; a longer one is asked for in parts.
const StatementLinesMax = 5000

// StatementRange says which days a statement is of, and as known at which size of the log.
type StatementRange struct {
	From, To ledger.Date // both inclusive
	LogSize  *int64      // nil is now's
}

// Statement reads a statement of a volunteer's account. The volunteer, the guardian and auditors may.
func (b *Book) Statement(ctx context.Context, by ledger.Actor, volunteer string, purpose ledger.Purpose, r StatementRange) (Statement, error) {
	if err := b.mayReadVolunteer(ctx, by, volunteer, "statement"); err != nil {
		return Statement{}, err
	}
	s, err := b.statement(ctx, AccountFilter{Owner: volunteer, Purpose: purpose}, r)
	if errors.Is(err, ledger.ErrNotFound) {
		err = &ledger.Invalid{Code: "account_unknown", Pointer: "/account", Detail: fmt.Sprintf("a volunteer has no account %q", purpose)}
	}
	s.Volunteer = volunteer
	return s, err
}

// AccountStatement reads a statement of any account. Auditors may.
func (b *Book) AccountStatement(ctx context.Context, by ledger.Actor, account ledger.AccountID, r StatementRange) (Statement, error) {
	if err := by.May(ledger.RoleAuditor); err != nil {
		return Statement{}, err
	}
	return b.statement(ctx, AccountFilter{ID: account}, r)
}

func (b *Book) statement(ctx context.Context, f AccountFilter, r StatementRange) (Statement, error) {
	s := Statement{From: r.From, To: r.To}
	if r.From > r.To {
		return s, &ledger.Invalid{Code: "range_malformed", Pointer: "/from", Detail: "from is after to"}
	}
	size, err := b.sizeAt(ctx, AsOf{LogSize: r.LogSize})
	if err != nil {
		return s, err
	}
	before := r.From - 1
	f.At, f.Limit = AsOf{&before, &size}, 1
	a, err := only(b.accounts(ctx, f))
	if err != nil {
		return s, err
	}
	s.Number, s.Purpose, s.Unit, s.Opening, s.LogSize = a.ID, a.Purpose, a.Unit, a.Balance, size
	return b.statementLines(ctx, s, a.ID)
}

func (b *Book) statementLines(ctx context.Context, s Statement, account ledger.AccountID) (Statement, error) {
	// The rollups know in which blocks of the log an account moved on a day; only those are read, and what
	// was posted since the last.
	const query = `
		WITH since AS (SELECT coalesce((SELECT upto FROM rollup WHERE account = $1 AND level = 3 AND period = 0 AND upto <= $2 ORDER BY upto DESC LIMIT 1), 0) AS upto),
		block AS (
			SELECT coalesce((SELECT m.upto FROM rollup m WHERE m.account = $1 AND m.level = 3 AND m.period = 0 AND m.upto < t.upto ORDER BY m.upto DESC LIMIT 1), 0) AS start, t.upto
			FROM (SELECT DISTINCT r.upto FROM rollup r, since WHERE r.account = $1 AND r.level = 0 AND r.period BETWEEN $3 AND $4 AND r.upto <= since.upto) t
			UNION ALL SELECT since.upto, $2 FROM since)
		SELECT p.seq, e.kind, p.effective - date '1970-01-01' AS effective, e.recorded, p.minutes
		FROM block, LATERAL (SELECT * FROM postings_of($1, block.start, block.upto) p
			WHERE p.effective BETWEEN date '1970-01-01' + $3::int AND date '1970-01-01' + $4::int) p
		JOIN entry e ON e.seq = p.seq
		ORDER BY p.effective, p.seq LIMIT $5`
	type lineRow struct {
		Seq       ledger.Seq     `db:"seq"`
		Kind      ledger.Kind    `db:"kind"`
		Effective int32          `db:"effective"`
		Recorded  time.Time      `db:"recorded"`
		Minutes   ledger.Minutes `db:"minutes"`
	}
	rows, err := selectAll[lineRow](ctx, b.lookups, query, int64(account), s.LogSize, int64(s.From), int64(s.To), StatementLinesMax+1)
	if err != nil {
		return s, fmt.Errorf("reading a statement: %w", err)
	}
	if len(rows) > StatementLinesMax {
		return s, &ledger.Invalid{Code: "range_too_long", Pointer: "/from", Detail: fmt.Sprintf("more than %d lines: ask for a shorter time", StatementLinesMax)}
	}
	s.Closing = s.Opening
	for _, r := range rows {
		s.Closing += r.Minutes
		s.Lines = append(s.Lines, statement.Line{Seq: r.Seq, Kind: r.Kind, Effective: ledger.Date(r.Effective),
			Recorded: r.Recorded.UTC(), Minutes: r.Minutes, Balance: s.Closing})
	}
	return s, nil
}

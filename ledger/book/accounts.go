package book

import (
	"context"
	"fmt"
	"sort"
	"time"

	"github.com/lib/pq"

	"timebank/ledger"
)

// AccountBalance is an account with its balance at the time asked for.
type AccountBalance struct {
	ledger.Account
	Balance ledger.Minutes
	Entries int64 // entries that touch it
}

// AccountFilter chooses accounts; what is zero does not narrow.
type AccountFilter struct {
	ID        ledger.AccountID
	OwnerKind ledger.OwnerKind
	Owner     string
	Purpose   ledger.Purpose
	Unit      ledger.Unit
	At        AsOf
	After     ledger.AccountID
	Limit     int
}

type balanceRow struct {
	accountRow
	Entries int64 `db:"entries"`
}

func (r balanceRow) balance() AccountBalance {
	return AccountBalance{r.account(), r.Balance, r.Entries}
}

// Account reads one account as of now. Auditors may.
func (b *Book) Account(ctx context.Context, by ledger.Actor, id ledger.AccountID, at AsOf) (AccountBalance, error) {
	return only(b.Accounts(ctx, by, AccountFilter{ID: id, At: at, Limit: 1}))
}

// Accounts lists accounts with their balances, in the order of their numbers. Auditors may.
func (b *Book) Accounts(ctx context.Context, by ledger.Actor, f AccountFilter) ([]AccountBalance, error) {
	if err := by.May(ledger.RoleAuditor); err != nil {
		return nil, err
	}
	return b.accounts(ctx, f)
}

func (b *Book) accounts(ctx context.Context, f AccountFilter) ([]AccountBalance, error) {
	if f.Owner != "" {
		if err := checkID("/owner", f.Owner); err != nil {
			return nil, err
		}
	}
	query := `
		SELECT a.id, a.owner_kind, coalesce(a.owner::text, '') AS owner, a.purpose, a.unit, a.may_owe, s.balance, s.entries
		FROM (SELECT * FROM account a
			WHERE ($1::bigint = 0 OR a.id = $1) AND ($2 = '' OR a.owner_kind = $2) AND ($3 = '' OR a.owner = nullif($3, '')::uuid)
			  AND ($4 = '' OR a.unit = $4) AND a.id > $5 AND ($9 = '' OR a.purpose = $9)
			ORDER BY a.id LIMIT $8) a,
		(SELECT coalesce($6::bigint, 9223372036854775807) AS log_size, date '1970-01-01' + $7::int AS effective) at, LATERAL ` +
		sumsOf("a.id", "at.log_size", "at.effective", postedSince) + `
		ORDER BY a.id`
	rows, err := selectAll[balanceRow](ctx, b.lookups, query, int64(f.ID), string(f.OwnerKind), f.Owner, string(f.Unit), int64(f.After),
		f.At.LogSize, dayOrNull(f.At.Effective), min(f.Limit, PageMax), string(f.Purpose))
	if err != nil {
		return nil, fmt.Errorf("reading accounts: %w", err)
	}
	found := make([]AccountBalance, len(rows))
	for i, r := range rows {
		found[i] = r.balance()
	}
	return found, nil
}

// TrialRow sums the accounts of one line of the chart.
type TrialRow struct {
	Unit      ledger.Unit      `db:"unit"`
	OwnerKind ledger.OwnerKind `db:"owner_kind"`
	Purpose   ledger.Purpose   `db:"purpose"`
	Accounts  int64            `db:"accounts"`
	Balance   ledger.Minutes   `db:"balance"`
}

// TrialBalance is the sum of all accounts, line by line of the chart. Each unit sums to zero.
type TrialBalance struct {
	LogSize int64
	Rows    []TrialRow
	Sums    map[ledger.Unit]ledger.Minutes
}

// TrialBalance sums every account. Auditors may; the operator too, since it tells of nobody.
func (b *Book) TrialBalance(ctx context.Context, by ledger.Actor, at AsOf) (TrialBalance, error) {
	if err := by.May(ledger.RoleAuditor, ledger.RoleOperator); err != nil {
		return TrialBalance{}, err
	}
	size, err := b.sizeAt(ctx, at)
	if err != nil {
		return TrialBalance{}, err
	}
	query := `
		SELECT l.unit, l.owner_kind, l.purpose, (SELECT count(*) FROM account a WHERE a.owner_kind = l.owner_kind AND a.purpose = l.purpose) AS accounts, s.balance
		FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[]) AS l (of, owner_kind, purpose, unit),
		(SELECT $1::bigint AS log_size, date '1970-01-01' + $2::int AS effective) at, LATERAL ` +
		sumsOf("l.of", "at.log_size", "at.effective", postedOnLine) + `
		ORDER BY 1, 2, 3`
	of, owners, purposes, units := chartLines()
	t := TrialBalance{LogSize: size, Sums: map[ledger.Unit]ledger.Minutes{}}
	if t.Rows, err = selectAll[TrialRow](ctx, b.lookups, query, size, dayOrNull(at.Effective), pq.Array(of), pq.Array(owners),
		pq.Array(purposes), pq.Array(units)); err != nil {
		return t, fmt.Errorf("summing accounts: %w", err)
	}
	for _, u := range ledger.Units {
		t.Sums[u] = 0
	}
	for _, r := range t.Rows {
		t.Sums[r.Unit] += r.Balance
	}
	return t, nil
}

// sizeAt gives the log size that AsOf means: the one it names, which must have been reached, or now's.
func (b *Book) sizeAt(ctx context.Context, at AsOf) (int64, error) {
	size, err := b.LogSize(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the log's size: %w", err)
	}
	if at.LogSize == nil {
		return size, nil
	}
	if *at.LogSize < 0 || *at.LogSize > size {
		return 0, &ledger.Invalid{Code: "log_size_unknown", Pointer: "/at_log_size", Detail: fmt.Sprintf("the log has %d entries", size)}
	}
	return *at.LogSize, nil
}

// LogSizeKnownAt gives how many entries were recorded until an instant, itself included.
func (b *Book) LogSizeKnownAt(ctx context.Context, at time.Time) (int64, error) {
	size, err := b.LogSize(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the log's size: %w", err)
	}
	// Entries are recorded in the order of time: a search by halves reads some twenty of them.
	var failed error
	n := sort.Search(int(size), func(i int) bool {
		var later bool
		if err := b.db.GetContext(ctx, &later, `SELECT recorded > $2 FROM entry WHERE seq = $1`, i, at); err != nil {
			failed = fmt.Errorf("reading when entry %d was recorded: %w", i, err)
		}
		return later
	})
	return int64(n), failed
}

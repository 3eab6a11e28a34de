package book

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/lib/pq"

	"timebank/ledger"
	"timebank/ledger/statement"
)

// ExportRange is the part of the log to export: the entries from one on, below a size.
type ExportRange struct {
	From int64
	Size *int64 // of the log; nil is all there is
}

// exportAccountsPage is how many accounts are read at a time.
const exportAccountsPage = 200

// CheckExport gives the log size that an export will be of. The actor is an auditor.
func (b *Book) CheckExport(ctx context.Context, by ledger.Actor, format statement.Format, r ExportRange) (int64, error) {
	if err := by.May(ledger.RoleAuditor); err != nil {
		return 0, err
	}
	size, err := b.sizeAt(ctx, AsOf{LogSize: r.Size})
	switch {
	case err != nil:
		return 0, err
	case r.From < 0 || r.From > size:
		return 0, &ledger.Invalid{Code: "range_malformed", Pointer: "/from", Detail: fmt.Sprintf("from is not within the %d entries", size)}
	case r.From > 0 && format.Accounts:
		return 0, &ledger.Invalid{Code: "range_malformed", Pointer: "/from", Detail: "a journal with balances begins with the first entry"}
	}
	return size, nil
}

// Export writes a part of the log, page by page: neither memory nor a database transaction grows with the ledger, and
// what is recorded meanwhile is not in it. progress, which may be nil, is told how many entries of how many are done.
func (b *Book) Export(ctx context.Context, by ledger.Actor, format statement.Format, r ExportRange, w io.Writer, progress func(done, of int64)) error {
	size, err := b.CheckExport(ctx, by, format, r)
	if err != nil {
		return err
	}
	out, form := bufio.NewWriterSize(w, 1<<16), format.New()
	for after := ledger.Seq(r.From - 1); int64(after)+1 < size; {
		page, err := b.Entries(ctx, ledger.Actor{Role: ledger.RoleAuditor}, EntryFilter{After: after, LogSize: size, Limit: PageMax})
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return fmt.Errorf("entry %d is missing", after+1)
		}
		for _, e := range page {
			if err := form.Entry(out, e); err != nil {
				return fmt.Errorf("writing entry %d: %w", e.Seq, err)
			}
			after = e.Seq
		}
		if progress != nil {
			progress(int64(after)+1, size)
		}
	}
	if format.Accounts {
		if err := b.exportAccounts(ctx, size, form, out); err != nil {
			return err
		}
	}
	return out.Flush()
}

// exportAccounts writes every account that moved with its balances at the ends of months.
func (b *Book) exportAccounts(ctx context.Context, size int64, form statement.Form, out io.Writer) error {
	for after := ledger.AccountID(0); ; {
		const accounts = `SELECT id, owner_kind, coalesce(owner::text, '') AS owner, purpose, unit, may_owe, 0 AS balance FROM account WHERE id > $1 ORDER BY id LIMIT $2`
		rows, err := selectAll[accountRow](ctx, b.db, accounts, int64(after), exportAccountsPage)
		if err != nil {
			return fmt.Errorf("reading accounts: %w", err)
		}
		if len(rows) == 0 {
			return nil
		}
		ends, err := b.monthEnds(ctx, rows, size)
		if err != nil {
			return err
		}
		for _, r := range rows {
			a := r.account()
			if after = a.ID; len(ends[a.ID]) == 0 {
				continue
			}
			if err := form.Account(out, statement.MonthEnds{Account: a, Ends: ends[a.ID]}); err != nil {
				return fmt.Errorf("writing account %s: %w", a.ID, err)
			}
		}
	}
}

func (b *Book) monthEnds(ctx context.Context, accounts []accountRow, size int64) (map[ledger.AccountID][]statement.MonthEnd, error) {
	ids := make([]int64, len(accounts))
	for i, r := range accounts {
		ids[i] = int64(r.account().ID)
	}
	const query = `
		SELECT n.account, date_trunc('month', min(effective))::date - date '1970-01-01' AS month, sum(minutes)::bigint AS minutes
		FROM unnest($1::bigint[]) AS n (account), LATERAL postings_of(n.account, 0, $2)
		GROUP BY n.account, extract(year FROM effective), extract(month FROM effective) ORDER BY n.account, month`
	type monthRow struct {
		Account ledger.AccountID `db:"account"`
		Month   int32            `db:"month"`
		Minutes ledger.Minutes   `db:"minutes"`
	}
	rows, err := selectAll[monthRow](ctx, b.db, query, pq.Array(ids), size)
	if err != nil {
		return nil, fmt.Errorf("summing months: %w", err)
	}
	ends, balance := map[ledger.AccountID][]statement.MonthEnd{}, map[ledger.AccountID]ledger.Minutes{}
	for _, r := range rows {
		balance[r.Account] += r.Minutes
		ends[r.Account] = append(ends[r.Account], statement.MonthEnd{Day: ledger.Month.End(ledger.Date(r.Month)), Balance: balance[r.Account]})
	}
	return ends, nil
}

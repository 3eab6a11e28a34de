package api

import (
	"context"
	"fmt"
	"time"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
)

func accountJSON(a book.AccountBalance) gen.Account {
	return gen.Account{Account: a.ID.String(), OwnerKind: gen.OwnerKind(a.Owner.Kind), OwnerId: optional(a.Owner.ID), Purpose: string(a.Purpose),
		Unit: gen.Unit(a.Unit), MayOwe: a.MayOwe, Balance: int64(a.Balance), Entries: a.Entries}
}

func accounts(found []book.AccountBalance) []gen.Account {
	list := make([]gen.Account, len(found))
	for i, a := range found {
		list[i] = accountJSON(a)
	}
	return list
}

// begun leaves out accounts without an entry as of what was asked: an account begins with its first.
func begun(found []book.AccountBalance) (old []book.AccountBalance) {
	for _, a := range found {
		if a.Entries > 0 {
			old = append(old, a)
		}
	}
	return old
}

// asOf reads what moment is asked about: as of which day, and as known at which size of the log or at which instant.
func (s *Server) asOf(ctx context.Context, effective *gen.Date, size *gen.AtLogSizeParam, known *gen.KnownAtParam) (book.AsOf, error) {
	d, err := optionalDate("/effective", effective)
	if err != nil {
		return book.AsOf{}, err
	}
	size, err = s.knownAt(ctx, size, known)
	return book.AsOf{Effective: d, LogSize: size}, err
}

// knownAt gives the size of the log that a size, or an instant, means; nil when neither is given.
func (s *Server) knownAt(ctx context.Context, size *int64, known *time.Time) (*int64, error) {
	if known == nil {
		return size, nil
	}
	if size != nil {
		return nil, invalid("parameter_malformed", "at_log_size and known_at both say what was known: give one")
	}
	n, err := s.book.LogSizeKnownAt(ctx, *known)
	return &n, err
}

func sizeUnknown(size int64) error {
	return invalid("log_size_unknown", fmt.Sprintf("the log has %d entries", size))
}

// ListAccounts lists accounts with balances.
func (s *Server) ListAccounts(ctx context.Context, r gen.ListAccountsRequestObject) (gen.ListAccountsResponseObject, error) {
	q := r.Params
	at, err := s.asOf(ctx, q.Effective, q.AtLogSize, q.KnownAt)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("accounts %v %v %v %v %v %v", deref(q.OwnerKind), deref(q.OwnerId), deref(q.Unit), deref(q.Effective), deref(q.AtLogSize), deref(q.KnownAt))
	p, size, err := s.registryPage(ctx, q.Cursor, q.Limit, name)
	if err != nil {
		return nil, err
	}
	switch {
	case at.LogSize == nil: // all pages of a walk at one moment
		at.LogSize = &size
	case *at.LogSize > size:
		return nil, sizeUnknown(size)
	default:
		size = *at.LogSize
	}
	found, err := s.book.Accounts(ctx, p.by, book.AccountFilter{OwnerKind: ledger.OwnerKind(deref(q.OwnerKind)), Owner: deref(q.OwnerId),
		Unit: ledger.Unit(deref(q.Unit)), At: at, After: ledger.AccountID(max(p.after, 0)), Limit: p.limit})
	if err != nil {
		return nil, err
	}
	var next *string
	if len(found) > 0 {
		next = s.next(p, len(found), int64(found[len(found)-1].ID))
	}
	return list(ctx, gen.AccountList{Data: accounts(begun(found)), AsOfLogSize: size, NextCursor: next}, next), nil
}

// GetAccount reads an account.
func (s *Server) GetAccount(ctx context.Context, r gen.GetAccountRequestObject) (gen.GetAccountResponseObject, error) {
	at, err := s.asOf(ctx, r.Params.Effective, r.Params.AtLogSize, r.Params.KnownAt)
	if err != nil {
		return nil, err
	}
	id, err := ledger.ParseAccountID(r.Account)
	if err != nil {
		return nil, ledger.ErrNotFound
	}
	size, err := s.book.LogSize(ctx)
	if err != nil {
		return nil, err
	}
	if at.LogSize != nil && *at.LogSize > size {
		return nil, sizeUnknown(size)
	}
	a, err := s.book.Account(ctx, callOf(ctx).by, id, at)
	return gen.GetAccount200JSONResponse(accountJSON(a)), err
}

// GetTrialBalance sums every account.
func (s *Server) GetTrialBalance(ctx context.Context, r gen.GetTrialBalanceRequestObject) (gen.GetTrialBalanceResponseObject, error) {
	at, err := s.asOf(ctx, r.Params.Effective, r.Params.AtLogSize, r.Params.KnownAt)
	if err != nil {
		return nil, err
	}
	t, err := s.book.TrialBalance(ctx, callOf(ctx).by, at)
	if err != nil {
		return nil, err
	}
	g := gen.GetTrialBalance200JSONResponse{AsOfLogSize: t.LogSize, Rows: []gen.TrialRow{}, Sums: map[string]int64{}}
	for _, x := range t.Rows {
		g.Rows = append(g.Rows, gen.TrialRow{Unit: gen.Unit(x.Unit), OwnerKind: gen.OwnerKind(x.OwnerKind), Purpose: string(x.Purpose), Accounts: x.Accounts, Balance: int64(x.Balance)})
	}
	for u, sum := range t.Sums {
		g.Sums[string(u)] = int64(sum)
	}
	return g, nil
}

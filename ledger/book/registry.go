package book

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"timebank/ledger"
)

// checkID refuses what is not an id of ours, before it reaches a query.
func checkID(pointer, id string) error {
	u, err := uuid.Parse(id)
	if err != nil || u.String() != id {
		return &ledger.Invalid{Code: "id_malformed", Pointer: pointer, Detail: pointer[1:] + " is not an id such as 01920f3e-1c5a-7c3b-9a51-2f6d8e4b7a10"}
	}
	return nil
}

// openAccounts gives the accounts of the chart for a new owner, under random numbers.
func openAccounts(owner ledger.Owner) ([]ledger.Account, error) {
	var opened []ledger.Account
	for _, l := range ledger.Chart {
		if l.Owner != owner.Kind {
			continue
		}
		id, err := newAccountID()
		if err != nil {
			return nil, err
		}
		opened = append(opened, ledger.Account{ID: id, Owner: owner, Purpose: l.Purpose, Unit: l.Unit, MayOwe: l.MayOwe})
	}
	return opened, nil
}

func newAccountID() (ledger.AccountID, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, fmt.Errorf("making an account number: %w", err)
	}
	return ledger.AccountID(binary.BigEndian.Uint64(b[:])>>1 | 1), nil // positive, never zero
}

// newParty gives the id and the accounts of somebody who is registered.
func newParty(kind ledger.OwnerKind) (string, []ledger.Account, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", nil, fmt.Errorf("making an id: %w", err)
	}
	accounts, err := openAccounts(ledger.Owner{Kind: kind, ID: id.String()})
	return id.String(), accounts, err
}

// checkUntaken refuses an outside id that somebody of the same kind has.
func (w *world) checkUntaken(kind ledger.Kind, id string) error {
	if id != "" && w.taken[externalID{string(kind), id}] {
		return &ledger.Refusal{Code: "external_id_taken", Detail: fmt.Sprintf("another %s is registered under this external id", kind)}
	}
	return nil
}

func (w *world) takeName(kind ledger.Kind, id string) { w.taken[externalID{string(kind), id}] = true }

func (w *world) fetchTaken(ctx context.Context, q selecter, n *wants) error {
	if len(n.taken.list) == 0 {
		return nil
	}
	kinds, ids := make([]string, len(n.taken.list)), make([]string, len(n.taken.list))
	for i, x := range n.taken.list {
		kinds[i], ids[i] = x.kind, x.id
	}
	const query = `
		SELECT n.kind, n.id FROM unnest($1::text[], $2::text[]) AS n (kind, id)
		WHERE n.kind = 'organization' AND EXISTS (SELECT 1 FROM organization WHERE external_id = n.id)
		   OR n.kind = 'volunteer' AND EXISTS (SELECT 1 FROM volunteer WHERE external_id = n.id)
		   OR n.kind = 'partner' AND EXISTS (SELECT 1 FROM partner WHERE external_id = n.id)`
	type takenRow struct {
		Kind string `db:"kind"`
		ID   string `db:"id"`
	}
	rows, err := selectAll[takenRow](ctx, q, query, pq.Array(kinds), pq.Array(ids))
	if err != nil {
		return fmt.Errorf("reading external ids: %w", err)
	}
	for _, r := range rows {
		w.taken[externalID{r.Kind, r.ID}] = true
	}
	return nil
}

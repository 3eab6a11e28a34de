package book

import (
	"database/sql"
	"fmt"
	"slices"
	"time"

	"timebank/ledger"
)

// answerSide is a row of answers as it is kept.
type answerSide struct {
	answerRow
	Recorded time.Time
}

// entry gives the number of the entry that it answers with; below all where it is NULL.
func (a *answerSide) entry() ledger.Seq {
	if !a.Seq.Valid {
		return -1
	}
	return ledger.Seq(a.Seq.Int64)
}

func (w *wire) answer(a *answerSide) {
	a.Client, a.Key, a.Request, a.Recorded = w.id(), w.text(), w.bytes(), w.instant()
	w.odd = w.odd || len(a.Request) != len(ledger.Hash{})
	if seq := w.seqOrNull(); seq != nil {
		a.Seq = sql.NullInt64{Int64: int64(*seq), Valid: true}
	}
	a.Subject, a.Refusal = w.idOrNull(), w.textOrNull()
}

const (
	boundOtherwise = "is bound to other people, other accounts, or another key than the book has"
	boundToNoKey   = "was asked for under a key that is not in the book any more"
)

// openedWith gives the accounts that are opened with an entry, if it registers their owner.
func (g *ground) openedWith(r *prepared) []*running {
	if owner, ok := registered(&r.Record); ok {
		return g.owned[owner]
	}
	return nil
}

// unboundFrom compares what the book keeps beside an entry with what its details are bound to, and tells what is wrong.
func (g *ground) unboundFrom(r *prepared, opened []*running, room []byte) (wrong []string) {
	b := binding{Organization: r.Organization, Volunteer: r.Volunteer, Partner: r.Partner, Accounts: boundAccounts(accountsOf(opened)), Reposts: [2]ledger.Seq{-1, -1}}
	if c := r.claim; c != nil {
		b.Reposts = [2]ledger.Seq{ledger.Seq(c.RepostsShift), ledger.Seq(c.RepostsReference)}
	}
	if len(r.answers) > 0 {
		a, err := r.answers[0].answer()
		if err != nil {
			return []string{fmt.Sprintf("is an answer that cannot be read: %v", err)}
		}
		b.answers(&asked{a.answerKey, a.request, a.id})
		wrong = wrongAnswer(r)
	}
	switch {
	case b.binds(r.Details, room):
	case len(r.answers) == 0 && r.Kind != ledger.KindHoldExpired:
		wrong = append(wrong, boundToNoKey)
	default:
		wrong = append(wrong, boundOtherwise)
	}
	return wrong
}

func accountsOf(running []*running) []ledger.Account {
	accounts := make([]ledger.Account, len(running))
	for i, a := range running {
		accounts[i] = a.Account
	}
	return accounts
}

// registered gives whom an entry registered.
func registered(r *Record) (ledger.Owner, bool) {
	switch r.Kind {
	case ledger.KindOrganization:
		return ledger.Owner{Kind: ledger.OwnerOrganization, ID: r.Organization}, true
	case ledger.KindVolunteer:
		return ledger.Owner{Kind: ledger.OwnerVolunteer, ID: r.Volunteer}, true
	case ledger.KindPartner:
		return ledger.Owner{Kind: ledger.OwnerPartner, ID: r.Partner}, true
	default:
		return ledger.Owner{}, false
	}
}

// wrongAnswer checks that an answer says what its entry does.
func wrongAnswer(r *prepared) []string {
	a := r.answers[0]
	switch refusal := a.Refusal; {
	case len(r.answers) > 1:
		return []string{fmt.Sprintf("is the answer to %d keys", len(r.answers))}
	case !a.Recorded.Equal(r.Recorded):
		return []string{"was answered at another time than it was recorded"}
	case r.Kind == ledger.KindRefusal && refusal != string(unbound(r.Details)), r.Kind != ledger.KindRefusal && refusal != "":
		return []string{"was answered otherwise than it was recorded"}
	}
	return nil
}

// keepOwners keeps the accounts of each owner, for the entry that opened them.
func (g *ground) keepOwners() {
	for _, a := range g.accounts {
		g.owned[a.Owner] = append(g.owned[a.Owner], a)
	}
}

// checkBinding tells what is wrong with what an entry is bound to. An owner that is registered a second time opens no accounts.
func (v *verifier) checkBinding(r *prepared) {
	if owner, ok := registered(&r.Record); ok {
		if v.registered[owner] {
			r.unbound = v.unboundFrom(r, nil, nil)
		}
		v.registered[owner] = true
	}
	for _, wrong := range r.unbound {
		v.find(r.Seq, "%s", wrong)
	}
}

// checkUnowned looks for accounts that nobody opened, and for what the bank and the pool must have.
func (v *verifier) checkUnowned() {
	for owner, accounts := range v.owned {
		if v.registered[owner] {
			continue
		}
		switch owner.Kind {
		case ledger.OwnerBank, ledger.OwnerPool:
			var want, have []ledger.Purpose
			for _, l := range ledger.Chart {
				if l.Owner == owner.Kind {
					want = append(want, l.Purpose)
				}
			}
			for _, a := range accounts {
				have = append(have, a.Purpose)
			}
			slices.Sort(want)
			if slices.Sort(have); !slices.Equal(have, want) {
				v.find(-1, "the %s has the accounts %v, not %v", owner.Kind, have, want)
			}
		default:
			v.find(-1, "a %s has accounts that no entry opened", owner.Kind)
		}
	}
}

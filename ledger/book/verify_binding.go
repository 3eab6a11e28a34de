package book

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"timebank/ledger"
)

// answerSide is a row of answers as it is kept.
type answerSide struct {
	answerRow
	Recorded time.Time `db:"recorded"`
}

// openAnswers begins to read the answers in the order of their entries, beside the entries.
func (v *verifier) openAnswers(ctx context.Context) error {
	const cursor = `
		DECLARE answers NO SCROLL CURSOR FOR
		SELECT client, key, request, seq, coalesce(subject::text, '') AS subject, coalesce(refusal, '') AS refusal, recorded
		FROM answer ORDER BY seq NULLS FIRST`
	if _, err := v.tx.ExecContext(ctx, cursor); err != nil {
		return fmt.Errorf("reading answers: %w", err)
	}
	return nil
}

// answersTo gives the answers that name entries up to one, and keeps what comes after for the next page.
func (v *verifier) answersTo(ctx context.Context, last ledger.Seq) (map[ledger.Seq][]answerSide, error) {
	found := map[ledger.Seq][]answerSide{}
	for {
		for i, a := range v.answers {
			if a.Seq.Valid && ledger.Seq(a.Seq.Int64) > last {
				v.answers = v.answers[i:]
				return found, nil
			}
			seq := ledger.Seq(-1)
			if a.Seq.Valid {
				seq = ledger.Seq(a.Seq.Int64)
			}
			found[seq] = append(found[seq], a)
		}
		var err error
		if v.answers, err = selectAll[answerSide](ctx, v.tx, fmt.Sprintf(`FETCH %d FROM answers`, verifyPage)); err != nil {
			return nil, fmt.Errorf("reading answers: %w", err)
		}
		if len(v.answers) == 0 {
			return found, nil
		}
	}
}

// checkBindings compares what the book keeps beside entries with what their details are bound to.
func (v *verifier) checkBindings(ctx context.Context, records []Record, side sideRows) error {
	answers, err := v.answersTo(ctx, records[len(records)-1].Seq)
	if err != nil {
		return err
	}
	for i := range records {
		r := &records[i]
		v.checkBinding(r, answers[r.Seq], side)
		delete(answers, r.Seq)
	}
	for seq := range answers {
		v.find(max(seq, -1), "is the answer to a key, and is not in the book")
	}
	return nil
}

func (v *verifier) checkBinding(r *Record, answers []answerSide, side sideRows) {
	b := binding{Organization: r.Organization, Volunteer: r.Volunteer, Partner: r.Partner, Accounts: []boundAccount{}, Reposts: [2]ledger.Seq{-1, -1}}
	if owner, ok := registered(r); ok {
		b.Accounts = boundAccounts(v.owned[owner])
		delete(v.owned, owner)
	}
	if c, ok := side.claims[r.Seq]; ok {
		b.Reposts = [2]ledger.Seq{ledger.Seq(c.RepostsShift), ledger.Seq(c.RepostsReference)}
	}
	if len(answers) > 0 {
		a, err := answers[0].answer()
		if err != nil {
			v.find(r.Seq, "is an answer that cannot be read: %v", err)
			return
		}
		b.answers(&asked{a.answerKey, a.request, a.id})
		v.checkAnswer(r, answers)
	}
	bare := unbound(r.Details)
	bound, err := b.bind(bare)
	switch {
	case err == nil && bytes.Equal(bound, r.Details):
	case len(answers) == 0 && r.Kind != ledger.KindHoldExpired:
		v.find(r.Seq, "was asked for under a key that is not in the book any more")
	default:
		v.find(r.Seq, "is bound to other people, other accounts, or another key than the book has")
	}
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

// checkAnswer checks that an answer says what its entry does.
func (v *verifier) checkAnswer(r *Record, answers []answerSide) {
	a := answers[0]
	switch refusal := a.Refusal; {
	case len(answers) > 1:
		v.find(r.Seq, "is the answer to %d keys", len(answers))
	case !a.Recorded.Equal(r.Recorded):
		v.find(r.Seq, "was answered at another time than it was recorded")
	case r.Kind == ledger.KindRefusal && refusal != string(unbound(r.Details)), r.Kind != ledger.KindRefusal && refusal != "":
		v.find(r.Seq, "was answered otherwise than it was recorded")
	}
}

// keepOwners keeps the accounts of each owner, until the entry that opened them comes.
func (v *verifier) keepOwners() {
	v.owned = map[ledger.Owner][]ledger.Account{}
	for _, a := range v.accounts {
		v.owned[a.Owner] = append(v.owned[a.Owner], a.Account)
	}
}

// checkUnowned looks for accounts that nobody opened, and for what the bank and the pool must have.
func (v *verifier) checkUnowned() {
	for owner, accounts := range v.owned {
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

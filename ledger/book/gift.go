package book

import (
	"context"
	"fmt"

	"github.com/lib/pq"

	"timebank/ledger"
	"timebank/policy"
)

// Gift is care credit given away: to a relative, or to the pool when Receiver is empty.
type Gift struct {
	Giver, Receiver string
	Minutes         ledger.Minutes
}

// Give moves care credit of a volunteer to a registered relative, or to the pool, as the rules allow. The
// actor is the volunteer or the guardian.
func (b *Book) Give(ctx context.Context, by ledger.Actor, key Key, g Gift) (Receipt, error) {
	if err := by.May(ledger.RoleVolunteer); err != nil {
		return Receipt{}, err
	}
	if err := checkID("/volunteer_id", g.Giver); err != nil {
		return Receipt{}, err
	}
	if g.Receiver != "" {
		if err := checkID("/receiver_id", g.Receiver); err != nil {
			return Receipt{}, err
		}
	}
	if g.Receiver == g.Giver {
		return Receipt{}, &ledger.Invalid{Code: "gift_to_oneself", Pointer: "/receiver_id", Detail: "a gift goes to somebody else"}
	}
	if g.Minutes < 1 || g.Minutes > ledger.PostingMinutesMax {
		return Receipt{}, &ledger.Invalid{Code: "minutes_out_of_range", Pointer: "/minutes",
			Detail: fmt.Sprintf("a gift is of 1 to %d minutes", ledger.PostingMinutesMax)}
	}
	return b.do(ctx, by, key, &give{by.Subject, g})
}

type give struct {
	by   string
	gift Gift
}

func (c *give) want(_ *world, n *wants) {
	n.volunteers.add(c.gift.Giver)
	n.holdsOf.add(c.gift.Giver)
	n.givers.add(c.gift.Giver)
	if c.gift.Receiver != "" {
		n.volunteers.add(c.gift.Receiver)
		n.pairs.add(pairOf(c.gift.Giver, c.gift.Receiver))
	}
}

func (c *give) about() (organization, volunteer, partner string) { return "", c.gift.Giver, "" }

type giftDetails struct {
	Volunteer string           `json:"volunteer"`
	Receiver  string           `json:"receiver,omitempty"`
	Facts     policy.GiveFacts `json:"facts"`
	Steps     []policy.Step    `json:"steps"`
}

// giftFacts is a gift that somebody made.
type giftFacts struct {
	toPool  bool
	minutes ledger.Minutes
	on      ledger.Date
}

func (c *give) decide(w *world) (decision, error) {
	g := c.gift
	giver := w.volunteers[g.Giver]
	if giver == nil || c.by != g.Giver && c.by != giver.guardian {
		return decision{}, ledger.ErrNotFound
	}
	rules, err := w.rules(w.today)
	if err != nil {
		return decision{}, err
	}
	effects := w.endHolds(g.Giver)
	care := w.account(g.Giver, ledger.CarePurpose)
	f := policy.GiveFacts{Age: rules.Age(giver.born, w.today), Minutes: g.Minutes, Available: care.balance + released(effects, care.ID), Today: w.today}
	f.GivenInMonth, f.GivenInYear = given(w.gifts[g.Giver], g.Receiver == "", w.today)
	f.GrantedInYear = w.granted[g.Giver]
	choose, kind := rules.Donate, ledger.KindDonation
	if g.Receiver != "" {
		choose, kind = rules.Transfer, ledger.KindTransfer
		f.Relation = w.relationOf(g.Giver, g.Receiver)
		if f.Relation != "" { // of a stranger nothing is looked at, and nothing told
			f.ReceiverAge = rules.Age(w.volunteers[g.Receiver].born, w.today)
		}
	}
	d, err := choose(f)
	if err != nil {
		return decision{effects: effects}, err
	}
	if g.Receiver != "" && w.volunteers[g.Receiver] == nil { // only asked where the rules let credit go to anybody
		return decision{effects: effects}, &ledger.Invalid{Code: "volunteer_unknown", Pointer: "/receiver_id", Detail: "no such volunteer is registered"}
	}
	if g.Minutes > f.Available {
		return decision{effects: effects}, &ledger.Refusal{Code: "credit_insufficient",
			Detail: fmt.Sprintf("%s were to be given and %s are available", g.Minutes, f.Available)}
	}
	e, err := c.effect(w, kind, rules, f, d)
	return decision{effects: append(effects, e)}, err
}

// given sums what somebody gave before in the month and in the year.
func given(gifts []giftFacts, toPool bool, today ledger.Date) (month, year ledger.Minutes) {
	for _, g := range gifts {
		if g.toPool != toPool || ledger.Year.Start(g.on) != ledger.Year.Start(today) {
			continue
		}
		year += g.minutes
		if ledger.Month.Start(g.on) == ledger.Month.Start(today) {
			month += g.minutes
		}
	}
	return month, year
}

func (c *give) effect(w *world, kind ledger.Kind, rules *policy.Rules, f policy.GiveFacts, d policy.GiveDecision) (effect, error) {
	g := c.gift
	details, err := encode(giftDetails{g.Giver, g.Receiver, f, d.Steps})
	if err != nil {
		return effect{}, err
	}
	from := w.account(g.Giver, ledger.CarePurpose).ID
	var ps []ledger.Posting
	if g.Receiver == "" {
		ps = ledger.Move(ps, ledger.Care, from, w.account(string(ledger.OwnerPool), ledger.CarePurpose).ID, g.Minutes)
	} else {
		ps = w.creditCare(ps, from, g.Receiver, g.Minutes)
	}
	const insert = `INSERT INTO gift (seq, giver, receiver, minutes, given_on) VALUES ($1, $2, nullif($3, '')::uuid, $4, date '1970-01-01' + $5::int)`
	return effect{
		draft:     ledger.Draft{Kind: kind, Effective: w.today, Rules: rules.Hash(), Postings: ps, Details: details},
		volunteer: g.Giver,
		rows: func(seq ledger.Seq) []row {
			return []row{{insert, []any{seq, g.Giver, g.Receiver, g.Minutes, int64(w.today)}}}
		},
		learned: func(w *world, _ ledger.Seq) {
			w.gifts[g.Giver] = append(w.gifts[g.Giver], giftFacts{g.Receiver == "", g.Minutes, w.today})
		},
	}, nil
}

// fetchGifts reads what givers gave this year.
func (w *world) fetchGifts(ctx context.Context, q selecter, n *wants) error {
	if len(n.givers.list) == 0 {
		return nil
	}
	const query = `
		SELECT giver, receiver IS NULL AS to_pool, minutes, given_on - date '1970-01-01' AS given_on
		FROM gift WHERE giver = ANY ($1::uuid[]) AND given_on >= date '1970-01-01' + $2::int ORDER BY seq`
	type giftRow struct {
		Giver   string         `db:"giver"`
		ToPool  bool           `db:"to_pool"`
		Minutes ledger.Minutes `db:"minutes"`
		GivenOn int32          `db:"given_on"`
	}
	rows, err := selectAll[giftRow](ctx, q, query, pq.Array(n.givers.list), int64(ledger.Year.Start(w.today)))
	if err != nil {
		return fmt.Errorf("reading gifts: %w", err)
	}
	if err := w.fetchGranted(ctx, q, n.givers.list); err != nil {
		return err
	}
	for _, r := range rows {
		w.gifts[r.Giver] = append(w.gifts[r.Giver], giftFacts{r.ToPool, r.Minutes, ledger.Date(r.GivenOn)})
	}
	return nil
}

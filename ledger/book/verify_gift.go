package book

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
)

type giftSide struct {
	Seq      ledger.Seq     `db:"seq"`
	Giver    string         `db:"giver"`
	Receiver string         `db:"receiver"`
	Minutes  ledger.Minutes `db:"minutes"`
	GivenOn  int32          `db:"given_on"`
}

func (v *verifier) sideGifts(ctx context.Context, s sideRows, from, to ledger.Seq) error {
	const query = `
		SELECT seq, giver, coalesce(receiver::text, '') AS receiver, minutes, given_on - date '1970-01-01' AS given_on
		FROM gift WHERE seq BETWEEN $1 AND $2`
	rows, err := selectAll[giftSide](ctx, v.tx, query, from, to)
	if err != nil {
		return fmt.Errorf("reading gifts: %w", err)
	}
	for _, r := range rows {
		s.gifts[r.Seq] = r
	}
	return nil
}

// checkRelation keeps who was whose relative when a gift was made.
func (v *verifier) checkRelation(r *Record) {
	if len(r.Postings) > 0 {
		v.find(r.Seq, "of kind %s moves minutes", r.Kind)
	}
	if r.Kind == ledger.KindRelationEnd {
		for _, k := range v.kin {
			if r.Refers != nil && k.seq == *r.Refers {
				k.ended = true
			}
		}
		return
	}
	var d relationDetails
	if err := json.Unmarshal(r.Details, &d); err != nil {
		v.find(r.Seq, "has details that cannot be read: %v", err)
		return
	}
	v.kin[pairOf(d.Volunteer, d.Relative)] = &relationFacts{r.Seq, d.Volunteer, d.Relative, d.Kind, d.Organization, false}
}

// checkGift decides a gift again, and compares its facts with the entries before it.
func (v *verifier) checkGift(r *Record, side sideRows) {
	v.given++
	var d giftDetails
	row, ok := side.gifts[r.Seq]
	if err := json.Unmarshal(r.Details, &d); err != nil || !ok {
		v.find(r.Seq, "has no readable details, or no row in gift")
		return
	}
	if want := (giftSide{r.Seq, d.Volunteer, d.Receiver, d.Facts.Minutes, int32(d.Facts.Today)}); row != want || d.Volunteer != r.Volunteer || d.Facts.Today != r.Effective {
		v.find(r.Seq, "differs from its row in gift")
	}
	month, year := given(v.gifts[d.Volunteer], d.Receiver == "", d.Facts.Today)
	if d.Facts.GivenInMonth != month || d.Facts.GivenInYear != year {
		v.find(r.Seq, "was decided as if %d and %d minutes had been given that month and year, it was %d and %d",
			d.Facts.GivenInMonth, d.Facts.GivenInYear, month, year)
	}
	var granted ledger.Minutes
	for _, g := range v.groups.granted[d.Volunteer] {
		if ledger.Year.Start(g.on) == ledger.Year.Start(d.Facts.Today) {
			granted += g.minutes
		}
	}
	if d.Facts.GrantedInYear != granted {
		v.find(r.Seq, "was decided as if the pool had given %d minutes that year, it was %d", d.Facts.GrantedInYear, granted)
	}
	v.gifts[d.Volunteer] = append(v.gifts[d.Volunteer], giftFacts{d.Receiver == "", d.Facts.Minutes, d.Facts.Today})
	if d.Receiver != "" {
		if have := (&world{relations: v.kin}).relationOf(d.Volunteer, d.Receiver); have != d.Facts.Relation {
			v.find(r.Seq, "was decided as if the receiver was a %s, the log says %q", d.Facts.Relation, have)
		}
	}
	if rules, ok := v.rules[r.Rules]; ok {
		v.report.Replayed++
		if err := rules.Replay(r.Kind, r.Details); err != nil {
			v.find(r.Seq, "%v", err)
		}
	}
	v.checkGiftLines(r, d)
}

// checkGiftLines checks that what the giver loses the receiver or the pool gets, and nobody else.
func (v *verifier) checkGiftLines(r *Record, d giftDetails) {
	moved := map[ledger.Owner]ledger.Minutes{}
	for _, l := range r.Lines {
		moved[l.Owner] += l.Minutes
	}
	to := ledger.Owner{Kind: ledger.OwnerPool}
	if d.Receiver != "" {
		to = ledger.Owner{Kind: ledger.OwnerVolunteer, ID: d.Receiver}
	}
	from := ledger.Owner{Kind: ledger.OwnerVolunteer, ID: d.Volunteer}
	if len(moved) != 2 || moved[from] != -d.Facts.Minutes || moved[to] != d.Facts.Minutes {
		v.find(r.Seq, "does not move the %d minutes from the giver to the receiver", d.Facts.Minutes)
	}
}

// checkWard keeps what a guardian consented to when a child served.
func (v *verifier) checkWard(r *Record) {
	if len(r.Postings) > 0 {
		v.find(r.Seq, "of kind %s moves minutes", r.Kind)
	}
	var d wardConsentDetails
	err := json.Unmarshal(r.Details, &d)
	since, err1 := ledger.ParseDate(d.Since)
	until, err2 := ledger.ParseDate(d.Until)
	if err != nil || err1 != nil || err2 != nil || d.Ward != r.Volunteer {
		v.find(r.Seq, "has details that cannot be read")
		return
	}
	v.wards[d.Ward] = append(v.wards[d.Ward], WardConsent{d.Ward, since, until})
}

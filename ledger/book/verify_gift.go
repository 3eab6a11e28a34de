package book

import (
	"github.com/go-json-experiment/json"

	"timebank/ledger"
)

type giftSide struct {
	Seq      ledger.Seq
	Giver    string
	Receiver string
	Minutes  ledger.Minutes
	GivenOn  ledger.Date
}

// checkRelation keeps who was whose relative when a gift was made.
func (v *verifier) checkRelation(r *prepared) {
	if len(r.Postings) > 0 {
		v.find(r.Seq, "of kind %s moves minutes", r.Kind)
	}
	if r.Kind == ledger.KindRelationEnd {
		if r.Refers != nil {
			if k := v.kinBySeq[*r.Refers]; k != nil {
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
	k := &relationFacts{r.Seq, d.Volunteer, d.Relative, d.Kind, d.Organization, false}
	v.kin[pairOf(d.Volunteer, d.Relative)], v.kinBySeq[r.Seq] = k, k
}

// checkGift decides a gift again, and compares its facts with the entries before it.
func (v *verifier) checkGift(r *prepared) {
	v.given++
	var d giftDetails
	if err := json.Unmarshal(r.Details, &d); err != nil || r.gift == nil {
		v.find(r.Seq, "has no readable details, or no row in gift")
		return
	}
	if want := (giftSide{r.Seq, d.Volunteer, d.Receiver, d.Facts.Minutes, d.Facts.Today}); *r.gift != want || d.Volunteer != r.Volunteer || d.Facts.Today != r.Effective {
		v.find(r.Seq, "differs from its row in gift")
	}
	giver := v.parties.of(d.Volunteer)
	month, year := given(giver.gifts, d.Receiver == "", d.Facts.Today)
	if d.Facts.GivenInMonth != month || d.Facts.GivenInYear != year {
		v.find(r.Seq, "was decided as if %d and %d minutes had been given that month and year, it was %d and %d",
			d.Facts.GivenInMonth, d.Facts.GivenInYear, month, year)
	}
	var granted ledger.Minutes
	for _, g := range giver.granted {
		if ledger.Year.Start(g.on) == ledger.Year.Start(d.Facts.Today) {
			granted += g.minutes
		}
	}
	if d.Facts.GrantedInYear != granted {
		v.find(r.Seq, "was decided as if the pool had given %d minutes that year, it was %d", d.Facts.GrantedInYear, granted)
	}
	giver.gifts = append(giver.gifts, giftFacts{d.Receiver == "", d.Facts.Minutes, d.Facts.Today})
	if d.Receiver != "" {
		if have := (&world{relations: v.kin}).relationOf(d.Volunteer, d.Receiver); have != d.Facts.Relation {
			v.find(r.Seq, "was decided as if the receiver was a %s, the log says %q", d.Facts.Relation, have)
		}
	}
	v.checkReplayed(r)
	v.checkGiftLines(r, d)
}

// checkGiftLines checks that what the giver loses the receiver or the pool gets, and nobody else.
func (v *verifier) checkGiftLines(r *prepared, d giftDetails) {
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
func (v *verifier) checkWard(r *prepared) {
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
	ward := v.parties.of(d.Ward)
	ward.wards = append(ward.wards, WardConsent{d.Ward, since, until})
}

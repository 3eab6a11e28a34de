package book

import (
	"slices"

	"timebank/ledger"
)

// checkRedeemed compares what a hold was decided on with the holds before it, and with who was whose
// relative.
func (v *verifier) checkRedeemed(r *Record, d holdDetails) {
	var month ledger.Minutes
	open := 0
	for _, h := range v.redeemed[d.Volunteer] {
		inMonth := ledger.Month.Start(h.on) == ledger.Month.Start(r.Effective)
		switch {
		case !h.settled:
			open++
			if inMonth {
				month += h.minutes
			}
		case inMonth:
			month += h.given
		}
	}
	if d.Facts.RedeemedInMonth != month || d.Facts.OpenHolds != open {
		v.find(r.Seq, "was decided as if %d minutes had been redeemed that month and %d holds were open, it was %d and %d",
			d.Facts.RedeemedInMonth, d.Facts.OpenHolds, month, open)
	}
	if d.Facts.ForRelative != (d.For != "") {
		v.find(r.Seq, "was decided as if it was for a relative: %t", d.Facts.ForRelative)
	}
	if d.For != "" {
		if have := (&world{relations: v.kin}).relationOf(d.Volunteer, d.For); have != d.Facts.Relation {
			v.find(r.Seq, "was decided as if it was for a %s, the log says %q", d.Facts.Relation, have)
		}
	}
	v.redeemed[d.Volunteer] = append(v.redeemed[d.Volunteer], &holdFacts{seq: r.Seq, minutes: d.Facts.Minutes, on: r.Effective})
}

// settleRedeemed keeps that a hold ended, and with how much given.
func (v *verifier) settleRedeemed(r *Record, given ledger.Minutes) {
	holds := v.redeemed[r.Volunteer]
	i := slices.IndexFunc(holds, func(h *holdFacts) bool { return h.seq == *r.Refers })
	if i >= 0 {
		holds[i].settled, holds[i].given = true, given
	}
}

package book

import "timebank/ledger"

// redeemedKept is what the entries so far come to on the redemptions of one volunteer.
type redeemedKept struct {
	months map[ledger.Date]ledger.Minutes // held or given, by the first of the month; nil before the first hold
	open   int                            // holds that are not settled
}

// checkRedeemed compares what a hold was decided on with the holds before it, and with who was whose
// relative.
func (v *verifier) checkRedeemed(r *prepared, kept *keptHold) {
	d, redeemer := r.held, v.parties.of(r.held.Volunteer)
	all := &redeemer.redeemed
	if all.months == nil {
		all.months = map[ledger.Date]ledger.Minutes{}
	}
	if month := all.months[ledger.Month.Start(r.Effective)]; d.Facts.RedeemedInMonth != month || d.Facts.OpenHolds != all.open {
		v.find(r.Seq, "was decided as if %d minutes had been redeemed that month and %d holds were open, it was %d and %d",
			d.Facts.RedeemedInMonth, d.Facts.OpenHolds, month, all.open)
	}
	if d.Facts.ForRelative != (d.For != "") {
		v.find(r.Seq, "was decided as if it was for a relative: %t", d.Facts.ForRelative)
	}
	if d.For != "" {
		if have := (&world{relations: v.kin}).relationOf(d.Volunteer, d.For); have != d.Facts.Relation {
			v.find(r.Seq, "was decided as if it was for a %s, the log says %q", d.Facts.Relation, have)
		}
	}
	kept.redeemer, kept.on, kept.counts = redeemer, r.Effective, d.Facts.Minutes
	all.open++
	all.months[ledger.Month.Start(kept.on)] += kept.counts
}

// settleRedeemed keeps that a hold ended, and with how much given.
func (v *verifier) settleRedeemed(r *prepared, hold *keptHold, given ledger.Minutes) {
	if hold.redeemer == nil || hold.redeemer.id != r.Volunteer {
		return
	}
	all := &hold.redeemer.redeemed
	if !hold.settled {
		all.open--
	}
	all.months[ledger.Month.Start(hold.on)] += given - hold.counts
	hold.settled, hold.counts = true, given
}

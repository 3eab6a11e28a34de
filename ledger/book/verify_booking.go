package book

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
	"timebank/policy"
)

// careAtOf reads "2026-03-05T14:30" as hold.care_at has it, or -1 for nothing.
func careAtOf(s string) int64 {
	day, clock, _ := strings.Cut(s, "T")
	d, err1 := ledger.ParseDate(day)
	c, err2 := ledger.ParseClock(clock)
	if err1 != nil || err2 != nil {
		return -1
	}
	return int64(At(d, c))
}

// checkBooked compares how far ahead care was booked with when it was recorded, and the strikes with the
// cancellings before.
func (v *verifier) checkBooked(r *prepared, kept *keptHold) {
	d := r.held
	at, now := careAtOf(d.CareAt), int64(careTime(r.Recorded.In(v.zone)))
	if d.Facts.Booked != (at >= 0) || d.Facts.Booked && d.Facts.LeadMinutes != at-now {
		v.find(r.Seq, "was decided as if care was booked %d minutes ahead", d.Facts.LeadMinutes)
	}
	kept.careAt, kept.booked = at, at >= 0
	if p, e := v.struck(d.Partner, r.Effective), v.struck(d.Volunteer, r.Effective); d.Facts.PartnerStrikes != p || d.Facts.VolunteerStrikes != e {
		v.find(r.Seq, "was decided as if %d and %d strikes counted against the partner and the volunteer, it was %d and %d",
			d.Facts.PartnerStrikes, d.Facts.VolunteerStrikes, p, e)
	}
}

func (v *verifier) struck(owner string, today ledger.Date) (n int) {
	for _, on := range v.parties.of(owner).strikes {
		if on > today-strikeDays {
			n++
		}
	}
	return n
}

// checkCancelled decides again against whom a cancelling counts.
func (v *verifier) checkCancelled(r *prepared, hold *keptHold) {
	rules, ok := v.replayFacts(r)
	if !ok {
		return
	}
	var d cancelDetails
	if err := json.Unmarshal(r.Details, &d); err != nil {
		v.find(r.Seq, "has details that cannot be read: %v", err)
		return
	}
	again, err := rules.Cancel(d.Facts)
	if err != nil || !slices.Equal(again.Against, d.Against) {
		v.find(r.Seq, "counts against %v; decided again, it is %v", d.Against, again.Against)
	}
	at, booked := hold.careAt, hold.booked
	if d.Facts.Booked != booked || booked && d.Facts.Notice != at-int64(careTime(r.Recorded.In(v.zone))) {
		v.find(r.Seq, "was decided as if it came %d minutes before the time", d.Facts.Notice)
	}
	for _, who := range d.Against {
		owner := r.Partner
		if who == ledger.OwnerVolunteer {
			owner = r.Volunteer
		}
		p := v.parties.of(owner)
		p.strikes = append(p.strikes, r.Effective)
	}
}

// replayFacts tells what came of deciding an entry again, and gives the rule set that decided it.
func (v *verifier) replayFacts(r *prepared) (*policy.Rules, bool) {
	if !v.checkReplayed(r) {
		v.find(r.Seq, "of kind %s was decided by no rule set of the book", r.Kind)
		return nil, false
	}
	return v.rules[r.Rules], true
}

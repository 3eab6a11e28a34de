package book

import (
	"bytes"
	"database/sql"
	"slices"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
	"timebank/policy"
)

// readSnapshot is how Verify reads: one moment of the book, whatever is written meanwhile.
var readSnapshot = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}

type claimSide struct {
	Seq              ledger.Seq
	Volunteer        string
	Organization     string
	ServedOn         ledger.Date
	Minutes          ledger.Minutes
	SpanFrom         int64
	SpanTo           int64
	Fingerprint      []byte
	Reference        string
	RepostsShift     int64
	RepostsReference int64
	Grade            ledger.Grade
	Care             ledger.Minutes
	Youth            ledger.Minutes
	Pooled           ledger.Minutes
}

type carrySide struct {
	Seq       ledger.Seq
	Volunteer string
	Unit      ledger.Unit
	Rest      int64
	Parts     int64
}

type choiceSide struct {
	Seq      ledger.Seq
	Owner    string
	Choice   string
	Option   string
	ChosenOn ledger.Date
}

type holdSide struct {
	Seq       ledger.Seq
	ID        string
	Volunteer string
	Partner   string
	Service   string
	Minutes   ledger.Minutes
	Consent   ledger.Seq
	EndsAt    string
	CareAt    int64 // -1 for none
}

type settlementSide struct {
	Seq   ledger.Seq
	Hold  ledger.Seq
	Held  ledger.Minutes
	Given ledger.Minutes
}

// checkMeaning checks that an entry does what its kind and details say, and was decided as it would be again.
func (v *verifier) checkMeaning(r *prepared) {
	switch r.Kind {
	case ledger.KindHours:
		v.checkHours(r)
	case ledger.KindHold:
		v.checkHold(r)
	case ledger.KindCorrection:
		v.checkCorrection(r)
	case ledger.KindChoice:
		v.checkChoice(r)
	case ledger.KindTransfer, ledger.KindDonation:
		v.checkGift(r)
	case ledger.KindWard:
		v.checkWard(r)
	case ledger.KindRelation, ledger.KindRelationEnd:
		v.checkRelation(r)
	case ledger.KindApplication, ledger.KindGrant, ledger.KindExpiry, ledger.KindHonour, ledger.KindNomination, ledger.KindSupport,
		ledger.KindReferral, ledger.KindClarify:
		v.checkGroups(r)
	case ledger.KindConfirm, ledger.KindCancel, ledger.KindHoldExpired:
		v.checkSettlement(r)
	default:
		if len(r.Postings) > 0 {
			v.find(r.Seq, "of kind %s moves minutes", r.Kind)
		}
	}
}

func (v *verifier) checkHours(r *prepared) {
	v.claims++
	h := r.hours
	kept, at := v.keptClaims.put(r.Seq)
	volunteer := v.parties.of(r.Volunteer)
	*kept = keptClaim{volunteer: volunteer.number, rules: -1, moved: served(r)}
	if r.unreadable != nil {
		v.find(r.Seq, "has details that cannot be read: %v", r.unreadable)
		return
	}
	if r.claim == nil {
		v.find(r.Seq, "has no row in claim")
		return
	}
	if !h.sameRow {
		v.find(r.Seq, "differs from its row in claim")
	}
	d := &h.details
	if d.Organization != r.Organization || d.Volunteer != r.Volunteer || d.Facts.ServedOn != r.Effective {
		v.find(r.Seq, "is not about the organization, volunteer and day that its details name")
	}
	changed := v.replay(r, volunteer, kept)
	v.keepServed(r, volunteer, kept, at)
	v.checkCarry(r, volunteer, changed)
}

// row gives the claim's row that the details imply; what it earned comes from the replay.
func (d *claimDetails) row(seq ledger.Seq) claimSide {
	c := ledger.Claim{Volunteer: d.Volunteer, Activity: d.Activity, ServedOn: d.Facts.ServedOn, Minutes: d.Facts.Minutes,
		Start: clockOf(d.Start), End: clockOf(d.End)}
	fingerprint := c.Fingerprint(d.Organization)
	row := claimSide{Seq: seq, Volunteer: d.Volunteer, Organization: d.Organization, ServedOn: d.Facts.ServedOn, Minutes: d.Facts.Minutes,
		SpanFrom: -1, SpanTo: -1, Fingerprint: fingerprint[:], Reference: d.Reference, Grade: d.Grade}
	if from, to, ok := c.Span(); ok {
		row.SpanFrom, row.SpanTo = from, to
	}
	return row
}

func clockOf(s string) *ledger.Clock {
	c, err := ledger.ParseClock(s)
	if err != nil {
		return nil
	}
	return &c
}

func sameClaim(have, want claimSide) bool {
	return have.Volunteer == want.Volunteer && have.Organization == want.Organization && have.ServedOn == want.ServedOn &&
		have.Minutes == want.Minutes && have.SpanFrom == want.SpanFrom && have.SpanTo == want.SpanTo &&
		bytes.Equal(have.Fingerprint, want.Fingerprint) && have.Reference == want.Reference && have.Grade == want.Grade
}

// served gives what a claim moves to the volunteer's record of service.
func served(r *prepared) (m ledger.Minutes) {
	for i := range r.Lines {
		if l := &r.Lines[i]; l.Owner.Kind == ledger.OwnerVolunteer && l.Purpose == ledger.Served {
			m = l.Minutes
		}
	}
	return m
}

// replay compares everything with what the claim comes to when it is decided again from its recorded facts, and gives the units
// of which it changed what rounding left.
func (v *verifier) replay(r *prepared, volunteer *party, kept *keptClaim) (changed []ledger.Unit) {
	h := r.hours
	d, row := &h.details, r.claim
	if h.rules == nil {
		return nil
	}
	v.checkPast(r, volunteer, h.rules)
	if !h.inForce {
		v.find(r.Seq, "was decided by a rule set that was not in force on %s", r.Effective)
	}
	v.report.Replayed++
	if h.refused != nil {
		v.find(r.Seq, "would be refused by its own rule set: %v", h.refused)
		return nil
	}
	if !h.explains() {
		v.find(r.Seq, "is explained otherwise when it is decided again")
	}
	e := h.decision.Earned
	kept.earned, kept.rules = e, int32(slices.Index(v.sets, h.rules))
	changed = volunteer.tally.Serve(h.rules, d.Facts, e)
	if row.Care != e.Care || row.Youth != e.Youth || row.Pooled != e.Pooled {
		v.find(r.Seq, "has a row in claim that says it earned %d, %d and %d minutes; decided again, it is %d, %d and %d",
			row.Care, row.Youth, row.Pooled, e.Care, e.Youth, e.Pooled)
	}
	served, care, youth := moved(r, ledger.OwnerVolunteer, ledger.Service), moved(r, ledger.OwnerVolunteer, ledger.Care), moved(r, ledger.OwnerVolunteer, ledger.Youth)
	if pooled := moved(r, ledger.OwnerPool, ledger.Care); served != d.Facts.Minutes || care != e.Care || youth != e.Youth || pooled != e.Pooled {
		v.find(r.Seq, "moved %d served, %d care and %d youth minutes, and %d to the pool; decided again, it is %d, %d, %d and %d", served,
			care, youth, pooled, d.Facts.Minutes, e.Care, e.Youth, e.Pooled)
	}
	v.checkOwners(r)
	return changed
}

// checkPast compares what a claim was decided on with what the entries before it come to.
func (v *verifier) checkPast(r *prepared, volunteer *party, rules *policy.Rules) {
	f := &r.hours.details.Facts
	past := volunteer.tally.Past(rules, r.Effective)
	past.CareStored = volunteer.credit
	if past = rules.Counted(past); f.Past != past {
		v.find(r.Seq, "was decided on a past of %+v; by the entries before it, it was %+v", f.Past, past)
	}
	var chosen []string
	if rules.Counts().Chosen {
		chosen = inForce(inForce(nil, volunteer.choices, r.Effective), v.parties.of(r.Organization).choices, r.Effective)
	}
	if had := rules.Counts().GuardianConsent && consented(volunteer.wards, r.Effective); f.GuardianConsent != had {
		v.find(r.Seq, "was decided as if a guardian had consented: %t; it was %t", f.GuardianConsent, had)
	}
	if !slices.Equal(f.Chosen, chosen) {
		v.find(r.Seq, "was decided as if %v had been chosen, it was %v", f.Chosen, chosen)
	}
}

// checkCarry compares the rows of what rounding left with what the tally has after an entry, which changed it of some units.
func (v *verifier) checkCarry(r *prepared, volunteer *party, changed []ledger.Unit) {
	for _, c := range r.carries {
		v.carries++
		if want := volunteer.tally.Carried(c.Unit); c.Volunteer != r.Volunteer || c.Rest != want.Rest || c.Parts != want.Parts {
			v.find(r.Seq, "has a row in carry of %d/%d min of %s, it is %d/%d", c.Rest, c.Parts, c.Unit, want.Rest, want.Parts)
		}
	}
	if !slices.EqualFunc(r.carries, changed, func(c carrySide, u ledger.Unit) bool { return c.Unit == u }) {
		v.find(r.Seq, "has %d rows in carry, and should have one of each of %v", len(r.carries), changed)
	}
}

// checkChoice checks a choice, and keeps it for the claims that come after it.
func (v *verifier) checkChoice(r *prepared) {
	v.chosen++
	var d choiceDetails
	if err := json.Unmarshal(r.Details, &d); err != nil || r.choice == nil {
		v.find(r.Seq, "has no readable details, or no row in choice")
		return
	}
	owner := d.Volunteer + d.Organization // one of them
	if want := (choiceSide{r.Seq, owner, d.Facts.Choice, d.Facts.Option, d.Facts.Today}); *r.choice != want ||
		d.Volunteer != r.Volunteer || d.Organization != r.Organization || d.Facts.Today != r.Effective {
		v.find(r.Seq, "differs from its row in choice")
	}
	party := v.parties.of(owner)
	for _, before := range party.choices {
		if before.choice == d.Facts.Choice && before.on > d.Facts.Before {
			v.find(r.Seq, "was decided as if nothing had been chosen since %s", d.Facts.Before)
		}
	}
	party.choices = append(party.choices, choiceFacts{d.Facts.Choice, d.Facts.Option, d.Facts.Today})
	v.checkReplayed(r)
	if len(r.Postings) > 0 {
		v.find(r.Seq, "of kind %s moves minutes", r.Kind)
	}
}

// checkReplayed tells what came of deciding an entry again; false where no rule set of the book decided it.
func (v *verifier) checkReplayed(r *prepared) bool {
	if _, ok := v.rules[r.Rules]; !ok {
		return false
	}
	v.report.Replayed++
	if r.replayed != nil {
		v.find(r.Seq, "%v", r.replayed)
	}
	return true
}

// moved sums what an entry moves of a unit to accounts of an owner kind.
func moved(r *prepared, kind ledger.OwnerKind, unit ledger.Unit) (m ledger.Minutes) {
	for i := range r.Lines {
		if l := &r.Lines[i]; l.Owner.Kind == kind && l.Unit == unit {
			m += l.Minutes
		}
	}
	return m
}

// checkOwners checks that an entry touches no accounts but those of whom it is about, and the bank's.
func (v *verifier) checkOwners(r *prepared) {
	for i := range r.Lines {
		l := &r.Lines[i]
		switch l.Owner.Kind {
		case ledger.OwnerVolunteer:
			if l.Owner.ID == r.Volunteer {
				continue
			}
		case ledger.OwnerOrganization:
			if l.Owner.ID == r.Organization {
				continue
			}
		case ledger.OwnerPartner:
			if l.Owner.ID == r.Partner {
				continue
			}
		case ledger.OwnerBank, ledger.OwnerPool:
			continue
		}
		v.find(r.Seq, "touches account %s of somebody it is not about", l.Account)
	}
}

func (v *verifier) checkCorrection(r *prepared) {
	t := refers(v, r, "corrected", ledger.KindHours, &v.keptClaims, func(c *keptClaim) *bool { return &c.corrected })
	if t == nil {
		return
	}
	var d correctionDetails
	if err := json.Unmarshal(r.Details, &d); err != nil || d.Corrects != *r.Refers {
		v.find(r.Seq, "has details that do not fit it")
	}
	written := ledger.Minutes(0)
	if d.Rule == string(policy.WrittenOff) {
		written = d.Shortfall
	}
	if moved(r, ledger.OwnerVolunteer, ledger.Service) != -t.moved || moved(r, ledger.OwnerVolunteer, ledger.Care) != written-t.earned.Care ||
		moved(r, ledger.OwnerVolunteer, ledger.Youth) != -t.earned.Youth || moved(r, ledger.OwnerPool, ledger.Care) != d.PoolShortfall-t.earned.Pooled {
		v.find(r.Seq, "does not take back what entry %d gave", *r.Refers)
	}
	v.checkOwners(r)
	if t.rules >= 0 {
		facts := policy.ClaimFacts{ServedOn: t.servedOn, Minutes: t.minutes}
		served := v.parties.all[t.volunteer]
		v.checkCarry(r, v.parties.of(r.Volunteer), served.tally.Undo(v.sets[t.rules], facts, t.earned))
	}
}

// refers gives the entry that r refers to, once for each purpose.
func refers[T any](v *verifier, r *prepared, as string, kind ledger.Kind, kept *keptBy[T], taken func(*T) *bool) *T {
	if r.Refers == nil {
		v.find(r.Seq, "refers to no entry")
		return nil
	}
	t := kept.of(*r.Refers)
	if t == nil {
		v.find(r.Seq, "refers to entry %d, which is not of kind %s", *r.Refers, kind)
		return nil
	}
	was := taken(t)
	if *was {
		v.find(r.Seq, "refers to entry %d, which was %s before", *r.Refers, as)
	}
	*was = true
	return t
}

func (v *verifier) checkHold(r *prepared) {
	v.holds++
	kept, _ := v.keptHolds.put(r.Seq)
	if r.unreadable != nil || r.hold == nil {
		v.find(r.Seq, "has no readable details, or no row in hold")
		return
	}
	d := r.held
	if want := (holdSide{r.Seq, d.Redemption, d.Volunteer, d.Partner, d.Service, d.Facts.Minutes, d.Consent, d.EndsAt, careAtOf(d.CareAt)}); *r.hold != want ||
		d.Volunteer != r.Volunteer || d.Partner != r.Partner {
		v.find(r.Seq, "differs from its row in hold")
	}
	v.checkRedeemed(r, kept)
	v.checkBooked(r, kept)
	if !v.checkReplayed(r) {
		return
	}
	if held := heldBy(r); held != d.Facts.Minutes || len(r.Lines) != 2 {
		v.find(r.Seq, "holds %d minutes, its details say %d", held, d.Facts.Minutes)
	}
	v.checkOwners(r)
}

func heldBy(r *prepared) (m ledger.Minutes) {
	for i := range r.Lines {
		if l := &r.Lines[i]; l.Purpose == ledger.CareHeld {
			m += l.Minutes
		}
	}
	return m
}

func (v *verifier) checkSettlement(r *prepared) {
	v.settled++
	hold := refers(v, r, "settled", ledger.KindHold, &v.keptHolds, func(h *keptHold) *bool { return &h.taken })
	if hold == nil {
		return
	}
	d := r.settled
	defer v.settleRedeemed(r, hold, d.Given)
	if r.unreadable != nil || r.settlement == nil {
		v.find(r.Seq, "has no readable details, or no row in settlement")
		return
	}
	if want := (settlementSide{r.Seq, *r.Refers, d.Held, d.Given}); *r.settlement != want {
		v.find(r.Seq, "differs from its row in settlement")
	}
	given := moved(r, ledger.OwnerPartner, ledger.Care)
	if given != d.Given || heldBy(r) != -d.Held || (r.Kind != ledger.KindConfirm && given != 0) {
		v.find(r.Seq, "does not settle the %d minutes that were held", d.Held)
	}
	if r.Kind == ledger.KindCancel {
		v.checkCancelled(r, hold)
	}
	v.checkOwners(r)
}

package book

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
	"timebank/policy"
)

// readSnapshot is how Verify reads: one moment of the book, whatever is written meanwhile.
var readSnapshot = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}

// sideRows are the rows beside the entries of a page.
type sideRows struct {
	claims      map[ledger.Seq]claimSide
	holds       map[ledger.Seq]holdSide
	settlements map[ledger.Seq]settlementSide
	carries     map[ledger.Seq][]carrySide
	choices     map[ledger.Seq]choiceSide
	gifts       map[ledger.Seq]giftSide
}

type claimSide struct {
	Seq              ledger.Seq     `db:"seq"`
	Volunteer        string         `db:"volunteer"`
	Organization     string         `db:"organization"`
	ServedOn         int32          `db:"served_on"`
	Minutes          ledger.Minutes `db:"minutes"`
	SpanFrom         int64          `db:"span_from"`
	SpanTo           int64          `db:"span_to"`
	Fingerprint      []byte         `db:"fingerprint"`
	Reference        string         `db:"reference"`
	RepostsShift     int64          `db:"reposts_shift"`
	RepostsReference int64          `db:"reposts_reference"`
	Grade            ledger.Grade   `db:"grade"`
	Care             ledger.Minutes `db:"care"`
	Youth            ledger.Minutes `db:"youth"`
	Pooled           ledger.Minutes `db:"pooled"`
}

type carrySide struct {
	Seq       ledger.Seq  `db:"seq"`
	Volunteer string      `db:"volunteer"`
	Unit      ledger.Unit `db:"unit"`
	Rest      int64       `db:"rest"`
	Parts     int64       `db:"parts"`
}

type choiceSide struct {
	Seq      ledger.Seq `db:"seq"`
	Owner    string     `db:"owner"`
	Choice   string     `db:"choice"`
	Option   string     `db:"option"`
	ChosenOn int32      `db:"chosen_on"`
}

type holdSide struct {
	Seq       ledger.Seq     `db:"seq"`
	ID        string         `db:"id"`
	Volunteer string         `db:"volunteer"`
	Partner   string         `db:"partner"`
	Service   string         `db:"service"`
	Minutes   ledger.Minutes `db:"minutes"`
	Consent   ledger.Seq     `db:"consent"`
	EndsAt    string         `db:"ends_at"`
	CareAt    int64          `db:"care_at"` // -1 for none
}

type settlementSide struct {
	Seq   ledger.Seq     `db:"seq"`
	Hold  ledger.Seq     `db:"hold"`
	Held  ledger.Minutes `db:"held"`
	Given ledger.Minutes `db:"given"`
}

func (v *verifier) sideRows(ctx context.Context, from, to ledger.Seq) (sideRows, error) {
	s := sideRows{map[ledger.Seq]claimSide{}, map[ledger.Seq]holdSide{}, map[ledger.Seq]settlementSide{}, map[ledger.Seq][]carrySide{}, map[ledger.Seq]choiceSide{},
		map[ledger.Seq]giftSide{}}
	const claims = `
		SELECT seq, volunteer, organization, served_on - date '1970-01-01' AS served_on, minutes, coalesce(span_from, -1) AS span_from,
		       coalesce(span_to, -1) AS span_to, fingerprint, coalesce(reference, '') AS reference,
		       coalesce(reposts_shift, -1) AS reposts_shift, coalesce(reposts_reference, -1) AS reposts_reference, grade, care, youth, pooled
		FROM claim WHERE seq BETWEEN $1 AND $2`
	cs, err := selectAll[claimSide](ctx, v.tx, claims, from, to)
	if err != nil {
		return s, fmt.Errorf("reading claims: %w", err)
	}
	for _, c := range cs {
		s.claims[c.Seq] = c
	}
	const holds = `
		SELECT seq, id, volunteer, partner, service, minutes, consent,
		       to_char(ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS ends_at,
		       coalesce(care_at, -1) AS care_at
		FROM hold WHERE seq BETWEEN $1 AND $2`
	hs, err := selectAll[holdSide](ctx, v.tx, holds, from, to)
	if err != nil {
		return s, fmt.Errorf("reading holds: %w", err)
	}
	for _, h := range hs {
		s.holds[h.Seq] = h
	}
	ss, err := selectAll[settlementSide](ctx, v.tx, `SELECT seq, hold, held, given FROM settlement WHERE seq BETWEEN $1 AND $2`, from, to)
	if err != nil {
		return s, fmt.Errorf("reading settlements: %w", err)
	}
	for _, x := range ss {
		s.settlements[x.Seq] = x
	}
	rests, err := selectAll[carrySide](ctx, v.tx, `SELECT seq, volunteer, unit, rest, parts FROM carry WHERE seq BETWEEN $1 AND $2 ORDER BY unit`, from, to)
	if err != nil {
		return s, fmt.Errorf("reading what rounding left: %w", err)
	}
	for _, c := range rests {
		s.carries[c.Seq] = append(s.carries[c.Seq], c)
	}
	const choices = `SELECT seq, owner, choice, option, chosen_on - date '1970-01-01' AS chosen_on FROM choice WHERE seq BETWEEN $1 AND $2`
	made, err := selectAll[choiceSide](ctx, v.tx, choices, from, to)
	if err != nil {
		return s, fmt.Errorf("reading choices: %w", err)
	}
	for _, c := range made {
		s.choices[c.Seq] = c
	}
	return s, v.sideGifts(ctx, s, from, to)
}

// checkMeaning checks that an entry does what its kind and details say, and decides it again.
func (v *verifier) checkMeaning(r *Record, side sideRows) {
	k := &kept{kind: r.Kind, effective: r.Effective, volunteer: r.Volunteer, postings: r.Postings, referred: map[string]bool{}}
	switch r.Kind {
	case ledger.KindHours:
		v.checkHours(r, side, k)
		v.records[r.Seq] = k
	case ledger.KindHold:
		v.checkHold(r, side)
		v.records[r.Seq] = k
	case ledger.KindCorrection:
		v.checkCorrection(r, side)
	case ledger.KindChoice:
		v.checkChoice(r, side)
	case ledger.KindTransfer, ledger.KindDonation:
		v.checkGift(r, side)
	case ledger.KindWard:
		v.checkWard(r)
	case ledger.KindRelation, ledger.KindRelationEnd:
		v.checkRelation(r)
	case ledger.KindApplication, ledger.KindGrant, ledger.KindExpiry, ledger.KindHonour, ledger.KindNomination, ledger.KindSupport,
		ledger.KindReferral, ledger.KindClarify:
		v.checkGroups(r)
	case ledger.KindConfirm, ledger.KindCancel, ledger.KindHoldExpired:
		v.checkSettlement(r, side)
	default:
		if len(r.Postings) > 0 {
			v.find(r.Seq, "of kind %s moves minutes", r.Kind)
		}
	}
}

func (v *verifier) checkHours(r *Record, side sideRows, k *kept) {
	v.claims++
	var d claimDetails
	if err := json.Unmarshal(r.Details, &d); err != nil {
		v.find(r.Seq, "has details that cannot be read: %v", err)
		return
	}
	row, ok := side.claims[r.Seq]
	if !ok {
		v.find(r.Seq, "has no row in claim")
		return
	}
	if want := d.row(r.Seq); !sameClaim(row, want) {
		v.find(r.Seq, "differs from its row in claim")
	}
	if d.Organization != r.Organization || d.Volunteer != r.Volunteer || d.Facts.ServedOn != r.Effective {
		v.find(r.Seq, "is not about the organization, volunteer and day that its details name")
	}
	v.replay(r, d, row, k)
	v.keepServed(d, k, row)
	v.checkCarry(r, side)
}

// row gives the claim's row that the details imply; what it earned comes from the replay.
func (d claimDetails) row(seq ledger.Seq) claimSide {
	c := ledger.Claim{Volunteer: d.Volunteer, Activity: d.Activity, ServedOn: d.Facts.ServedOn, Minutes: d.Facts.Minutes,
		Start: clockOf(d.Start), End: clockOf(d.End)}
	fingerprint := c.Fingerprint(d.Organization)
	row := claimSide{Seq: seq, Volunteer: d.Volunteer, Organization: d.Organization, ServedOn: int32(d.Facts.ServedOn), Minutes: d.Facts.Minutes,
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

// replay decides the claim again from its recorded facts and compares everything.
func (v *verifier) replay(r *Record, d claimDetails, row claimSide, k *kept) {
	rules, ok := v.rules[r.Rules]
	if !ok {
		return
	}
	v.checkPast(r, d.Facts, rules)
	if chosen, err := policy.Choose(v.b.rules(), r.Effective); err != nil || chosen.Hash() != r.Rules {
		v.find(r.Seq, "was decided by a rule set that was not in force on %s", r.Effective)
	}
	v.report.Replayed++
	again, err := rules.Decide(d.Facts)
	if err != nil {
		v.find(r.Seq, "would be refused by its own rule set: %v", err)
		return
	}
	if again.Grade != d.Grade || !slices.Equal(again.Steps, d.Steps) {
		v.find(r.Seq, "is explained otherwise when it is decided again")
	}
	e := again.Earned
	k.facts, k.earned, k.rules = d.Facts, e, rules
	v.tally.Serve(rules, r.Volunteer, d.Facts, e)
	if row.Care != e.Care || row.Youth != e.Youth || row.Pooled != e.Pooled {
		v.find(r.Seq, "has a row in claim that says it earned %d, %d and %d minutes; decided again, it is %d, %d and %d",
			row.Care, row.Youth, row.Pooled, e.Care, e.Youth, e.Pooled)
	}
	moved, pooled := movedTo(r, ledger.OwnerVolunteer), movedTo(r, ledger.OwnerPool)
	if moved[ledger.Service] != d.Facts.Minutes || moved[ledger.Care] != e.Care || moved[ledger.Youth] != e.Youth || pooled[ledger.Care] != e.Pooled {
		v.find(r.Seq, "moved %d served, %d care and %d youth minutes, and %d to the pool; decided again, it is %d, %d, %d and %d", moved[ledger.Service],
			moved[ledger.Care], moved[ledger.Youth], pooled[ledger.Care], d.Facts.Minutes, e.Care, e.Youth, e.Pooled)
	}
	v.checkOwners(r)
}

// checkPast compares what a claim was decided on with what the entries before it come to.
func (v *verifier) checkPast(r *Record, f policy.ClaimFacts, rules *policy.Rules) {
	past := v.tally.Past(rules, r.Volunteer, r.Effective)
	past.CareStored = v.credit[r.Volunteer]
	if past = rules.Counted(past); f.Past != past {
		v.find(r.Seq, "was decided on a past of %+v; by the entries before it, it was %+v", f.Past, past)
	}
	var chosen []string
	if rules.Counts().Chosen {
		chosen = inForce(inForce(nil, v.choices[r.Volunteer], r.Effective), v.choices[r.Organization], r.Effective)
	}
	if had := rules.Counts().GuardianConsent && consented(v.wards[r.Volunteer], r.Effective); f.GuardianConsent != had {
		v.find(r.Seq, "was decided as if a guardian had consented: %t; it was %t", f.GuardianConsent, had)
	}
	if !slices.Equal(f.Chosen, chosen) {
		v.find(r.Seq, "was decided as if %v had been chosen, it was %v", f.Chosen, chosen)
	}
}

// checkCarry compares the rows of what rounding left with what the tally has after an entry.
func (v *verifier) checkCarry(r *Record, side sideRows) {
	for _, c := range side.carries[r.Seq] {
		v.carries++
		if want := v.tally.Carried(r.Volunteer, c.Unit); c.Volunteer != r.Volunteer || c.Rest != want.Rest || c.Parts != want.Parts {
			v.find(r.Seq, "has a row in carry of %d/%d min of %s, it is %d/%d", c.Rest, c.Parts, c.Unit, want.Rest, want.Parts)
		}
	}
	if missing := v.tally.Changed() - len(side.carries[r.Seq]); missing != 0 {
		v.find(r.Seq, "lacks %d rows in carry", missing)
	}
}

// checkChoice decides a choice again, and keeps it for the claims that come after it.
func (v *verifier) checkChoice(r *Record, side sideRows) {
	v.chosen++
	var d choiceDetails
	row, ok := side.choices[r.Seq]
	if err := json.Unmarshal(r.Details, &d); err != nil || !ok {
		v.find(r.Seq, "has no readable details, or no row in choice")
		return
	}
	owner := d.Volunteer + d.Organization // one of them
	if want := (choiceSide{r.Seq, owner, d.Facts.Choice, d.Facts.Option, int32(d.Facts.Today)}); row != want ||
		d.Volunteer != r.Volunteer || d.Organization != r.Organization || d.Facts.Today != r.Effective {
		v.find(r.Seq, "differs from its row in choice")
	}
	for _, before := range v.choices[owner] {
		if before.choice == d.Facts.Choice && before.on > d.Facts.Before {
			v.find(r.Seq, "was decided as if nothing had been chosen since %s", d.Facts.Before)
		}
	}
	v.choices[owner] = append(v.choices[owner], choiceFacts{d.Facts.Choice, d.Facts.Option, d.Facts.Today})
	if rules, ok := v.rules[r.Rules]; ok {
		v.report.Replayed++
		if err := rules.Replay(r.Kind, r.Details); err != nil {
			v.find(r.Seq, "%v", err)
		}
	}
	if len(r.Postings) > 0 {
		v.find(r.Seq, "of kind %s moves minutes", r.Kind)
	}
}

// movedTo sums, unit by unit, what an entry moves to accounts of an owner kind.
func movedTo(r *Record, kind ledger.OwnerKind) map[ledger.Unit]ledger.Minutes {
	sums := map[ledger.Unit]ledger.Minutes{}
	for _, l := range r.Lines {
		if l.Owner.Kind == kind {
			sums[l.Unit] += l.Minutes
		}
	}
	return sums
}

// checkOwners checks that an entry touches no accounts but those of whom it is about, and the bank's.
func (v *verifier) checkOwners(r *Record) {
	for _, l := range r.Lines {
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

func (v *verifier) checkCorrection(r *Record, side sideRows) {
	t := v.referred(r, "corrected", ledger.KindHours)
	if t == nil {
		return
	}
	var d correctionDetails
	if err := json.Unmarshal(r.Details, &d); err != nil || d.Corrects != *r.Refers {
		v.find(r.Seq, "has details that do not fit it")
	}
	moved, pooled := movedTo(r, ledger.OwnerVolunteer), movedTo(r, ledger.OwnerPool)
	written := ledger.Minutes(0)
	if d.Rule == string(policy.WrittenOff) {
		written = d.Shortfall
	}
	var served ledger.Minutes
	for _, p := range t.postings {
		if a := v.accounts[p.Account]; a != nil && a.Owner.Kind == ledger.OwnerVolunteer && a.Purpose == ledger.Served {
			served = p.Minutes
		}
	}
	if moved[ledger.Service] != -served || moved[ledger.Care] != written-t.earned.Care || moved[ledger.Youth] != -t.earned.Youth ||
		pooled[ledger.Care] != d.PoolShortfall-t.earned.Pooled {
		v.find(r.Seq, "does not take back what entry %d gave", *r.Refers)
	}
	v.checkOwners(r)
	if t.served != nil {
		t.served.Corrected = true
	}
	if t.rules != nil {
		v.tally.Undo(t.rules, t.volunteer, t.facts, t.earned)
		v.checkCarry(r, side)
	}
}

// referred gives the entry that r refers to, once for each purpose.
func (v *verifier) referred(r *Record, as string, kind ledger.Kind) *kept {
	if r.Refers == nil {
		v.find(r.Seq, "refers to no entry")
		return nil
	}
	t := v.records[*r.Refers]
	if t == nil || t.kind != kind {
		v.find(r.Seq, "refers to entry %d, which is not of kind %s", *r.Refers, kind)
		return nil
	}
	if t.referred[as] {
		v.find(r.Seq, "refers to entry %d, which was %s before", *r.Refers, as)
	}
	t.referred[as] = true
	return t
}

func (v *verifier) checkHold(r *Record, side sideRows) {
	v.holds++
	var d holdDetails
	row, ok := side.holds[r.Seq]
	if err := json.Unmarshal(r.Details, &d); err != nil || !ok {
		v.find(r.Seq, "has no readable details, or no row in hold")
		return
	}
	if want := (holdSide{r.Seq, d.Redemption, d.Volunteer, d.Partner, d.Service, d.Facts.Minutes, d.Consent, d.EndsAt, careAtOf(d.CareAt)}); row != want ||
		d.Volunteer != r.Volunteer || d.Partner != r.Partner {
		v.find(r.Seq, "differs from its row in hold")
	}
	v.checkRedeemed(r, d)
	v.checkBooked(r, d)
	rules, ok := v.rules[r.Rules]
	if !ok {
		return
	}
	v.report.Replayed++
	if err := rules.Replay(r.Kind, r.Details); err != nil {
		v.find(r.Seq, "%v", err)
	}
	if held := heldBy(r); held != d.Facts.Minutes || len(r.Lines) != 2 {
		v.find(r.Seq, "holds %d minutes, its details say %d", held, d.Facts.Minutes)
	}
	v.checkOwners(r)
}

func heldBy(r *Record) (m ledger.Minutes) {
	for _, l := range r.Lines {
		if l.Purpose == ledger.CareHeld {
			m += l.Minutes
		}
	}
	return m
}

func (v *verifier) checkSettlement(r *Record, side sideRows) {
	v.settled++
	if v.referred(r, "settled", ledger.KindHold) == nil {
		return
	}
	var d settlementDetails
	defer func() { v.settleRedeemed(r, d.Given) }()
	row, ok := side.settlements[r.Seq]
	if err := json.Unmarshal(r.Details, &d); err != nil || !ok {
		v.find(r.Seq, "has no readable details, or no row in settlement")
		return
	}
	if want := (settlementSide{r.Seq, *r.Refers, d.Held, d.Given}); row != want {
		v.find(r.Seq, "differs from its row in settlement")
	}
	given := movedTo(r, ledger.OwnerPartner)[ledger.Care]
	if given != d.Given || heldBy(r) != -d.Held || (r.Kind != ledger.KindConfirm && given != 0) {
		v.find(r.Seq, "does not settle the %d minutes that were held", d.Held)
	}
	if r.Kind == ledger.KindCancel {
		v.checkCancelled(r)
	}
	v.checkOwners(r)
}

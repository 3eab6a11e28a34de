package book

import (
	"cmp"
	"slices"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
	"timebank/policy"
)

type applicationOf struct {
	seq     ledger.Seq
	details applicationDetails
}

type flow struct {
	on      ledger.Date
	minutes ledger.Minutes
}

// keepServed keeps a claim for the records and assessments that count it. Where its details and its row differ that was told;
// it counts as its details have it.
func (v *verifier) keepServed(r *prepared, volunteer *party, k *keptClaim, at int32) {
	d, row := &r.hours.details, r.claim
	if d.Volunteer != r.Volunteer {
		volunteer = v.parties.of(d.Volunteer)
	}
	organization := v.parties.of(d.Organization)
	k.organization, k.grade, k.position = organization.number, v.words.number(string(row.Grade)), v.words.number(d.Position)
	k.servedOn, k.minutes, k.pooled = d.Facts.ServedOn, d.Facts.Minutes, row.Pooled
	k.emergency, k.satisfaction = d.Emergency > 0, d.Evidence.Satisfaction
	volunteer.served, organization.gathered = append(volunteer.served, at), append(organization.gathered, at)
}

// servedClaim gives a claim as records and assessments count it; none of these asks for the service.
func (v *verifier) servedClaim(at int32) servedClaim {
	k := v.keptClaims.at(at)
	return servedClaim{Seq: v.keptClaims.entry(at), Volunteer: v.parties.all[k.volunteer].id, Organization: v.parties.all[k.organization].id, ServedOn: int32(k.servedOn),
		Minutes: k.minutes, Grade: ledger.Grade(v.words.all[k.grade]), Pooled: k.pooled, Position: v.words.all[k.position],
		Emergency: k.emergency, Satisfaction: k.satisfaction, Corrected: k.corrected}
}

// keepFlows keeps what came into volunteers' credit and what went out of it. The lines of one volunteer count together, for
// which each is held against each: of more lines than an entry may have nothing is kept.
func (v *verifier) keepFlows(r *prepared) {
	if len(r.Lines) > ledger.PostingsMax {
		return
	}
	for i := range r.Lines {
		l := &r.Lines[i]
		if l.Owner.Kind != ledger.OwnerVolunteer || l.Unit != ledger.Care {
			continue
		}
		owner := r.touched[i].party // it has an owner, so it exists
		owner.credit += l.Minutes
		if l.Purpose == ledger.CareHeld {
			owner.held += l.Minutes
		}
		if first, net := netCare(r.Lines, i); first {
			owner.keepFlow(r, net)
		}
	}
}

// netCare sums the care of the owner of a line, and tells whether the line is that owner's first.
func netCare(lines []Line, at int) (first bool, net ledger.Minutes) {
	first = true
	for i := range lines {
		if l := &lines[i]; l.Unit == ledger.Care && l.Owner == lines[at].Owner {
			first = first && i >= at
			net += l.Minutes
		}
	}
	return first, net
}

func (p *party) keepFlow(r *prepared, m ledger.Minutes) {
	switch {
	case m > 0 || r.Kind == ledger.KindCorrection:
		p.received = append(p.received, flow{r.Effective, m})
	case m < 0:
		p.spent -= m
	}
}

// claimsOf gives claims in the order of their days, of one organization when it is named.
func (v *verifier) claimsOf(kept []int32, organization string, from, to ledger.Date) (claims []servedClaim) {
	only := v.parties.of(organization).number
	for _, at := range kept {
		if k := v.keptClaims.at(at); (organization == "" || k.organization == only) && from <= k.servedOn && k.servedOn <= to {
			claims = append(claims, v.servedClaim(at))
		}
	}
	slices.SortFunc(claims, func(a, b servedClaim) int {
		return cmp.Or(cmp.Compare(a.ServedOn, b.ServedOn), cmp.Compare(a.Seq, b.Seq))
	})
	return claims
}

// checkGroups checks what is decided for a group: it decides again, and compares the facts with the
// entries before.
func (v *verifier) checkGroups(r *prepared) {
	check := map[ledger.Kind]func(*prepared, *policy.Rules) error{
		ledger.KindApplication: v.checkApplication, ledger.KindGrant: v.checkGrant, ledger.KindExpiry: v.checkExpiry,
		ledger.KindHonour: v.checkHonour, ledger.KindNomination: v.checkHonour, ledger.KindSupport: v.checkSupport, ledger.KindReferral: v.checkReferral,
		ledger.KindClarify: v.checkClarification,
	}[r.Kind]
	var rules *policy.Rules
	if r.Kind != ledger.KindClarify { // what was found is no rule's
		var ok bool
		if rules, ok = v.replayFacts(r); !ok {
			return
		}
	}
	if err := check(r, rules); err != nil {
		v.find(r.Seq, "has details that cannot be read: %v", err)
	}
	v.checkOwners(r)
}

// facts complains when what was decided on differs from what the entries before come to.
func (v *verifier) facts(r *prepared, have, want any, same bool) {
	if !same {
		v.find(r.Seq, "was decided on %+v; by the entries before it, it was %+v", have, want)
	}
}

func (v *verifier) checkApplication(r *prepared, rules *policy.Rules) error {
	var d applicationDetails
	if err := json.Unmarshal(r.Details, &d); err != nil {
		return err
	}
	again, err := rules.Apply(d.Facts)
	until := ""
	if again.Priority > 0 {
		until = (r.Effective.AddMonths(again.Months) - 1).String()
	}
	if err != nil || d.Priority != again.Priority || d.Until != until || d.Volunteer != r.Volunteer || d.Organization != r.Organization || len(r.Lines) > 0 {
		v.find(r.Seq, "does not say what the rules decided")
	}
	v.applied[r.Volunteer] = applicationOf{r.Seq, d}
	return nil
}

// line gives who stood in line on a day, as readLine reads it.
func (v *verifier) line(today ledger.Date) (line []standing) {
	for who, a := range v.applied {
		s := a.details.standing(a.seq, today)
		for _, g := range v.parties.of(who).granted {
			if ledger.Month.Start(g.on) == ledger.Month.Start(today) {
				s.granted += g.minutes
			}
		}
		line = append(line, s)
	}
	sortLine(line)
	return line
}

func (v *verifier) checkGrant(r *prepared, rules *policy.Rules) error {
	var d grantDetails
	if err := json.Unmarshal(r.Details, &d); err != nil {
		return err
	}
	line := v.line(r.Effective)
	next := nextInLine(line, rules.GrantMost())
	if next == nil || next.seq != d.Facts.Application || r.Refers == nil || *r.Refers != next.seq || next.volunteer != r.Volunteer {
		v.find(r.Seq, "gives to somebody who was not the next in line")
		return nil
	}
	var pool ledger.Minutes
	for _, l := range r.Lines {
		if l.Owner.Kind == ledger.OwnerPool {
			pool = l.Balance - l.Minutes
		}
	}
	want := policy.GrantFacts{Application: next.seq, Priority: next.priority, GrantedToThem: next.granted, GrantedToAll: grantedToAll(line), Pool: pool, Today: r.Effective.String()}
	v.facts(r, d.Facts, want, d.Facts == want)
	again, err := rules.Grant(d.Facts)
	if err != nil || moved(r, ledger.OwnerVolunteer, ledger.Care) != again.Minutes || moved(r, ledger.OwnerPool, ledger.Care) != -again.Minutes {
		v.find(r.Seq, "does not move what the rules decided")
	}
	p := v.parties.of(r.Volunteer)
	p.granted = append(p.granted, flow{r.Effective, again.Minutes})
	return nil
}

func (v *verifier) checkExpiry(r *prepared, rules *policy.Rules) error {
	var d expiryDetails
	if err := json.Unmarshal(r.Details, &d); err != nil {
		return err
	}
	cutoff, ok := rules.ExpiryCutoff(r.Effective)
	if !ok {
		v.find(r.Seq, "ends credit by rules that end none")
		return nil
	}
	again, err := rules.Expire(d.Facts)
	p := v.parties.of(r.Volunteer)
	want := policy.ExpiryFacts{Cutoff: cutoff.String(), Today: r.Effective.String(), Held: p.held, Spent: p.spent}
	for _, l := range r.Lines {
		if l.Purpose == ledger.CarePurpose {
			want.Available = l.Balance - l.Minutes
		}
	}
	for _, f := range p.received {
		if f.on <= cutoff {
			want.Received += f.minutes
		}
	}
	v.facts(r, d.Facts, want, d.Facts == want)
	if err != nil || moved(r, ledger.OwnerVolunteer, ledger.Care) != -again.Minutes {
		v.find(r.Seq, "does not end what the rules decided")
	}
	return nil
}

func (v *verifier) checkHonour(r *prepared, rules *policy.Rules) error {
	var d honourDetails
	if err := json.Unmarshal(r.Details, &d); err != nil {
		return err
	}
	p := v.parties.of(r.Volunteer)
	open, given := nominated(p.honours, d.Honour)
	record := recordFacts(v.claimsOf(p.served, r.Organization, ledger.DateMin, ledger.DateMax), rules.LevelGrades())
	v.facts(r, d.Facts.RecordFacts, record, d.Facts.RecordFacts == record)
	giver := ledger.OwnerBank
	if r.Organization != "" {
		giver = ledger.OwnerOrganization
	}
	if d.Facts.Nominated != (open != nil) || d.Facts.GivenBefore != given || d.Facts.Giver != giver || d.Honour != d.Facts.Honour || d.Volunteer != r.Volunteer {
		v.find(r.Seq, "was decided on other honours and nominations than those before it")
	}
	if answered := r.Kind == ledger.KindHonour && open != nil; answered != (r.Refers != nil) || answered && *r.Refers != *open {
		v.find(r.Seq, "does not refer to the nomination that it answers")
	}
	p.honours = append(p.honours, honourFacts{r.Seq, r.Kind, r.Volunteer, d.Honour, r.Refers})
	if len(r.Lines) > 0 {
		v.find(r.Seq, "of kind %s moves minutes", r.Kind)
	}
	return nil
}

func (v *verifier) checkSupport(r *prepared, rules *policy.Rules) error {
	var d supportDetails
	if err := json.Unmarshal(r.Details, &d); err != nil {
		return err
	}
	in, err := ledger.ParseDate(d.Facts.From)
	if err != nil || rules.SupportPer() == "" {
		return err
	}
	before, from, to := periodsOf(rules.SupportPer(), in)
	p := v.parties.of(r.Organization)
	want := supportFacts(v.claimsOf(p.gathered, "", before, to), before, from, to)
	want.OrganizationKind = d.Facts.OrganizationKind
	v.facts(r, d.Facts, want, d.Facts == want)
	if to >= r.Effective || slices.Contains(p.assessed, d.Facts.From) {
		v.find(r.Seq, "assesses a period that was not over, or was assessed before")
	}
	p.assessed = append(p.assessed, d.Facts.From)
	again, err := rules.Support(d.Facts)
	if err != nil || again.Level != d.Level || !slices.Equal(again.Supports, d.Supports) {
		v.find(r.Seq, "grants what the rules did not decide")
	}
	assessed := ledger.Minutes(0)
	if again.Level != "" {
		assessed = d.Facts.Minutes
	}
	if moved(r, ledger.OwnerOrganization, ledger.Support) != assessed {
		v.find(r.Seq, "does not move the %d minutes that were assessed", assessed)
	}
	return nil
}

func (v *verifier) checkReferral(r *prepared, _ *policy.Rules) error {
	var d referralDetails
	if err := json.Unmarshal(r.Details, &d); err != nil {
		return err
	}
	want := workloadFacts(v.claimsOf(v.parties.of(r.Volunteer).served, r.Organization, r.Effective-29, r.Effective), r.Effective)
	have := d.Facts
	want.Age, want.Roles, want.By, want.Referral = have.Age, have.Roles, have.By, have.Referral
	same := have.In7 == want.In7 && have.In30 == want.In30 && have.DaysIn7 == want.DaysIn7 && have.EmergencyIn30 == want.EmergencyIn30 && have.Today == want.Today
	v.facts(r, have, want, same && len(r.Lines) == 0)
	return nil
}

func (v *verifier) checkClarification(r *prepared, _ *policy.Rules) error {
	var d clarificationDetails
	if err := json.Unmarshal(r.Details, &d); err != nil {
		return err
	}
	if d.Volunteer != r.Volunteer || d.Organization != r.Organization || d.Recorder == d.Approver || len(r.Lines) > 0 {
		v.find(r.Seq, "is not about the volunteer and organization that its details name, or was checked by one person")
	}
	return nil
}

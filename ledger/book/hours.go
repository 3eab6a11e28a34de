package book

import (
	"context"
	"fmt"
	"maps"

	"timebank/ledger"
	"timebank/policy"
)

// ItemsMax bounds a batch of claims: a thousand are a big organization's month, and hold the writers'
// lock for some tenths of a second in all, shared over several turns.
const ItemsMax = 1000

// PostHours records claims of the actor's organization, each by itself: results come in the order of the
// requests, and a claim that fails spoils no other.
func (b *Book) PostHours(ctx context.Context, by ledger.Actor, requests []HoursRequest) []HoursResult {
	results := make([]HoursResult, len(requests))
	ctx, cancel := context.WithTimeout(ctx, waitMax)
	defer cancel()
	var queued []*pending
	var index []int
	for i, r := range requests {
		if err := checkHours(by, r, len(requests)); err != nil {
			results[i].Err = err
			continue
		}
		queued = append(queued, &pending{by: by, key: r.Key, dryRun: r.DryRun,
			cmd: &postHours{organization: by.Subject, claim: r.Claim}})
		index = append(index, i)
	}
	if err := b.submit(ctx, queued); err != nil {
		for _, i := range index {
			results[i].Err = err
		}
		return results
	}
	waited := make([]turnResult, len(queued))
	for j, p := range queued {
		waited[j] = b.await(ctx, p)
	}
	b.replayAll(ctx, waited)
	for j, r := range waited {
		results[index[j]] = HoursResult{r.receipt, r.err}
	}
	return results
}

func checkHours(by ledger.Actor, r HoursRequest, n int) error {
	if err := by.May(ledger.RoleOrganization); err != nil {
		return err
	}
	if n > ItemsMax {
		return &ledger.Invalid{Code: "too_many_items", Pointer: "", Detail: fmt.Sprintf("%d claims, at most %d in a batch", n, ItemsMax)}
	}
	if !r.DryRun {
		if err := checkKey(r.Key); err != nil {
			return err
		}
	}
	if err := checkID("/volunteer_id", r.Claim.Volunteer); err != nil {
		return err
	}
	return r.Claim.Check()
}

// postHours is the command behind one claim.
type postHours struct {
	organization string
	claim        ledger.Claim
}

func (c *postHours) want(w *world, n *wants) {
	n.organizations.add(c.organization)
	n.volunteers.add(c.claim.Volunteer)
	n.days.add(volunteerDay{c.claim.Volunteer, c.claim.ServedOn})
	if c.claim.Reference != "" {
		n.references.add(referenceKey{c.organization, c.claim.Reference})
	}
	counts := w.counts()
	if counts.Chosen {
		n.choosers.add(c.organization)
		n.choosers.add(c.claim.Volunteer)
	}
	if counts.Carried {
		n.carried.add(c.claim.Volunteer)
	}
	if counts.GuardianConsent {
		n.wards.add(c.claim.Volunteer)
	}
}

func (c *postHours) about() (organization, volunteer, partner string) {
	return c.organization, c.claim.Volunteer, ""
}

func (c *postHours) decide(w *world) (decision, error) {
	kind, ok := w.organizations[c.organization]
	if !ok {
		return decision{}, ledger.ErrNotFound
	}
	v, ok := w.volunteers[c.claim.Volunteer]
	if !ok {
		return decision{}, &ledger.Invalid{Code: "volunteer_unknown", Pointer: "/volunteer_id", Detail: "no such volunteer is registered"}
	}
	if err := c.checkDates(w, v); err != nil {
		return decision{}, err
	}
	rules, err := w.rules(c.claim.ServedOn)
	if err != nil {
		return decision{}, err
	}
	row, err := c.checkRepeats(w)
	if err != nil {
		return decision{}, err
	}
	facts := c.facts(w, v, kind, rules)
	d, err := rules.Decide(facts)
	if err != nil {
		return decision{}, err
	}
	return c.effect(w, rules, facts, d, row)
}

func (c *postHours) checkDates(w *world, v *volunteerFacts) error {
	switch {
	case c.claim.ServedOn > w.today:
		return &ledger.Invalid{Code: "date_in_future", Pointer: "/served_on",
			Detail: fmt.Sprintf("%s has not come yet: today is %s", c.claim.ServedOn, w.today)}
	case c.claim.ServedOn < v.born:
		return &ledger.Invalid{Code: "date_before_birth", Pointer: "/served_on", Detail: "the volunteer was not born yet on that day"}
	}
	return nil
}

// checkRepeats refuses a shift that the ledger has, or that overlaps another of the same person. What a
// correction took back may be posted again.
func (c *postHours) checkRepeats(w *world) (*claimRow, error) {
	fingerprint := c.claim.Fingerprint(c.organization)
	from, to, hasSpan := c.claim.Span()
	row := &claimRow{fingerprint: fingerprint, spanFrom: from, spanTo: to, hasSpan: hasSpan, repostsShift: -1, repostsReference: -1}
	var overlapped *claimFacts
	for _, other := range w.claims[c.claim.Volunteer] {
		switch {
		case other.fingerprint == fingerprint && other.corrected:
			row.repostsShift = max(row.repostsShift, int64(other.seq))
		case other.fingerprint == fingerprint:
			return nil, &ledger.Refusal{Code: "shift_repeated", Entry: other.seq,
				Detail: "this shift is recorded already: same volunteer, organization, activity, date and times or minutes"}
		case hasSpan && other.hasSpan && !other.corrected && from < other.spanTo && other.spanFrom < to:
			overlapped = other
		}
	}
	if r := w.references[referenceKey{c.organization, c.claim.Reference}]; r != nil && c.claim.Reference != "" {
		if !r.corrected {
			return nil, &ledger.Refusal{Code: "reference_repeated", Entry: r.seq,
				Detail: "the organization used this reference before for another shift"}
		}
		row.repostsReference = int64(r.seq)
	}
	if overlapped != nil {
		refusal := &ledger.Refusal{Code: "shift_overlaps",
			Detail: "the volunteer served elsewhere during this time: the shifts overlap"}
		if overlapped.organization == c.organization { // another organization's entry is not ours to name
			refusal.Entry = overlapped.seq
		}
		return nil, refusal
	}
	return row, nil
}

// facts gathers what decides; it is recorded with the entry, so that the decision can be made again.
func (c *postHours) facts(w *world, v *volunteerFacts, kind ledger.OrganizationKind, rules *policy.Rules) policy.ClaimFacts {
	f := policy.ClaimFacts{
		Age: rules.Age(v.born, c.claim.ServedOn), Roles: v.roles, OrganizationKind: kind, Service: c.claim.Service,
		Class: c.claim.Class, Emergency: c.claim.Emergency,
		Minutes: c.claim.Minutes, ServedOn: c.claim.ServedOn, Today: w.today,
	}
	if from, to, ok := c.claim.Span(); ok {
		f.ClockMinutes = ledger.Minutes(to - from)
	}
	f.Show(c.claim.Evidence)
	if rules.Counts().Chosen {
		f.Chosen = inForce(inForce(nil, w.choices[c.claim.Volunteer], f.ServedOn), w.choices[c.organization], f.ServedOn)
	}
	if rules.Counts().GuardianConsent {
		f.GuardianConsent = consented(w.wards[c.claim.Volunteer], f.ServedOn)
	}
	f.Past = rules.Counted(c.past(w, rules))
	return f
}

// past sums what the volunteer's claims came to before this one.
func (c *postHours) past(w *world, rules *policy.Rules) (p policy.Past) {
	volunteer, on := c.claim.Volunteer, c.claim.ServedOn
	for _, other := range w.claims[volunteer] {
		if other.corrected {
			continue
		}
		care := other.care + other.pooled
		if other.servedOn == on {
			p.MinutesOnDay, p.CareOnDay, p.YouthOnDay = p.MinutesOnDay+other.minutes, p.CareOnDay+care, p.YouthOnDay+other.youth
		}
		if ledger.Month.Start(other.servedOn) == ledger.Month.Start(on) {
			p.CareInMonth, p.YouthInMonth = p.CareInMonth+care, p.YouthInMonth+other.youth
		}
		if ledger.Year.Start(other.servedOn) == ledger.Year.Start(on) {
			p.CareInYear, p.YouthInYear = p.CareInYear+care, p.YouthInYear+other.youth
		}
	}
	for _, purpose := range []ledger.Purpose{ledger.CarePurpose, ledger.CareHeld, ledger.CareOwed} {
		p.CareStored += w.account(volunteer, purpose).balance
	}
	p.CareCarried = w.carried[carryKey{volunteer, ledger.Care}].In(rules.Parts(ledger.Care))
	p.YouthCarried = w.carried[carryKey{volunteer, ledger.Youth}].In(rules.Parts(ledger.Youth))
	return p
}

func (c *postHours) effect(w *world, rules *policy.Rules, f policy.ClaimFacts, d policy.Decision, row *claimRow) (decision, error) {
	v := c.claim.Volunteer
	ps := ledger.Move(nil, ledger.Service, w.account(c.organization, ledger.Served).ID, w.account(v, ledger.Served).ID, c.claim.Minutes)
	ps = w.creditCare(ps, w.bank(ledger.CareIssued).ID, v, d.Earned.Care)
	ps = ledger.Move(ps, ledger.Care, w.bank(ledger.CareIssued).ID, w.account(string(ledger.OwnerPool), ledger.CarePurpose).ID, d.Earned.Pooled)
	ps = ledger.Move(ps, ledger.Youth, w.bank(ledger.YouthIssued).ID, w.account(v, ledger.YouthRecord).ID, d.Earned.Youth)
	row.claim, row.organization, row.grade, row.earned = c.claim, c.organization, d.Grade, d.Earned
	details, err := hoursDetails(c.organization, c.claim, f, d)
	if err != nil {
		return decision{}, err
	}
	e := effect{
		draft:        ledger.Draft{Kind: ledger.KindHours, Effective: c.claim.ServedOn, Rules: rules.Hash(), Postings: ps, Details: details},
		organization: c.organization, volunteer: v, claim: row, decided: &policy.Decided{Grade: d.Grade, Steps: d.Steps},
		learned: func(w *world, seq ledger.Seq) { row.learn(w, seq) },
	}
	if changed := w.carryOn(v, rules, d.Earned.CareLeft, d.Earned.YouthLeft); changed != nil {
		e.keepCarry(changed)
	}
	return decision{effects: []effect{e}}, nil
}

// keepCarry adds to an effect what rounding leaves after it.
func (e *effect) keepCarry(changed map[carryKey]policy.Carry) {
	e.carried = changed
	learned := e.learned
	e.learned = func(w *world, seq ledger.Seq) {
		learned(w, seq)
		maps.Copy(w.carried, changed)
	}
}

// claimRow is a claim as its table keeps it.
type claimRow struct {
	claim            ledger.Claim
	organization     string
	fingerprint      ledger.Hash
	spanFrom, spanTo int64
	hasSpan          bool
	repostsShift     int64 // -1: none
	repostsReference int64
	grade            ledger.Grade
	earned           policy.Earned
}

func (r *claimRow) learn(w *world, seq ledger.Seq) {
	known := &claimFacts{seq: seq, volunteer: r.claim.Volunteer, organization: r.organization, servedOn: r.claim.ServedOn,
		spanFrom: r.spanFrom, spanTo: r.spanTo, hasSpan: r.hasSpan, fingerprint: r.fingerprint,
		minutes: r.claim.Minutes, care: r.earned.Care, pooled: r.earned.Pooled, youth: r.earned.Youth}
	w.claims[known.volunteer] = append(w.claims[known.volunteer], known)
	if r.claim.Reference != "" {
		w.references[referenceKey{r.organization, r.claim.Reference}] = known
	}
}

// fetchClaims reads the claims on the days in question and those beside them.
func (w *world) fetchClaims(ctx context.Context, q selecter, n *wants) error {
	if len(n.days.list) == 0 {
		return nil
	}
	query, args := w.claimsOnDays(n.days.list, 0)
	rows, err := only(selectAll[[]byte](ctx, q, query, args...))
	if err != nil {
		return fmt.Errorf("reading claims: %w", err)
	}
	return w.putClaims(rows)
}

// claimsOnDays gives the query for each volunteer's claims on the days in question and the days beside them, since a
// shift may run over midnight; and those of the whole month or year where a rule set counts them. before is how many parameters come before
// its own.
func (w *world) claimsOnDays(days []volunteerDay, before int) (query string, args []any) {
	counted, of := ledger.Day, `claims_near(n.volunteer, date '1970-01-01' + n.first + 1)`
	switch counts := w.counts(); {
	case counts.Year:
		counted = ledger.Year
	case counts.Month:
		counted = ledger.Month
	}
	if counted != ledger.Day {
		of = `claims_of(n.volunteer, date '1970-01-01' + n.first, date '1970-01-01' + n.last)`
	}
	volunteers, first, last := make([]string, len(days)), make([]int64, len(days)), make([]int64, len(days))
	for i, d := range days {
		volunteers[i] = d.volunteer
		first[i], last[i] = int64(min(counted.Start(d.day), d.day-1)), int64(max(counted.End(d.day), d.day+1))
	}
	query = fmt.Sprintf(`
		SELECT string_agg(record_send(c), '') FROM (
		    SELECT DISTINCT `+claimColumns+`
		    FROM unnest($%d::uuid[], $%d::int[], $%d::int[]) AS n (volunteer, first, last)
		    CROSS JOIN LATERAL `+of+` c
		    LEFT JOIN entry x ON x.refers = c.seq AND x.kind = 'correction'
		    ORDER BY c.seq) c`, before+1, before+2, before+3)
	return query, []any{uuids(volunteers), ints(first), ints(last)}
}

// fetchReferences reads the latest claim under each of the organizations' own references.
func (w *world) fetchReferences(ctx context.Context, q selecter, n *wants) error {
	if len(n.references.list) == 0 {
		return nil
	}
	organizations, references := make([]string, len(n.references.list)), make([]string, len(n.references.list))
	for i, r := range n.references.list {
		organizations[i], references[i] = r.organization, r.reference
	}
	const query = `
		SELECT string_agg(record_send(ROW(` + claimColumns + `, c.reference)), '' ORDER BY c.seq)
		FROM unnest($1::uuid[], $2::text[]) AS n (organization, reference)
		JOIN claim c ON c.organization = n.organization AND c.reference = n.reference
		LEFT JOIN entry x ON x.refers = c.seq AND x.kind = 'correction'`
	rows, err := only(selectAll[[]byte](ctx, q, query, uuids(organizations), texts(references)))
	if err != nil {
		return fmt.Errorf("reading references: %w", err)
	}
	return eachRow(rows, "claim", func(r *wire) error {
		f := r.claimFacts()
		w.references[referenceKey{f.organization, r.text()}] = f
		return nil
	})
}

func insertClaims(w *world) (insert, error) {
	var seqs, servedOn, minutes, froms, tos, repostsShift, repostsReference, cares, youths, pools []int64
	var volunteers, organizations, references, grades []string
	var fingerprints [][]byte
	for i, e := range w.effects {
		r := e.claim
		if r == nil {
			continue
		}
		from, to := r.spanFrom, r.spanTo
		if !r.hasSpan {
			from, to = -1, -1
		}
		seqs, servedOn, minutes = append(seqs, int64(w.records[i].Seq)), append(servedOn, int64(r.claim.ServedOn)), append(minutes, int64(r.claim.Minutes))
		froms, tos = append(froms, from), append(tos, to)
		repostsShift, repostsReference = append(repostsShift, r.repostsShift), append(repostsReference, r.repostsReference)
		cares, youths, pools = append(cares, int64(r.earned.Care)), append(youths, int64(r.earned.Youth)), append(pools, int64(r.earned.Pooled))
		volunteers, organizations = append(volunteers, r.claim.Volunteer), append(organizations, r.organization)
		references, grades = append(references, r.claim.Reference), append(grades, string(r.grade))
		fingerprints = append(fingerprints, r.fingerprint[:])
	}
	if len(seqs) == 0 {
		return insert{}, nil
	}
	const query = `
		INSERT INTO claim (seq, volunteer, organization, served_on, minutes, span_from, span_to, fingerprint, reference,
		                   reposts_shift, reposts_reference, grade, care, youth, pooled)
		SELECT seq, volunteer, organization, date '1970-01-01' + served_on, minutes, nullif(span_from, -1), nullif(span_to, -1),
		       fingerprint, nullif(reference, ''), nullif(reposts_shift, -1), nullif(reposts_reference, -1), grade, care, youth, pooled
		FROM (SELECT unnest($1::bigint[]) AS seq, unnest($2::uuid[]) AS volunteer, unnest($3::uuid[]) AS organization,
		             unnest($4::int[]) AS served_on, unnest($5::bigint[]) AS minutes, unnest($6::bigint[]) AS span_from,
		             unnest($7::bigint[]) AS span_to, unnest($8::bytea[]) AS fingerprint, unnest($9::text[]) AS reference,
		             unnest($10::bigint[]) AS reposts_shift, unnest($11::bigint[]) AS reposts_reference, unnest($12::text[]) AS grade,
		             unnest($13::bigint[]) AS care, unnest($14::bigint[]) AS youth, unnest($15::bigint[]) AS pooled) AS c`
	return insert{query, []any{bigints(seqs), uuids(volunteers), uuids(organizations), ints(servedOn),
		bigints(minutes), bigints(froms), bigints(tos), byteas(fingerprints), texts(references), bigints(repostsShift),
		bigints(repostsReference), texts(grades), bigints(cares), bigints(youths), bigints(pools)}}, nil
}

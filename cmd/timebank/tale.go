package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"timebank/cmd/timebank/city"
	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/sheet"
)

// tale tells the demo's story: every step goes through the API, as the one whose step it is.
type tale struct {
	*instance
	out  io.Writer
	base string

	city       city.City
	operator   *caller
	auditor    *caller
	partner    *caller
	elder      *caller
	orgs       map[string]*caller // by external id
	volunteers map[string]string  // external id -> id
	partnerID  string
	lines      []sheet.Line
	ends       bool // the server ends with the story
}

func (t *tale) say(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

// tell tells the whole story. It is an error when a step does not do what it should.
func (t *tale) tell(ctx context.Context) error {
	for _, step := range []struct {
		title string
		do    func(context.Context) error
	}{
		{"The city", t.register}, {"The sheet", t.importSheet}, {"What the volunteers earned", t.earned}, {"A redemption", t.redeem},
		{"A refusal", t.refusal}, {"The public pool", t.sharePool}, {"The trial balance", t.trialBalance}, {"The ledger, verified", t.verified}, {"Try it", t.invite},
	} {
		t.say("\n%s", step.title)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.title, err)
		}
	}
	return nil
}

// newClient issues credentials as the operator and gives their caller.
func (t *tale) newClient(ctx context.Context, role ledger.Role, subject, label string) (*caller, error) {
	in := map[string]string{"role": string(role), "label": label}
	if subject != "" {
		in["subject_id"] = subject
	}
	var c struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	if err := t.operator.post(ctx, "/v1/clients", "client "+label, in, &c); err != nil {
		return nil, err
	}
	return t.operator.as(c.ID, c.Secret), nil
}

func (t *tale) register(ctx context.Context) error {
	first, err := t.issue(ctx, book.Client{Role: ledger.RoleOperator, Label: "demo operator"})
	if err != nil {
		return err
	}
	t.operator = newCaller(t.base, "").as(first.ID, first.Secret)
	t.city, _ = city.Generate(city.Seed)
	t.orgs, t.volunteers = map[string]*caller{}, map[string]string{}
	for _, o := range t.city.Organizations {
		place := map[string]string{"district": city.District, "street": o.Street}
		if o.Community != "" {
			place["community"] = o.Community
		}
		if o.Grid != "" {
			place["grid"] = o.Grid
		}
		id, err := t.create(ctx, "/v1/organizations", o.Ref, map[string]any{"name": o.Name, "kind": o.Kind, "external_id": o.Ref, "place": place})
		if err != nil {
			return err
		}
		if t.orgs[o.Ref], err = t.newClient(ctx, ledger.RoleOrganization, id, o.Ref); err != nil {
			return err
		}
	}
	if err := t.registerVolunteers(ctx); err != nil {
		return err
	}
	if t.partnerID, err = t.create(ctx, "/v1/partners", t.city.Partner.Ref, map[string]any{"name": t.city.Partner.Name, "external_id": t.city.Partner.Ref}); err != nil {
		return err
	}
	if t.partner, err = t.newClient(ctx, ledger.RolePartner, t.partnerID, "partner"); err != nil {
		return err
	}
	if t.elder, err = t.newClient(ctx, ledger.RoleVolunteer, t.volunteers[t.city.Story.Elder], "elder"); err != nil {
		return err
	}
	if t.auditor, err = t.newClient(ctx, ledger.RoleAuditor, "", "auditor"); err != nil {
		return err
	}
	t.say("  %d organizations, %d volunteers, 1 partner and 1 auditor in %s", len(t.orgs), len(t.volunteers), city.District)
	return nil
}

func (t *tale) create(ctx context.Context, path, key string, in map[string]any) (string, error) {
	var out struct {
		ID string `json:"id"`
	}
	err := t.operator.post(ctx, path, "register "+key, in, &out)
	return out.ID, err
}

func (t *tale) registerVolunteers(ctx context.Context) error {
	bar := newProgress(os.Stderr, "registering")
	defer bar.end()
	for n, v := range t.city.Volunteers {
		in := map[string]any{"name": v.Name, "born": v.Born, "external_id": v.Ref, "roles": append([]string{}, v.Roles...)}
		if v.Guardian != "" {
			in["guardian_id"] = t.volunteers[v.Guardian]
		}
		id, err := t.create(ctx, "/v1/volunteers", v.Ref, in)
		if err != nil {
			return err
		}
		t.volunteers[v.Ref] = id
		bar.at(int64(n+1), int64(len(t.city.Volunteers)))
	}
	return nil
}

// importSheet imports the sheet as each organization in turn, and compares with the answer key.
func (t *tale) importSheet(ctx context.Context) error {
	p, err := sheet.ParseProfile(t.city.Profile())
	if err != nil {
		return err
	}
	rows, err := sheet.Read(city.Bundled, p)
	if err != nil {
		return err
	}
	begun := clock()
	if err := t.importRows(ctx, rows); err != nil {
		return err
	}
	totals := totalsOf(t.lines)
	t.say("  %d rows of the district's export, in %s:", totals.Rows, since(begun).Round(time.Millisecond))
	t.say("  %6d recorded, %d ignored (absences), %d refused:", totals.Count[sheet.Recorded], totals.Count[sheet.Ignored], totals.Count[sheet.Refused])
	for _, code := range totals.CodesInOrder() {
		t.say("  %6d %s", totals.Codes[code], code)
	}
	return t.compare()
}

func (t *tale) importRows(ctx context.Context, rows []sheet.Row) error {
	t.lines = make([]sheet.Line, len(rows))
	bySite := map[string][]sheet.Row{}
	for _, row := range rows {
		if line, ready := sheet.Unposted(row, row.Site); !ready {
			t.lines[row.Number-1] = line
			continue
		}
		bySite[row.Site] = append(bySite[row.Site], row)
	}
	bar := newProgress(os.Stderr, "importing")
	defer bar.end()
	var done int64
	for _, o := range t.city.Organizations {
		mine := bySite[o.Ref]
		i := importer{caller: t.orgs[o.Ref], progress: func(n, _ int64) { bar.at(done+n, int64(len(rows))) }}
		lines, err := i.run(ctx, mine)
		if err != nil {
			return err
		}
		for _, l := range lines {
			t.lines[l.Row-1] = l
		}
		done += int64(len(mine))
	}
	return nil
}

// compare holds what became of each row against the answer key.
func (t *tale) compare() error {
	var answers []city.Answer
	if err := json.Unmarshal(city.Answers, &answers); err != nil {
		return fmt.Errorf("reading the answer key: %w", err)
	}
	if len(answers) != len(t.lines) {
		return fmt.Errorf("the answer key has %d rows, the sheet %d", len(answers), len(t.lines))
	}
	planted := 0
	for i, want := range answers {
		if have := t.lines[i]; string(have.Outcome) != want.Outcome || have.Code != want.Code {
			return fmt.Errorf("row %d (%s): %s %s, the answer key says %s %s", have.Row, want.Planted, have.Outcome, have.Code, want.Outcome, want.Code)
		}
		if want.Planted != "" {
			planted++
		}
	}
	t.say("  Every row became what the answer key says, the %d planted oddities among them.", planted)
	return nil
}

func (t *tale) earned(ctx context.Context) error {
	rows, err := t.trial(ctx)
	if err != nil {
		return err
	}
	for _, x := range []struct{ owner, purpose, what string }{
		{"volunteer", "served", "served: the record of what really happened"}, {"volunteer", "care", "of care credit, redeemable from 60"},
		{"volunteer", "youth", "of youth service record"},
	} {
		t.say("  %12s %s", rows[x.owner+"/"+x.purpose], x.what)
	}
	t.say("  The rest earned nothing: bare words, and what exceeds eight hours a day.")
	return nil
}

type trialAnswer struct {
	Rows []struct {
		Unit    string         `json:"unit"`
		Owner   string         `json:"owner_kind"`
		Purpose string         `json:"purpose"`
		Balance ledger.Minutes `json:"balance"`
	} `json:"rows"`
	Sums map[string]ledger.Minutes `json:"sums"`
}

func (t *tale) trial(ctx context.Context) (map[string]ledger.Minutes, error) {
	var a trialAnswer
	err := t.auditor.get(ctx, "/v1/trial-balance", &a)
	rows := map[string]ledger.Minutes{}
	for _, r := range a.Rows {
		rows[r.Owner+"/"+r.Purpose] = r.Balance
	}
	return rows, err
}

type balancesAnswer struct {
	Available ledger.Minutes `json:"care_available"`
	Held      ledger.Minutes `json:"care_held"`
}

func (t *tale) balances(ctx context.Context, ref string) (b balancesAnswer, err error) {
	return b, t.auditor.get(ctx, "/v1/volunteers/"+t.volunteers[ref]+"/balances", &b)
}

// expect is an error unless the elder has so much available and held.
func (t *tale) expect(ctx context.Context, available, held ledger.Minutes) error {
	var b balancesAnswer
	if err := t.elder.get(ctx, "/v1/volunteers/"+t.volunteers[t.city.Story.Elder]+"/balances", &b); err != nil {
		return err
	}
	if b.Available != available || b.Held != held {
		return fmt.Errorf("%s are available and %s held, not %s and %s", b.Available, b.Held, available, held)
	}
	return nil
}

func (t *tale) name(ref string) string {
	i := slices.IndexFunc(t.city.Volunteers, func(v city.Volunteer) bool { return v.Ref == ref })
	return t.city.Volunteers[i].Name
}

func (t *tale) redeem(ctx context.Context) error {
	elder := t.city.Story.Elder
	id := t.volunteers[elder]
	var before balancesAnswer
	if err := t.elder.get(ctx, "/v1/volunteers/"+id+"/balances", &before); err != nil {
		return err
	}
	t.say("  %s has saved %s and lets %s use up to 10 h of it.", t.name(elder), before.Available, t.city.Partner.Name)
	consent := map[string]any{"volunteer_id": id, "partner_id": t.partnerID, "minutes_max": 600, "until": "2099-12-31"}
	if err := t.elder.post(ctx, "/v1/consents", "consent", consent, nil); err != nil {
		return err
	}
	var r struct {
		ID string `json:"id"`
	}
	if err := t.partner.post(ctx, "/v1/redemptions", "hold", map[string]any{"volunteer_id": id, "service": "CLEAN-HOME", "minutes": 180}, &r); err != nil {
		return err
	}
	if err := t.expect(ctx, before.Available-180, 180); err != nil {
		return err
	}
	t.say("  The partner holds 3 h for home cleaning; %s stay available.", before.Available-180)
	if err := t.partner.post(ctx, "/v1/redemptions/"+r.ID+"/confirm", "confirm", map[string]any{"minutes": 150}, nil); err != nil {
		return err
	}
	t.say("  It took 2 h 30 min: that much goes to the partner, 30 min come back; %s are available.", before.Available-150)
	return t.expect(ctx, before.Available-150, 0)
}

func (t *tale) refusal(ctx context.Context) error {
	poor := t.city.Story.Poor
	client, err := t.newClient(ctx, ledger.RoleVolunteer, t.volunteers[poor], "poor")
	if err != nil {
		return err
	}
	consent := map[string]any{"volunteer_id": t.volunteers[poor], "partner_id": t.partnerID, "minutes_max": 600, "until": "2099-12-31"}
	if err := client.post(ctx, "/v1/consents", "consent", consent, nil); err != nil {
		return err
	}
	b, err := t.balances(ctx, poor)
	if err != nil {
		return err
	}
	err = t.partner.post(ctx, "/v1/redemptions", "too much", map[string]any{"volunteer_id": t.volunteers[poor], "service": "MED-ACC", "minutes": 60}, nil)
	var p *problem
	if !errors.As(err, &p) || p.Code != "credit_insufficient" {
		return errors.Join(errors.New("asking for more than there is was not refused as credit_insufficient"), err)
	}
	t.say("  %s has %s; an hour is refused: %s (%s)", t.name(poor), b.Available, p.Detail, p.Code)
	return nil
}

func (t *tale) trialBalance(ctx context.Context) error {
	var a trialAnswer
	if err := t.auditor.get(ctx, "/v1/trial-balance", &a); err != nil {
		return err
	}
	for _, r := range a.Rows {
		if r.Balance != 0 {
			t.say("  %-8s %-14s %-14s %10d min", r.Unit, r.Owner, r.Purpose, r.Balance)
		}
	}
	for _, u := range ledger.Units {
		if a.Sums[string(u)] != 0 {
			return fmt.Errorf("the accounts in %s sum to %d, not to zero", u, a.Sums[string(u)])
		}
		t.say("  %-8s sums to %d", u, a.Sums[string(u)])
	}
	return nil
}

func (t *tale) verified(ctx context.Context) error {
	if err := t.Publish(ctx); err != nil {
		return err
	}
	bar := newProgress(os.Stderr, "verifying")
	v, err := t.Verify(ctx, bar.at)
	bar.end()
	if err != nil {
		return err
	}
	if err := wrong(v); err != nil {
		return err
	}
	var checkpoint []byte
	if err := newCaller(t.base, "").get(ctx, "/v1/checkpoint", &checkpoint); err != nil {
		return err
	}
	t.say("  %d entries and %d postings recomputed, %d decisions made again: nothing is wrong.", v.Entries, v.Postings, v.Replayed)
	t.say("  The signed checkpoint (key: %s):\n", t.LogVerifier())
	t.say("%s", checkpoint)
	return nil
}

// invite prints, for each role, a token and a curl line that works when pasted.
func (t *tale) invite(ctx context.Context) error {
	elder := t.volunteers[t.city.Story.Elder]
	if t.ends {
		t.say("  The server ends with the story. Without --exit it stays, with a line of curl to try for each role.")
	} else {
		t.say("  Tokens are valid for 15 minutes. Everything is in %s/openapi.yaml.", t.base)
	}
	for _, x := range []struct {
		role string
		c    *caller
		curl string
	}{
		{"operator", t.operator, "/v1/organizations"}, {"organization", t.orgs["ORG-01"], "/v1/hours?limit=2"},
		{"partner", t.partner, "/v1/redemptions"}, {"volunteer", t.elder, "/v1/volunteers/" + elder + "/balances"},
		{"auditor", t.auditor, "/v1/trial-balance"},
	} {
		x.c.until = time.Time{} // a fresh one, valid as long as can be
		if err := x.c.renew(ctx, clock()); err != nil {
			return err
		}
		var answer []byte
		if err := x.c.get(ctx, x.curl, &answer); err != nil {
			return fmt.Errorf("trying the %s's line: %w", x.role, err)
		}
		if t.ends { // nobody would answer
			continue
		}
		t.say("\n  %s:\n  curl -H 'Authorization: Bearer %s' '%s%s'", x.role, x.c.token, t.base, x.curl)
	}
	return nil
}

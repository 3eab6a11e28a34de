package book_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/policy"
)

func applicationFor(volunteer string) book.Application {
	return book.Application{Volunteer: volunteer, Alone: true, Document: "visit 7", Recorder: "w1", Approver: "w2"}
}

// The pool serves the first priority before the second, within one whoever asked first, and nobody twice
// before the others had their turn.
func TestGrantNext_gives_to_the_next_in_line(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	for _, day := range []string{"2026-03-06", "2026-03-07"} {
		f.MustPost(t, f.org, booktest.Served(t, f.giver, day, 400))
	}
	if err := f.give(t, "", 1000); err != nil {
		t.Fatal(err)
	}
	second := f.Volunteer(t, "1960-01-01")
	poor := applicationFor(second)
	poor.Poor, poor.NeedsCare = true, true
	firsts := []string{f.Volunteer(t, "1940-01-01"), f.Volunteer(t, "1930-01-01")}
	for _, a := range []book.Application{poor, applicationFor(firsts[0]), applicationFor(firsts[1])} {
		if _, err := f.Apply(t.Context(), f.org, f.Key(), a); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for range 3 {
		r, err := f.GrantNext(t.Context(), booktest.Operator, f.Key())
		if err != nil {
			got = append(got, booktest.RefusalCode(err))
			continue
		}
		got = append(got, fmt.Sprint(slices.Index([]string{second, firsts[0], firsts[1]}, r.Volunteer), " ", f.BalancesOf(t, r.Volunteer).Care))
	}
	if want := []string{"1 10 h", "2 6 h 40 min", "pool_empty"}; !slices.Equal(got, want) {
		t.Errorf("grants went to %v, want %v", got, want)
	}
	withdrawn := applicationFor(firsts[1])
	withdrawn.Withdrawn = true
	if _, err := f.Apply(t.Context(), f.Organization(t), f.Key(), withdrawn); booktest.RefusalCode(err) != "nothing_to_withdraw" {
		t.Errorf("another organization withdraws: %v", err)
	}
	if _, err := f.Apply(t.Context(), f.org, f.Key(), withdrawn); err != nil {
		t.Fatal(err)
	}
	f.CheckBook(t)
}

func TestApply_refuses(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	one := applicationFor(f.mother)
	one.Approver = one.Recorder
	stranger := applicationFor("00000000-0000-4000-8000-000000000001")
	for _, tt := range []struct {
		a    book.Application
		by   ledger.Actor
		code string
	}{
		{one, f.org, "one_person"}, {stranger, f.org, "volunteer_unknown"}, {applicationFor(f.giver), f.org, "not_entitled"},
	} {
		if _, err := f.Apply(t.Context(), tt.by, f.Key(), tt.a); booktest.RefusalCode(err) != tt.code {
			t.Errorf("Apply = %v, want %s", err, tt.code)
		}
	}
	if _, err := f.Apply(t.Context(), f.as(f.mother), f.Key(), applicationFor(f.mother)); !errors.Is(err, ledger.ErrForbidden) {
		t.Errorf("a volunteer applies for herself: %v", err)
	}
}

// Two operators who ask at once give twice, to two people, and never more than there is.
func TestGrantNext_at_once(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	if err := f.give(t, "", 300); err != nil {
		t.Fatal(err)
	}
	for _, born := range []string{"1940-01-01", "1941-01-01"} {
		if _, err := f.Apply(t.Context(), f.org, f.Key(), applicationFor(f.Volunteer(t, born))); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	codes := make([]string, 6)
	for i := range codes {
		wg.Go(func() {
			_, err := f.GrantNext(t.Context(), booktest.Operator, f.Key())
			codes[i] = booktest.RefusalCode(err)
		})
	}
	wg.Wait()
	slices.Sort(codes)
	if want := []string{"", "pool_empty", "pool_empty", "pool_empty", "pool_empty", "pool_empty"}; !slices.Equal(codes, want) {
		t.Errorf("six grants came to %v, want %v", codes, want)
	}
	f.CheckBook(t)
}

// expiring opens a book whose credit ends after a month, with what was served long ago and lately.
func expiring(t *testing.T) family {
	t.Helper()
	rules := strings.Replace(string(policy.Shipped()), "\nworkload:", `
expiry: {id: ends, after_months: 1, text: {en: Credit ends after a month, zh: 满一个月到期}, source: project decision}
workload:`, 1)
	b := booktest.Open(t, booktest.Database(t), []byte(rules))
	return family{Book: b, org: b.Organization(t), giver: b.Volunteer(t, "1950-01-01"), mother: b.Volunteer(t, "1946-01-01")}
}

// The oldest is spent first; what was corrected was never received; what is held is not taken.
func TestExpire_ends_what_is_left_of_the_old(t *testing.T) {
	t.Parallel()
	f := expiring(t)
	f.MustPost(t, f.org, booktest.Served(t, f.giver, "2026-03-05", 300))
	wrong := f.MustPost(t, f.org, booktest.Served(t, f.giver, "2026-03-06", 200))
	today, err := f.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.MustPost(t, f.org, booktest.Served(t, f.giver, today.In(f.Zone()).Format("2006-01-02"), 100))
	if _, err := f.CorrectEntry(t.Context(), f.org, f.Key(), wrong.Seq, "another person"); err != nil {
		t.Fatal(err)
	}
	if err := f.give(t, "", 40); err != nil {
		t.Fatal(err)
	}
	partner := f.Partner(t)
	f.Consent(t, f.giver, partner, 500)
	if _, err := f.Hold(t.Context(), partner, f.Key(), book.Redemption{Volunteer: f.giver, Service: "TALK", Minutes: 60}); err != nil {
		t.Fatal(err)
	}
	e, err := f.Expire(t.Context(), booktest.Operator, f.Key())
	if err != nil || e != (book.Expired{Volunteers: 1, Minutes: 300 - 40 - 60}) {
		t.Errorf("Expire = %+v, %v, want 200 minutes of one volunteer", e, err)
	}
	if again, err := f.Expire(t.Context(), booktest.Operator, f.Key()); err != nil || again != (book.Expired{}) {
		t.Errorf("Expire again = %+v, %v, want nothing", again, err)
	}
	if have := f.BalancesOf(t, f.giver).Care; have != 100 {
		t.Errorf("%d minutes are left, want the 100 of today", have)
	}
	f.CheckBook(t)
}

func TestExpire_by_the_shipped_rules_ends_nothing(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	if _, err := f.Expire(t.Context(), booktest.Operator, f.Key()); booktest.RefusalCode(err) != "nothing_expires" {
		t.Errorf("Expire = %v, want nothing_expires", err)
	}
	if _, err := f.Expire(t.Context(), f.org, f.Key()); !errors.Is(err, ledger.ErrForbidden) {
		t.Errorf("an organization ends credit: %v", err)
	}
}

// An organization certifies what it recorded, once; another that recorded nothing finds nobody.
func TestGiveHonour(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	for day := range 20 {
		c := booktest.Served(t, f.giver, fmt.Sprintf("2026-04-%02d", day+1), 300)
		c.Position, c.Evidence.Satisfaction = "organizer", 5
		f.MustPost(t, f.org, c)
	}
	other := f.Organization(t)
	h := book.Honouring{Volunteer: f.giver, Honour: "certificate-100"}
	if _, err := f.GiveHonour(t.Context(), other, f.Key(), h); booktest.RefusalCode(err) != "volunteer_unknown" {
		t.Errorf("an organization that recorded nothing certifies: %v", err)
	}
	r, err := f.GiveHonour(t.Context(), f.org, f.Key(), h)
	if err != nil || len(r.Lines) > 0 {
		t.Fatalf("GiveHonour = %+v, %v", r, err)
	}
	if !strings.Contains(string(r.Details), `"minutes":6300,"counted":6300`) || !strings.Contains(string(r.Details), `"rated":20,"satisfaction":100,"organizers":20`) {
		t.Errorf("the certificate rests on %s", r.Details)
	}
	if _, err := f.GiveHonour(t.Context(), f.org, f.Key(), h); booktest.RefusalCode(err) != "honour_not_reached" {
		t.Errorf("a second certificate: %v", err)
	}
	c := book.Honouring{Volunteer: f.giver, Honour: "commendation", Reason: "二十次组织社区活动"}
	if _, err := f.GiveHonour(t.Context(), booktest.Operator, f.Key(), c); booktest.RefusalCode(err) != "honour_needs_nomination" {
		t.Errorf("a commendation without nomination: %v", err)
	}
	n, err := f.Nominate(t.Context(), f.org, f.Key(), c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Nominate(t.Context(), f.org, f.Key(), c); booktest.RefusalCode(err) != "nominated_before" {
		t.Errorf("a second nomination: %v", err)
	}
	got, err := f.GiveHonour(t.Context(), booktest.Operator, f.Key(), c)
	if err != nil || got.Refers == nil || *got.Refers != n.Seq {
		t.Errorf("the commendation answers %v, %v, want nomination %d", got.Refers, err, n.Seq)
	}
	f.CheckBook(t)
}

// team registers a professional team and posts service of its members in both halves of 2025.
func team(t *testing.T, b *booktest.Book) ledger.Actor {
	t.Helper()
	r, err := b.RegisterOrganization(t.Context(), booktest.Operator, b.Key(), book.Organization{Name: "市一院义诊队", Kind: "professional_team"})
	if err != nil {
		t.Fatal(err)
	}
	org := b.Actor(t, ledger.RoleOrganization, r.ID)
	for i := range 4 {
		v := b.Volunteer(t, "1980-01-01")
		if i > 0 { // one has left
			for day := range 3 {
				b.MustPost(t, org, booktest.Served(t, v, fmt.Sprintf("2025-0%d-10", 7+day), 400))
			}
		}
		if i < 3 { // one is new
			b.MustPost(t, org, booktest.Served(t, v, "2025-06-30", 60))
		}
	}
	return org
}

func TestAssess(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	org := team(t, b)
	in := booktest.Date(t, "2025-08-15")
	r, err := b.Assess(t.Context(), booktest.Operator, b.Key(), org.Subject, in)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"level":"C"`, `"from":"2025-07-01","to":"2025-12-31","minutes":3600`, `"members":3,"members_before":3,"stayed":2`} {
		if !strings.Contains(string(r.Details), want) {
			t.Errorf("the assessment says %s, want %s in it", r.Details, want)
		}
	}
	if len(r.Lines) != 2 || r.Lines[0].Minutes+r.Lines[1].Minutes != 0 {
		t.Errorf("the assessment moves %+v", r.Lines)
	}
	for code, do := range map[string]func() error{
		"assessed_before": func() error {
			_, err := b.Assess(t.Context(), booktest.Operator, b.Key(), org.Subject, in+30)
			return err
		},
		"period_not_over": func() error {
			now, _ := b.Now(t.Context())
			_, err := b.Assess(t.Context(), booktest.Operator, b.Key(), org.Subject, ledger.DateOf(now.In(b.Zone())))
			return err
		},
		"not_assessed": func() error {
			_, err := b.Assess(t.Context(), booktest.Operator, b.Key(), b.Organization(t).Subject, in)
			return err
		},
	} {
		if err := do(); booktest.RefusalCode(err) != code {
			t.Errorf("Assess = %v, want %s", err, code)
		}
	}
	b.CheckBook(t)
}

func TestWorkload_and_referral(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	org := b.Organization(t)
	worker := b.Register(t, book.Volunteer{Name: "社工", Born: booktest.Date(t, "1985-01-01"), Roles: []ledger.VolunteerRole{"community_worker"}})
	now, err := b.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	today := ledger.DateOf(now.In(b.Zone()))
	for day := range ledger.Date(7) {
		b.MustPost(t, org, booktest.Served(t, worker, (today-day).String(), 400))
	}
	self := ledger.Actor{Role: ledger.RoleVolunteer, Subject: worker}
	w, err := b.Workload(t.Context(), self, worker)
	if err != nil || w.Facts.In7 != 2800 || w.Facts.DaysIn7 != 7 || len(w.Steps) != 2 {
		t.Errorf("Workload = %+v, %v, want 2,800 minutes, 7 days and two recommendations", w, err)
	}
	if _, err := b.Workload(t.Context(), org, worker); !errors.Is(err, ledger.ErrForbidden) {
		t.Errorf("an organization reads the workload: %v", err)
	}
	if _, err := b.Refer(t.Context(), b.Organization(t), b.Key(), book.Referral{Volunteer: worker, To: "relief"}); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("an organization they never served with refers them: %v", err)
	}
	for _, by := range []ledger.Actor{org, self} {
		if _, err := b.Refer(t.Context(), by, b.Key(), book.Referral{Volunteer: worker, To: "relief"}); err != nil {
			t.Errorf("Refer by %s = %v", by.Role, err)
		}
	}
	first := ledger.Seq(0)
	c := book.Clarification{Volunteer: worker, Finding: "投诉不属实", Document: "file 3", Recorder: "w1", Approver: "w2", Entry: &first}
	if _, err := b.Clarify(t.Context(), org, b.Key(), c); booktest.RefusalCode(err) != "entry_unknown" {
		t.Errorf("a clarification of somebody else's entry: %v", err)
	}
	c.Entry = nil
	if _, err := b.Clarify(t.Context(), org, b.Key(), c); err != nil {
		t.Error(err)
	}
	b.CheckBook(t)
}

// Care is booked ahead; the volunteer may cancel before the time, and cancelling counts against whoever
// broke the word.
func TestHold_is_booked(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	posted := f.MustPost(t, f.org, booktest.Served(t, f.mother, "2026-03-05", 480))
	partner := f.Partner(t)
	f.Consent(t, f.mother, partner, 900)
	at := func(minutes book.CareTime) *book.CareTime {
		local := posted.Recorded.In(f.Zone())
		c := book.At(ledger.DateOf(local), ledger.Clock(local.Hour()*60+local.Minute())) + minutes
		return &c
	}
	hold := func(minutes book.CareTime) (book.Receipt, error) {
		return f.Hold(t.Context(), partner, f.Key(), book.Redemption{Volunteer: f.mother, Service: "TALK", Minutes: 10, CareAt: at(minutes)})
	}
	if _, err := hold(1400); booktest.RefusalCode(err) != "booked_too_late" {
		t.Errorf("booked 1,400 minutes ahead: %v", err)
	}
	if _, err := hold(-100); booktest.RefusalCode(err) != "date_out_of_range" {
		t.Errorf("booked for the past: %v", err)
	}
	early, err := hold(1500)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Cancel(t.Context(), f.as(f.giver), f.Key(), early.ID, "volunteer_asked"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a stranger cancels: %v", err)
	}
	if _, err := f.Cancel(t.Context(), f.as(f.mother), f.Key(), early.ID, "partner_absent"); booktest.RefusalCode(err) != "reason_not_yours" {
		t.Errorf("the volunteer says the partner was away: %v", err)
	}
	if _, err := f.Cancel(t.Context(), f.as(f.mother), f.Key(), early.ID, "volunteer_asked"); err != nil {
		t.Error(err)
	}
	now, err := f.Hold(t.Context(), partner, f.Key(), book.Redemption{Volunteer: f.mother, Service: "TALK", Minutes: 10})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Cancel(t.Context(), f.as(f.mother), f.Key(), now.ID, "volunteer_asked"); booktest.RefusalCode(err) != "cancel_too_late" {
		t.Errorf("the volunteer cancels what is for no time: %v", err)
	}
	if _, err := f.Cancel(t.Context(), booktest.Operator, f.Key(), now.ID, "partner_absent"); err != nil {
		t.Error(err)
	}
	for i := range 5 {
		h, err := f.Hold(t.Context(), partner, f.Key(), book.Redemption{Volunteer: f.mother, Service: "TALK", Minutes: 10})
		if i == 4 {
			if booktest.RefusalCode(err) != "partner_suspended" {
				t.Errorf("a partner with five strikes holds: %v", err)
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Cancel(t.Context(), booktest.Operator, f.Key(), h.ID, "partner_absent"); err != nil {
			t.Fatal(err)
		}
	}
	f.CheckBook(t)
}

// Whoever changes what a group was decided on is found out.
func TestVerify_finds_what_was_changed_for_a_group(t *testing.T) {
	t.Parallel()
	changes := map[string]string{
		"a grant of more":           `UPDATE entry SET details = replace(details, '"granted_to_all":0', '"granted_to_all":5') WHERE kind = 'grant'`,
		"an application of another": `UPDATE entry SET details = replace(details, '"priority":1', '"priority":2') WHERE kind = 'application'`,
		"an honour on more hours":   `UPDATE entry SET details = replace(details, '"counted":300', '"counted":9000') WHERE kind = 'honour'`,
		"a better level":            `UPDATE entry SET details = replace(details, '"level":"C"', '"level":"A"') WHERE kind = 'support'`,
		"fewer who left":            `UPDATE entry SET details = replace(details, '"stayed":2', '"stayed":3') WHERE kind = 'support'`,
		"less served":               `UPDATE entry SET details = replace(details, '"minutes_in_30":0', '"minutes_in_30":900') WHERE kind = 'referral'`,
		"one who checked alone":     `UPDATE entry SET details = replace(details, '"approver":"w2"', '"approver":"w1"') WHERE kind = 'clarification'`,
		"no strike":                 `UPDATE entry SET details = replace(details, ',"against":["partner"]', '') WHERE kind = 'cancel'`,
		"another time of care":      `UPDATE hold SET care_at = 7 WHERE care_at IS NOT NULL`,
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := groupsBook(t, booktest.New(t))
			f.Tamper(t, change)
			v, err := f.Verify(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(v.Findings, func(x book.Finding) bool { return !strings.Contains(x.What, "leaf") }) {
				t.Errorf("Verify finds %v, want what was changed in the meaning", v.Findings)
			}
		})
	}
}

// groupsBook is a book in which something was decided for each group.
func groupsBook(t *testing.T, b *booktest.Book) family {
	t.Helper()
	f := familyIn(t, b)
	must := func(_ book.Receipt, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	f.MustPost(t, f.org, booktest.Served(t, f.mother, "2026-03-05", 300))
	if err := f.give(t, "", 200); err != nil {
		t.Fatal(err)
	}
	must(f.Apply(t.Context(), f.org, f.Key(), applicationFor(f.mother)))
	must(f.GrantNext(t.Context(), booktest.Operator, f.Key()))
	worker := f.Register(t, book.Volunteer{Name: "社工", Born: booktest.Date(t, "1985-01-01"), Roles: []ledger.VolunteerRole{"community_worker"}})
	f.MustPost(t, f.org, booktest.Served(t, worker, "2026-03-05", 300))
	must(f.GiveHonour(t.Context(), f.org, f.Key(), book.Honouring{Volunteer: worker, Honour: "community-worker-record"}))
	must(f.Assess(t.Context(), booktest.Operator, f.Key(), team(t, f.Book).Subject, booktest.Date(t, "2025-08-15")))
	must(f.Refer(t.Context(), f.as(worker), f.Key(), book.Referral{Volunteer: worker, To: "counselling"}))
	must(f.Clarify(t.Context(), f.org, f.Key(), book.Clarification{Volunteer: worker, Finding: "投诉不属实", Document: "d", Recorder: "w1", Approver: "w2"}))
	partner := f.Partner(t)
	f.Consent(t, f.mother, partner, 500)
	now, err := f.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	care := book.At(ledger.DateOf(now.In(f.Zone())), 0) + 3*24*60
	h, err := f.Hold(t.Context(), partner, f.Key(), book.Redemption{Volunteer: f.mother, Service: "TALK", Minutes: 10, CareAt: &care})
	must(h, err)
	must(f.Cancel(t.Context(), booktest.Operator, f.Key(), h.ID, "partner_absent"))
	return f
}

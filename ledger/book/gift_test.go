package book_test

import (
	"sync"
	"testing"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/policy"
)

// family is somebody of 55 with 300 minutes, and their mother of 80.
type family struct {
	*booktest.Book
	org           ledger.Actor
	giver, mother string
	posted        book.Receipt
}

func newFamily(t *testing.T) family {
	t.Helper()
	return familyIn(t, booktest.New(t))
}

func familyIn(t *testing.T, b *booktest.Book) family {
	t.Helper()
	f := family{Book: b, org: b.Organization(t), giver: b.Volunteer(t, "1971-01-01"), mother: b.Volunteer(t, "1946-01-01")}
	f.posted = b.MustPost(t, f.org, booktest.Served(t, f.giver, "2026-03-05", 300))
	return f
}

func (f family) as(volunteer string) ledger.Actor {
	return ledger.Actor{Role: ledger.RoleVolunteer, Subject: volunteer}
}

func (f family) related(kind ledger.RelationKind) book.Relation {
	return book.Relation{Volunteer: f.giver, Relative: f.mother, Kind: kind, Document: "household register 12", Recorder: "w1", Approver: "w2"}
}

func (f family) give(t *testing.T, receiver string, minutes ledger.Minutes) error {
	_, err := f.Give(t.Context(), f.as(f.giver), f.Key(), book.Gift{Giver: f.giver, Receiver: receiver, Minutes: minutes})
	return err
}

// Credit goes to a registered relative who is old enough, as long as they are registered, and to nobody else.
func TestTransferGoesToRelatives(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	ctx := t.Context()
	expect := func(name string, err error, want string) {
		t.Helper()
		if booktest.RefusalCode(err) != want {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	expect("to somebody who is not registered as a relative", f.give(t, f.mother, 60), "not_a_relative")
	expect("to somebody who does not exist", f.give(t, "01920f3e-1c5a-7c3b-9a51-2f6d8e4b7a10", 60), "not_a_relative")
	one := f.related(ledger.Parent)
	one.Approver = one.Recorder
	_, err := f.RegisterRelation(ctx, f.org, f.Key(), one)
	expect("one person's word", err, "one_person")
	_, err = f.RegisterRelation(ctx, f.as(f.giver), f.Key(), f.related(ledger.Parent))
	expect("one's own word", err, "error: "+ledger.ErrForbidden.Error())
	_, err = f.RegisterRelation(ctx, f.org, f.Key(), f.related("friend"))
	expect("a friend", err, "relation_unknown")
	registered, err := f.RegisterRelation(ctx, f.org, f.Key(), f.related(ledger.Parent))
	expect("the mother", err, "")
	_, err = f.RegisterRelation(ctx, f.org, f.Key(), book.Relation{Volunteer: f.mother, Relative: f.giver, Kind: ledger.Child, Document: "x", Recorder: "a", Approver: "b"})
	expect("the same from the other side", err, "relation_registered")

	expect("to the mother", f.give(t, f.mother, 100), "")
	expect("more than there is", f.give(t, f.mother, 201), "credit_insufficient")
	_, err = f.Give(ctx, f.as(f.mother), f.Key(), book.Gift{Giver: f.giver, Receiver: f.mother, Minutes: 10})
	expect("taken by the receiver", err, "error: "+ledger.ErrNotFound.Error())
	_, err = f.Give(ctx, f.as(f.mother), f.Key(), book.Gift{Giver: f.mother, Receiver: f.giver, Minutes: 10})
	expect("back to a son of 55", err, "receiver_too_young")
	expect("to the pool", f.give(t, "", 50), "")

	_, err = f.EndRelation(ctx, f.Organization(t), f.Key(), registered.Seq)
	expect("another organization ends nothing", err, "error: "+ledger.ErrNotFound.Error())
	_, err = f.EndRelation(ctx, f.org, f.Key(), registered.Seq)
	expect("the end", err, "")
	_, err = f.EndRelation(ctx, f.org, f.Key(), registered.Seq)
	expect("it ends once", err, "relation_over")
	expect("after the end", f.give(t, f.mother, 10), "not_a_relative")
	_, err = f.RegisterRelation(ctx, f.org, f.Key(), f.related(ledger.Grandparent))
	expect("registered anew", err, "")
	expect("to the relative again", f.give(t, f.mother, 10), "")

	a, b := f.BalancesOf(t, f.giver), f.BalancesOf(t, f.mother)
	if a.Care != 140 || b.Care != 110 || poolOf(t, f.Book) != 50 || a.Served != 300 || b.Served != 0 {
		t.Errorf("giver %+v, mother %+v, pool %d; want 140, 110 and 50, and no service record moved", a, b, poolOf(t, f.Book))
	}
	f.CheckBook(t)
}

// What was given away before a correction is owed by the giver; the receiver keeps it.
func TestCorrectionAfterATransferIsOwedByTheGiver(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	if _, err := f.RegisterRelation(t.Context(), f.org, f.Key(), f.related(ledger.Parent)); err != nil {
		t.Fatal(err)
	}
	if err := f.give(t, f.mother, 200); err != nil {
		t.Fatal(err)
	}
	if _, err := f.CorrectEntry(t.Context(), f.org, f.Key(), f.posted.Seq, "never happened"); err != nil {
		t.Fatal(err)
	}
	if a, b := f.BalancesOf(t, f.giver), f.BalancesOf(t, f.mother); a.Care != 0 || a.CareOwed != 200 || b.Care != 200 {
		t.Errorf("giver %+v, mother %+v; want 200 owed, and 200 kept", a, b)
	}
	f.CheckBook(t)
}

// The year's limit holds whatever comes at once; what comes at once never exceeds the balance.
func TestGiftsAtOnceNeverExceedTheBalance(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	if _, err := f.RegisterRelation(t.Context(), f.org, f.Key(), f.related(ledger.Parent)); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	got := map[string]int{}
	for n := range 40 {
		receiver := []string{"", f.mother}[n%2]
		all.Go(func() {
			code := booktest.RefusalCode(f.give(t, receiver, 20))
			mu.Lock()
			defer mu.Unlock()
			got[code]++
		})
	}
	all.Wait()
	if got[""] != 15 || got["credit_insufficient"] != 25 {
		t.Errorf("%v, want 15 of 20 minutes out of 300", got)
	}
	if v := f.BalancesOf(t, f.giver); v.Care != 0 || poolOf(t, f.Book)+f.BalancesOf(t, f.mother).Care != 300 {
		t.Errorf("%+v left, want all given", v)
	}
	f.CheckBook(t)
}

// Where rules let credit go to anybody, it still goes to somebody who exists, and to another.
func TestGiftsToAnybodyGoToSomebody(t *testing.T) {
	t.Parallel()
	shanghai, ok := policy.Preset("shanghai")
	if !ok {
		t.Fatal("no preset shanghai")
	}
	b := booktest.Open(t, booktest.Database(t), shanghai)
	f := family{Book: b, org: b.Organization(t), giver: b.Volunteer(t, "1971-01-01"), mother: b.Volunteer(t, "1985-01-01")}
	b.MustPost(t, f.org, booktest.Served(t, f.giver, "2026-03-05", 300))
	for i, x := range []struct{ receiver, want string }{
		{"01920f3e-1c5a-7c3b-9a51-2f6d8e4b7a10", "volunteer_unknown"}, {f.giver, "gift_to_oneself"}, {f.mother, ""},
	} {
		if err := f.give(t, x.receiver, 60); booktest.RefusalCode(err) != x.want {
			t.Errorf("gift %d: %v, want %q", i, err, x.want)
		}
	}
	f.CheckBook(t)
}

func TestTransferYearLimitCountsTransfersOnly(t *testing.T) {
	t.Parallel()
	b := booktest.Open(t, booktest.Database(t), with("most: 12000", "most: 100"))
	f := family{Book: b, org: b.Organization(t), giver: b.Volunteer(t, "1971-01-01"), mother: b.Volunteer(t, "1946-01-01")}
	b.MustPost(t, f.org, booktest.Served(t, f.giver, "2026-03-05", 300))
	if _, err := f.RegisterRelation(t.Context(), f.org, f.Key(), f.related(ledger.Parent)); err != nil {
		t.Fatal(err)
	}
	for i, x := range []struct {
		receiver string
		minutes  ledger.Minutes
		want     string
	}{{f.mother, 60, ""}, {"", 90, ""}, {f.mother, 41, "transfer_limit"}, {f.mother, 40, ""}, {f.mother, 1, "transfer_limit"}, {"", 90, ""}} {
		if err := f.give(t, x.receiver, x.minutes); booktest.RefusalCode(err) != x.want {
			t.Errorf("gift %d: %v, want %q", i, err, x.want)
		}
	}
	f.CheckBook(t)
}

func TestVerifyNamesTamperedGiftsRelationsAndConsents(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"another giver":      `UPDATE gift SET giver = gen_random_uuid()`,
		"fewer minutes":      `UPDATE gift SET minutes = minutes - 1`,
		"another year":       `UPDATE gift SET given_on = given_on - 366`,
		"the gift is gone":   `DELETE FROM gift`,
		"another relation":   `UPDATE relation SET kind = 'spouse'`,
		"another document":   `UPDATE relation SET document = 'none'`,
		"no relation at all": `DELETE FROM relation`,
		"an older consent":   `UPDATE ward_consent SET since = since - 100`,
		"no consent at all":  `DELETE FROM ward_consent`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFamily(t)
			if _, err := f.RegisterRelation(t.Context(), f.org, f.Key(), f.related(ledger.Parent)); err != nil {
				t.Fatal(err)
			}
			if err := f.give(t, f.mother, 60); err != nil {
				t.Fatal(err)
			}
			ward := f.Register(t, book.Volunteer{Name: "小明", Born: booktest.Date(t, "2016-01-01"), Guardian: f.giver})
			consent := book.WardConsent{Ward: ward, Since: booktest.Date(t, "2026-03-01"), Until: booktest.Date(t, "2026-12-31")}
			if _, err := f.GiveWardConsent(t.Context(), f.as(f.giver), f.Key(), consent); err != nil {
				t.Fatal(err)
			}
			f.MustPost(t, f.org, booktest.Served(t, ward, "2026-03-01", 30))
			f.CheckBook(t)
			f.Tamper(t, statement)
			if v, err := f.Verify(t.Context(), nil); err != nil || len(v.Findings) == 0 {
				t.Errorf("Verify = %v, %v, want a finding", v.Findings, err)
			}
		})
	}
}

// Whoever is under 60 redeems for a registered mother, not for themselves; a partner learns no more.
func TestRedeemingForRelatives(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	partner := f.Partner(t)
	f.Consent(t, f.giver, partner, 10_000)
	hold := func(whose, forWhom string, minutes ledger.Minutes) (book.Receipt, error) {
		return f.Hold(t.Context(), partner, f.Key(), book.Redemption{Volunteer: whose, For: forWhom, Service: "TALK", Minutes: minutes})
	}
	expect := func(name string, err error, want string) {
		t.Helper()
		if booktest.RefusalCode(err) != want {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	_, err := hold(f.giver, "", 60)
	expect("for oneself at 55", err, "not_redeemable")
	_, err = hold(f.giver, f.mother, 60)
	expect("for somebody who is not registered", err, "not_redeemable")
	_, err = hold(f.giver, "01920f3e-1c5a-7c3b-9a51-2f6d8e4b7a10", 60)
	expect("for somebody who does not exist", err, "not_redeemable")
	if _, err := f.RegisterRelation(t.Context(), f.org, f.Key(), f.related(ledger.Parent)); err != nil {
		t.Fatal(err)
	}
	first, err := hold(f.giver, f.mother, 60)
	expect("for the mother", err, "")
	_, err = hold(f.mother, f.giver, 60)
	expect("without the mother's consent", err, "consent_missing")
	if _, err := f.Confirm(t.Context(), partner, f.Key(), first.ID, 45); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_, err = hold(f.giver, f.mother, 10)
		expect("three at a time", err, "")
	}
	_, err = hold(f.giver, f.mother, 10)
	expect("a fourth", err, "too_many_holds")
	if v := f.BalancesOf(t, f.giver); v.Care != 225 || v.CareHeld != 30 {
		t.Errorf("%+v, want 45 spent and 30 held", v)
	}
	f.CheckBook(t)
}

// The month's limit counts what is held and what was given, and not what came back.
func TestRedeemMonthLimit(t *testing.T) {
	t.Parallel()
	b := booktest.Open(t, booktest.Database(t), with("most: 2400", "most: 100"))
	elder, _, partner, _ := saved(t, b, 400)
	r := redemptions{b, t, elder, partner}
	first, err := r.hold(100)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.hold(1); booktest.RefusalCode(err) != "redeem_limit" {
		t.Errorf("the first minute over what a month allows: %v", err)
	}
	if _, err := b.Confirm(t.Context(), partner, b.Key(), first.ID, 40); err != nil {
		t.Fatal(err)
	}
	second, err := r.hold(60)
	if err != nil {
		t.Fatalf("40 were given, 60 are left of the month: %v", err)
	}
	if _, err := b.Cancel(t.Context(), partner, b.Key(), second.ID, "volunteer_asked"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.hold(61); booktest.RefusalCode(err) != "redeem_limit" {
		t.Errorf("61 of 60: %v", err)
	}
	if _, err := r.hold(60); err != nil {
		t.Errorf("what was cancelled came back to the month, too: %v", err)
	}
	b.CheckBook(t)
}

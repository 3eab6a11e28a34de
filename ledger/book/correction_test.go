package book_test

import (
	"errors"
	"testing"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
)

func TestCorrection(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	elder, org, _, posted := saved(t, b, 300)
	if _, err := b.CorrectEntry(t.Context(), b.Organization(t), b.Key(), posted.Seq, "wrong person"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("correcting another organization's entry = %v, want ErrNotFound", err)
	}
	r, err := b.CorrectEntry(t.Context(), org, b.Key(), posted.Seq, "wrong person")
	if err != nil {
		t.Fatal(err)
	}
	if v := b.BalancesOf(t, elder); v.Served != 0 || v.Care != 0 {
		t.Errorf("after the correction: %+v, want nothing", v)
	}
	for name, seq := range map[string]ledger.Seq{"already_corrected": posted.Seq, "not_correctable": r.Seq} {
		if _, err := b.CorrectEntry(t.Context(), org, b.Key(), seq, "again"); booktest.RefusalCode(err) != name {
			t.Errorf("CorrectEntry(%d) = %v, want %s", seq, err, name)
		}
	}
	// What was taken back may be posted again, once.
	again := booktest.Served(t, elder, "2026-03-05", 300)
	b.MustPost(t, org, again)
	if _, err := b.Post(t, org, again); booktest.RefusalCode(err) != "shift_repeated" {
		t.Errorf("posting it a third time = %v, want shift_repeated", err)
	}
	if e, err := b.Entry(t.Context(), org, posted.Seq); err != nil || e.CorrectedBy == nil || *e.CorrectedBy != r.Seq {
		t.Errorf("Entry = %+v, %v, want it corrected by %d", e, err, r.Seq)
	}
	b.CheckBook(t)
}

func TestCorrectionOfSpentCreditIsOwed(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	elder, org, partner, posted := saved(t, b, 300)
	r := redemptions{b, t, elder, partner}
	given, err := r.hold(200)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Confirm(t.Context(), partner, b.Key(), given.ID, 200); err != nil {
		t.Fatal(err)
	}
	if _, err := r.hold(60); err != nil { // promised: a correction does not touch it
		t.Fatal(err)
	}
	if _, err := b.CorrectEntry(t.Context(), org, b.Key(), posted.Seq, "never happened"); err != nil {
		t.Fatal(err)
	}
	if v := b.BalancesOf(t, elder); v.Served != 0 || v.Care != 0 || v.CareHeld != 60 || v.CareOwed != 260 {
		t.Errorf("after the correction: %+v, want 60 held and 260 owed", v)
	}
	b.MustPost(t, org, booktest.Served(t, elder, "2026-03-06", 300))
	if v := b.BalancesOf(t, elder); v.Care != 40 || v.CareOwed != 0 {
		t.Errorf("after earning 300: %+v, want the debt repaid and 40 left", v)
	}
	b.CheckBook(t)
}

func TestReadersSeeTheirOwn(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	elder, org, partner, posted := saved(t, b, 300)
	ward := b.Register(t, book.Volunteer{Name: "小明", Born: booktest.Date(t, "2011-01-01"), Guardian: elder})
	wards := b.MustPost(t, org, booktest.Served(t, ward, "2026-03-05", 30))
	as := func(role ledger.Role, subject string) ledger.Actor { return ledger.Actor{Role: role, Subject: subject} }
	for _, x := range []struct {
		name string
		by   ledger.Actor
		seq  ledger.Seq
		sees bool
	}{
		{"the organization its own", org, posted.Seq, true},
		{"another organization nothing", b.Organization(t), posted.Seq, false},
		{"the volunteer", as(ledger.RoleVolunteer, elder), posted.Seq, true},
		{"the guardian the ward's", as(ledger.RoleVolunteer, elder), wards.Seq, true},
		{"the ward not the guardian's", as(ledger.RoleVolunteer, ward), posted.Seq, false},
		{"the partner no hours", partner, posted.Seq, false},
		{"the operator none", booktest.Operator, posted.Seq, false},
		{"an auditor all", booktest.Auditor, posted.Seq, true},
	} {
		_, err := b.Entry(t.Context(), x.by, x.seq)
		if x.sees && err != nil || !x.sees && !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("%s: Entry(%d) = %v, sees it: %v", x.name, x.seq, err, x.sees)
		}
	}
	if _, err := b.Balances(t.Context(), as(ledger.RoleVolunteer, ward), elder, book.AsOf{}); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("the ward reads the guardian's balances: %v", err)
	}
}

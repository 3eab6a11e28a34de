package book_test

import (
	"testing"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
)

func TestPostHours(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	org := b.Organization(t)
	elder, adult, young := b.Volunteer(t, "1950-05-01"), b.Volunteer(t, "1980-05-01"), b.Volunteer(t, "2010-05-01")

	b.MustPost(t, org, booktest.Served(t, elder, "2026-03-05", 540))
	b.MustPost(t, org, booktest.Served(t, adult, "2026-03-05", 90))
	b.MustPost(t, org, booktest.Served(t, young, "2026-03-05", 540))
	bare := booktest.Served(t, adult, "2026-03-06", 60)
	bare.Evidence.Sheet = ""
	b.MustPost(t, org, bare)

	for _, x := range []struct {
		name, volunteer           string
		served, care, youth, held ledger.Minutes
		available                 ledger.Minutes
	}{
		{"the elder's credit stops at eight hours a day and can be redeemed", elder, 540, 480, 0, 0, 480},
		{"the adult banks credit for later, a bare word earns nothing", adult, 150, 90, 0, 0, 0},
		{"the young volunteer's record keeps all minutes", young, 540, 0, 540, 0, 0},
	} {
		v := b.BalancesOf(t, x.volunteer)
		if v.Served != x.served || v.Care != x.care || v.Youth != x.youth || v.CareAvailable != x.available {
			t.Errorf("%s: balances = %+v", x.name, v)
		}
	}
	b.CheckBook(t)
}

func TestPostHoursRefuses(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	org, other := b.Organization(t), b.Organization(t)
	v := b.Volunteer(t, "1950-05-01")
	first := booktest.At(t, booktest.Served(t, v, "2026-03-05", 120), "09:00", "11:00")
	first.Reference = "r1"
	b.MustPost(t, org, first)
	night := booktest.At(t, booktest.Served(t, v, "2026-03-06", 120), "23:00", "01:00")
	b.MustPost(t, org, night)
	plain := booktest.Served(t, v, "2026-03-09", 45)
	b.MustPost(t, org, plain)

	claim := func(change func(*ledger.Claim)) ledger.Claim {
		c := booktest.Served(t, v, "2026-03-10", 60)
		change(&c)
		return c
	}
	for _, x := range []struct {
		name  string
		by    ledger.Actor
		claim ledger.Claim
		want  string
	}{
		{"the same shift under another key", org, func() ledger.Claim { c := first; c.Reference = "r2"; return c }(), "shift_repeated"},
		{"the same minutes of a shift without clock times", org, plain, "shift_repeated"},
		{"the organization's own reference for another shift", org, claim(func(c *ledger.Claim) { c.Reference = "r1" }), "reference_repeated"},
		{"a shift that overlaps at another organization", other, booktest.At(t, claim(func(c *ledger.Claim) { c.ServedOn = booktest.Date(t, "2026-03-05") }), "10:59", "12:00"), "shift_overlaps"},
		{"a shift that overlaps one over midnight", other, booktest.At(t, claim(func(c *ledger.Claim) { c.ServedOn = booktest.Date(t, "2026-03-07") }), "00:30", "02:00"), "shift_overlaps"},
		{"an unknown volunteer", org, claim(func(c *ledger.Claim) { c.Volunteer = "01920f3e-1c5a-7c3b-9a51-2f6d8e4b7a10" }), "volunteer_unknown"},
		{"an id that is none", org, claim(func(c *ledger.Claim) { c.Volunteer = "x" }), "id_malformed"},
		{"a date in the future", org, claim(func(c *ledger.Claim) { c.ServedOn = booktest.Date(t, "2199-01-01") }), "date_in_future"},
		{"a date before birth", org, claim(func(c *ledger.Claim) { c.ServedOn = booktest.Date(t, "1950-04-30") }), "date_before_birth"},
		{"no minutes", org, claim(func(c *ledger.Claim) { c.Minutes = 0 }), "minutes_out_of_range"},
		{"negative minutes", org, claim(func(c *ledger.Claim) { c.Minutes = -5 }), "minutes_out_of_range"},
		{"more minutes than a day has", org, claim(func(c *ledger.Claim) { c.Minutes = 1441 }), "minutes_out_of_range"},
		{"more minutes than the clock allows", org, booktest.At(t, claim(func(c *ledger.Claim) { c.Minutes = 121 }), "09:00", "10:00"), "minutes_exceed_clock"},
		{"a start without an end", org, func() ledger.Claim { c := claim(func(*ledger.Claim) {}); s := ledger.Clock(60); c.Start = &s; return c }(), "clock_incomplete"},
		{"no activity", org, claim(func(c *ledger.Claim) { c.Activity = " " }), "text_missing"},
	} {
		if _, err := b.Post(t, x.by, x.claim); booktest.RefusalCode(err) != x.want {
			t.Errorf("%s: Post() = %v, want code %s", x.name, err, x.want)
		}
	}
	if v := b.BalancesOf(t, v); v.Served != 285 {
		t.Errorf("refused claims changed the record: served = %d, want 285", v.Served)
	}
	b.MustPost(t, other, booktest.At(t, claim(func(c *ledger.Claim) { c.ServedOn = booktest.Date(t, "2026-03-05") }), "11:00", "12:00"))
	b.CheckBook(t)
}

func TestPostHoursOncePerKey(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	org := b.Organization(t)
	v := b.Volunteer(t, "1950-05-01")
	request := book.HoursRequest{Key: b.NamedKey("k"), Claim: booktest.Served(t, v, "2026-03-05", 60)}
	batch := b.PostHours(t.Context(), org, []book.HoursRequest{request, request})
	if batch[0].Err != nil || batch[0].Receipt.Replayed {
		t.Fatalf("first = %+v, want a fresh receipt", batch[0])
	}
	again := b.PostHours(t.Context(), org, []book.HoursRequest{request})[0]
	for name, r := range map[string]book.HoursResult{"in the same batch": batch[1], "later": again} {
		if r.Err != nil || !r.Receipt.Replayed || r.Receipt.Seq != batch[0].Receipt.Seq || string(r.Receipt.Leaf) != string(batch[0].Receipt.Leaf) {
			t.Errorf("%s: replay = %+v, want entry %d again", name, r, batch[0].Receipt.Seq)
		}
	}
	other := request
	other.Key.Request = ledger.Hash{1}
	if r := b.PostHours(t.Context(), org, []book.HoursRequest{other})[0]; r.Err == nil || r.Err.Error() != (&book.KeyReused{}).Error() {
		t.Errorf("another request under the key = %v, want KeyReused", r.Err)
	}
	refused := book.HoursRequest{Key: b.NamedKey("no"), Claim: request.Claim}
	for range 2 {
		if r := b.PostHours(t.Context(), org, []book.HoursRequest{refused})[0]; booktest.RefusalCode(r.Err) != "shift_repeated" {
			t.Errorf("refusal = %v, want shift_repeated each time", r.Err)
		}
	}
	op, err := b.Operation(t.Context(), org, "no")
	if err != nil || op.Refusal == nil || op.Refusal.Code != "shift_repeated" {
		t.Errorf("Operation(no) = %+v, %v, want the refusal", op, err)
	}
	b.CheckBook(t)
}

func TestDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	org := b.Organization(t)
	v := b.Volunteer(t, "1950-05-01")
	before, err := b.LogSize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := b.PostHours(t.Context(), org, []book.HoursRequest{{Claim: booktest.Served(t, v, "2026-03-05", 60), DryRun: true}})[0]
	if r.Err != nil || len(r.Receipt.Lines) != 4 {
		t.Errorf("dry run = %+v, want four lines", r)
	}
	if after, err := b.LogSize(t.Context()); err != nil || after != before {
		t.Errorf("the log grew from %d to %d (%v)", before, after, err)
	}
}

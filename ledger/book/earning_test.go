package book_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/policy"
)

// with gives the shipped rule set with some of its words changed.
func with(pairs ...string) []byte {
	return []byte(strings.NewReplacer(pairs...).Replace(string(policy.Shipped())))
}

// openHanded gives a book whose rules let as much be redeemed as there is.
func openHanded(t *testing.T) *booktest.Book {
	t.Helper()
	return booktest.Open(t, booktest.Database(t), handed())
}

func handed() []byte {
	return with("open_holds < 3", "open_holds < 1000", "most: 2400", "most: 1000000")
}

// poolOf reads what the pool has.
func poolOf(t *testing.T, b *booktest.Book) ledger.Minutes {
	t.Helper()
	accounts, err := b.Accounts(t.Context(), booktest.Auditor, book.AccountFilter{OwnerKind: ledger.OwnerPool, Limit: 10})
	if err != nil || len(accounts) != 1 {
		t.Fatalf("reading the pool: %v, %v", accounts, err)
	}
	return accounts[0].Balance
}

// What exceeds the stored limit goes to the pool, whether it is met by one claim, by claims of one batch
// or while credit is held; a correction takes it back from there.
func TestStoredLimitOverflowsIntoThePool(t *testing.T) {
	t.Parallel()
	b := booktest.Open(t, booktest.Database(t), with("most: 90000", "most: 400"))
	org, partner, elder := b.Organization(t), b.Partner(t), b.Volunteer(t, "1950-05-01")
	b.Consent(t, elder, partner, 10_000)

	b.MustPost(t, org, booktest.Served(t, elder, "2026-03-01", 300))
	if _, err := b.Hold(t.Context(), partner, b.Key(), book.Redemption{Volunteer: elder, Service: "TALK", Minutes: 200}); err != nil {
		t.Fatal(err)
	}
	results := b.PostHours(t.Context(), org, []book.HoursRequest{
		{Key: b.Key(), Claim: booktest.Served(t, elder, "2026-03-02", 60)},
		{Key: b.Key(), Claim: booktest.Served(t, elder, "2026-03-03", 60)},
	})
	if v := b.BalancesOf(t, elder); v.Care != 200 || v.CareHeld != 200 || v.Served != 420 {
		t.Errorf("after 420 minutes with 200 held: %+v, want 200 and 200 held: 400 are stored at most", v)
	}
	if pool := poolOf(t, b); pool != 20 {
		t.Errorf("the pool has %d minutes, want the 20 that exceeded", pool)
	}
	if _, err := b.CorrectEntry(t.Context(), org, b.Key(), results[1].Receipt.Seq, "posted twice"); err != nil {
		t.Fatal(err)
	}
	if v := b.BalancesOf(t, elder); v.Care != 160 || v.CareHeld != 200 || poolOf(t, b) != 0 {
		t.Errorf("after the correction: %+v and %d in the pool, want 160, 200 held and nothing", v, poolOf(t, b))
	}
	b.CheckBook(t)
}

// What rounding leaves is carried from claim to claim, over correction and reposting: what is earned and
// what is carried are together always exactly what the minutes that count are worth.
func TestRoundingIsCarried(t *testing.T) {
	t.Parallel()
	b := booktest.Open(t, booktest.Database(t), with("rate: 1/1", "rate: 2/3\n    step: 30", "most: 480", "most: 1440"))
	org := b.Organization(t)
	people := []string{b.Volunteer(t, "1950-05-01"), b.Volunteer(t, "2010-05-01")}
	served, posted := map[string]int64{}, map[string][]book.Receipt{}
	random := rand.New(rand.NewPCG(7, 20261124))
	for day := range 40 {
		who := people[random.IntN(2)]
		minutes := 1 + random.Int64N(400)
		if n := len(posted[who]); n > 0 && random.IntN(4) == 0 {
			last := posted[who][n-1]
			if _, err := b.CorrectEntry(t.Context(), org, b.Key(), last.Seq, "posted wrong"); err != nil {
				t.Fatal(err)
			}
			served[who] += int64(last.Postings[0].Minutes) * sign(last.Postings[0].Minutes) * -1
			posted[who] = posted[who][:n-1]
		}
		on := booktest.Date(t, "2026-01-01") + ledger.Date(day)
		posted[who] = append(posted[who], b.MustPost(t, org, booktest.Served(t, who, on.String(), ledger.Minutes(minutes))))
		served[who] += minutes
		v := b.BalancesOf(t, who)
		earned := int64(v.Care + v.Youth - v.CareOwed)
		if left := served[who]*2 - earned*3; left < -3*400 || left >= 3*30*2 || int64(v.Served) != served[who] {
			t.Fatalf("on day %d, %d minutes served have earned %d: %d thirds of a minute are left over", day, served[who], earned, left)
		}
	}
	b.CheckBook(t)
	for _, who := range people { // undo all: nothing is left, earned or carried
		for _, r := range posted[who] {
			if _, err := b.CorrectEntry(t.Context(), org, b.Key(), r.Seq, "all of it"); err != nil {
				t.Fatal(err)
			}
		}
		r := b.MustPost(t, org, booktest.Served(t, who, "2026-06-01", 45))
		if v := b.BalancesOf(t, who); v.Care+v.Youth != 30 || v.CareOwed != 0 {
			t.Errorf("45 minutes on a clean sheet earn %+v by entry %d, want 30", v, r.Seq)
		}
	}
	b.CheckBook(t)
}

func sign(m ledger.Minutes) int64 {
	if m < 0 {
		return -1
	}
	return 1
}

// today gives the book's day.
func today(t *testing.T, b *booktest.Book) string {
	t.Helper()
	now, err := b.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return ledger.DateOf(now.In(b.Zone())).String()
}

func TestChoices(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	org, elder, child := b.Organization(t), b.Volunteer(t, "1950-05-01"), b.Volunteer(t, "2015-05-01")
	as := func(volunteer string) ledger.Actor {
		return ledger.Actor{Role: ledger.RoleVolunteer, Subject: volunteer}
	}
	on := today(t, b) // a choice holds from the day it is made
	donate := book.Choice{Volunteer: elder, Choice: "keep-or-donate", Option: "donate"}
	for _, x := range []struct {
		name   string
		by     ledger.Actor
		choice book.Choice
		want   string
	}{
		{"a stranger chooses for nobody", as(child), donate, "error: " + ledger.ErrNotFound.Error()},
		{"a child has no choice", as(child), book.Choice{Volunteer: child, Choice: "keep-or-donate", Option: "donate"}, "choice_not_yours"},
		{"a choice that no rule leaves", as(elder), book.Choice{Volunteer: elder, Choice: "cash", Option: "yes"}, "no_such_choice"},
		{"an option that is none", as(elder), book.Choice{Volunteer: elder, Choice: "keep-or-donate", Option: "sell"}, "no_such_option"},
		{"an organization that is no team has nothing to pledge", org, book.Choice{Choice: "team-pledge", Option: "pledge"}, "choice_not_yours"},
		{"an organization does not choose for a volunteer", org, donate, "volunteer_missing"},
		{"the elder donates", as(elder), donate, ""},
		{"once a year", as(elder), book.Choice{Volunteer: elder, Choice: "keep-or-donate", Option: "keep"}, "choice_made"},
	} {
		if _, err := b.Choose(t.Context(), x.by, b.Key(), x.choice); booktest.RefusalCode(err) != x.want {
			t.Errorf("%s: %v, want %q", x.name, err, x.want)
		}
	}
	b.MustPost(t, org, booktest.Served(t, elder, "2026-03-05", 60)) // before the choice: it is kept
	b.MustPost(t, org, booktest.Served(t, elder, on, 30))
	if v := b.BalancesOf(t, elder); v.Care != 60 || v.Served != 90 || poolOf(t, b) != 30 {
		t.Errorf("balances = %+v and %d in the pool, want 60 kept and 30 given", v, poolOf(t, b))
	}
	b.CheckBook(t)
}

func TestTeamPledgesItsHours(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	r, err := b.RegisterOrganization(t.Context(), booktest.Operator, b.Key(), book.Organization{Name: "云泽区心理志愿队", Kind: "professional_team"})
	if err != nil {
		t.Fatal(err)
	}
	team, member := b.Actor(t, ledger.RoleOrganization, r.ID), b.Volunteer(t, "1985-05-01")
	if _, err := b.Choose(t.Context(), team, b.Key(), book.Choice{Choice: "team-pledge", Option: "pledge"}); err != nil {
		t.Fatal(err)
	}
	on := today(t, b) // a choice holds from the day it is made
	b.MustPost(t, team, booktest.Served(t, member, on, 50))
	b.MustPost(t, b.Organization(t), booktest.Served(t, member, on, 40))
	if v := b.BalancesOf(t, member); v.Care != 40 || poolOf(t, b) != 50 {
		t.Errorf("balances = %+v and %d in the pool, want 40 of the other organization and the team's 50", v, poolOf(t, b))
	}
	b.CheckBook(t)
}

// Month and year limits count what lies outside the days beside the claim, too.
func TestMonthAndYearLimits(t *testing.T) {
	t.Parallel()
	limits := `
  - id: care-month-cap
    unit: care
    per: month
    most: 600
    text: {en: At most 10 hours a month, zh: 每月最多十小时}
    source: project decision; for a test
  - id: care-year-cap
    unit: care
    per: year
    most: 900
    text: {en: At most 15 hours a year, zh: 每年最多十五小时}
    source: project decision; for a test
`
	b := booktest.Open(t, booktest.Database(t), with("\nlimits:\n", "\nlimits:"+limits))
	org, elder := b.Organization(t), b.Volunteer(t, "1950-05-01")
	var sum ledger.Minutes
	for _, x := range []struct {
		on            string
		minutes, want ledger.Minutes
	}{
		{"2025-01-31", 400, 400}, {"2025-01-01", 400, 200}, {"2025-01-15", 60, 0}, {"2025-02-01", 400, 300}, {"2025-12-31", 60, 0},
		{"2024-12-31", 60, 60}, {"2026-01-01", 60, 60},
	} {
		b.MustPost(t, org, booktest.Served(t, elder, x.on, x.minutes))
		sum += x.want
		if v := b.BalancesOf(t, elder); v.Care != sum {
			t.Errorf("after %d minutes on %s there are %d, want %d", x.minutes, x.on, v.Care, sum)
		}
	}
	b.CheckBook(t)
}

// Rows beside choices and carried rests are checked like all others.
func TestVerifyNamesTamperedChoicesAndRests(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"another option":   `UPDATE choice SET option = 'keep'`,
		"another day":      `UPDATE choice SET chosen_on = chosen_on - 400`,
		"no choice at all": `DELETE FROM choice`,
		"a larger rest":    `UPDATE carry SET rest = rest + 1`,
		"no rest":          `DELETE FROM carry`,
		"another's rest":   `UPDATE carry SET volunteer = gen_random_uuid()`,
		"a pooled minute":  `UPDATE claim SET pooled = pooled + 1`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := booktest.Open(t, booktest.Database(t), with("rate: 1/1", "rate: 2/3"))
			org, elder := b.Organization(t), b.Volunteer(t, "1950-05-01")
			by := ledger.Actor{Role: ledger.RoleVolunteer, Subject: elder}
			if _, err := b.Choose(t.Context(), by, b.Key(), book.Choice{Volunteer: elder, Choice: "keep-or-donate", Option: "donate"}); err != nil {
				t.Fatal(err)
			}
			b.MustPost(t, org, booktest.Served(t, elder, "2026-03-05", 50))
			b.CheckBook(t)
			b.Tamper(t, statement)
			v, err := b.Verify(t.Context(), nil)
			if err != nil || len(v.Findings) == 0 {
				t.Errorf("Verify = %v, %v, want a finding", v.Findings, err)
			}
		})
	}
}

// Somebody's choice is nobody else's to read or to guess at.
func TestChoiceEntriesAreTheirOwners(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	elder, other := b.Volunteer(t, "1950-05-01"), b.Volunteer(t, "1951-05-01")
	r, err := b.Choose(t.Context(), ledger.Actor{Role: ledger.RoleVolunteer, Subject: elder}, b.Key(),
		book.Choice{Volunteer: elder, Choice: "keep-or-donate", Option: "keep"})
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range []ledger.Actor{{Role: ledger.RoleVolunteer, Subject: other}, b.Organization(t)} {
		if _, err := b.Entry(t.Context(), by, r.Seq); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("%s reads another's choice: %v, want ErrNotFound", by.Role, err)
		}
	}
	if e, err := b.Explanation(t.Context(), ledger.Actor{Role: ledger.RoleVolunteer, Subject: elder}, r.Seq); err != nil || len(e.Steps) != 1 {
		t.Errorf("Explanation = %+v, %v, want the one step", e, fmt.Sprint(err))
	}
}

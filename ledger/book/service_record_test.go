package book_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/policy"
)

// The record is of real minutes: a bare word is in it and makes no star, what was corrected is not in it.
func TestServiceRecord(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	org, young := b.Organization(t), b.Volunteer(t, "2008-05-01")
	post := func(on string, minutes ledger.Minutes, service, sheet string) book.Receipt {
		c := booktest.Served(t, young, on, minutes)
		c.Service, c.Evidence.Sheet = service, sheet
		return b.MustPost(t, org, c)
	}
	post("2025-11-30", 400, "TALK", "4")
	post("2025-12-01", 700, "DIGI", "4")
	post("2026-01-31", 200, "", "4")
	post("2026-03-01", 60, "TALK", "")
	wrong := post("2026-03-02", 500, "TALK", "4")
	if _, err := b.CorrectEntry(t.Context(), org, b.Key(), wrong.Seq, "another volunteer"); err != nil {
		t.Fatal(err)
	}
	self := ledger.Actor{Role: ledger.RoleVolunteer, Subject: young}
	r, err := b.ServiceRecord(t.Context(), self, young)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct{ have, want []book.Served }{
		"grades":        {r.ByGrade, []book.Served{{ID: "C", Name: "C", Minutes: 1300, Claims: 3}, {ID: "D", Name: "D", Minutes: 60, Claims: 1}}},
		"years":         {r.ByYear, []book.Served{{ID: "2025", Name: "2025", Minutes: 1100, Claims: 2}, {ID: "2026", Name: "2026", Minutes: 260, Claims: 2}}},
		"services":      {r.ByService, []book.Served{{Minutes: 200, Claims: 1}, {ID: "DIGI", Name: "DIGI", Minutes: 700, Claims: 1}, {ID: "TALK", Name: "TALK", Minutes: 460, Claims: 2}}},
		"organizations": {r.ByOrganization, []book.Served{{ID: org.Subject, Name: "青桐街道社工站", Minutes: 1360, Claims: 4}}},
	} {
		if diff := cmp.Diff(x.want, x.have); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if r.Facts.Minutes != 1360 || r.Facts.Claims != 4 || r.Facts.Counted != 1300 || r.Facts.MonthsActive != 4 || r.Facts.LongestRun != 3 {
		t.Errorf("record = %+v, want 1360 minutes in 4 claims, 1300 counted, 4 months, 3 in a row", r)
	}
	if words := r.Rules.LevelWords(r.Facts.Counted, policy.English); words != `21 h 40 min count; 78 h 20 min are missing to "100 hours of service: one star"` {
		t.Errorf("LevelWords = %q", words)
	}
	if v := b.BalancesOf(t, young); v.Served != r.Facts.Minutes {
		t.Errorf("the record has %d minutes, the account %d", r.Facts.Minutes, v.Served)
	}
	for _, by := range []ledger.Actor{{Role: ledger.RoleVolunteer, Subject: b.Volunteer(t, "1990-01-01")}, org} {
		if _, err := b.ServiceRecord(t.Context(), by, young); !errors.Is(err, ledger.ErrNotFound) && !errors.Is(err, ledger.ErrForbidden) {
			t.Errorf("%s reads a stranger's record: %v", by.Role, err)
		}
	}
}

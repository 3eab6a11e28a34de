package city

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"timebank/ledger/sheet"
)

func TestBundledIsWhatTheSeedGives(t *testing.T) {
	t.Parallel()
	_, s := Generate(Seed)
	if !bytes.Equal(s.CSV(), Bundled) {
		t.Error("bundled/shifts.csv is not what Generate gives: go run ./cmd/timebank demo generate cmd/timebank/city/bundled")
	}
	answers, err := s.AnswerJSON()
	if err != nil || !bytes.Equal(answers, Answers) {
		t.Errorf("bundled/answers.json is not what Generate gives (%v)", err)
	}
	if _, other := Generate(Seed + 1); bytes.Equal(other.CSV(), Bundled) {
		t.Error("another seed gives the same sheet")
	}
}

func TestPeopleCannotExist(t *testing.T) {
	t.Parallel()
	c, _ := Generate(Seed)
	refs := map[string]bool{}
	groups := map[string]int{}
	for _, v := range c.Volunteers {
		if !strings.HasPrefix(v.Identity, "999999") || !strings.HasPrefix(v.Phone, "1990000") {
			t.Errorf("%s has the identity number %s and the telephone %s", v.Ref, v.Identity, v.Phone)
		}
		if refs[v.Ref] {
			t.Errorf("two volunteers are %s", v.Ref)
		}
		refs[v.Ref] = true
		switch {
		case v.Born > "2001-07":
			groups["young"]++
		case v.Born > "1966-07":
			groups["adult"]++
		default:
			groups["elder"]++
		}
		if v.Guardian != "" && !refs[v.Guardian] {
			t.Errorf("the guardian of %s is registered later", v.Ref)
		}
	}
	if groups["young"] < 50 || groups["adult"] < 50 || groups["elder"] < 50 {
		t.Errorf("groups = %v, want many of each", groups)
	}
}

// Every kind of oddity is planted, and the profile reads every row that can be read.
func TestSheetHoldsEveryOddity(t *testing.T) {
	t.Parallel()
	c, s := Generate(Seed)
	var answers []Answer
	if err := json.Unmarshal(Answers, &answers); err != nil {
		t.Fatal(err)
	}
	codes := map[string]int{}
	for _, a := range answers {
		codes[a.Outcome+" "+a.Code]++
	}
	for _, want := range []string{"recorded ", "ignored ", "refused shift_repeated", "refused reference_repeated", "refused shift_overlaps",
		"refused minutes_out_of_range", "refused volunteer_missing", "refused volunteer_unknown", "refused date_in_future", "refused date_before_birth",
		"refused date_malformed", "refused organization_unknown", "refused minutes_exceed_clock", "refused amount_malformed"} {
		if codes[want] == 0 {
			t.Errorf("no row is to be %s", want)
		}
	}
	p, err := sheet.ParseProfile(c.Profile())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := sheet.Read(s.CSV(), p)
	if err != nil || len(rows) != len(answers) {
		t.Fatalf("Read = %d rows, %v, want %d", len(rows), err, len(answers))
	}
	readable := []string{"", "shift_repeated", "reference_repeated", "shift_overlaps", "volunteer_unknown", "date_in_future", "date_before_birth", "minutes_exceed_clock"}
	for i, r := range rows {
		if want := answers[i]; (r.Problem == nil) != slices.Contains(readable, want.Code) {
			t.Errorf("row %d: problem %v, the answer key says %q", r.Number, r.Problem, want.Code)
		}
	}
}

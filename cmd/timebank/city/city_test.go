package city

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the bundled files and the golden file anew")

// generatedBytes gives the bundled files as the generator makes them.
func generatedBytes(t *testing.T, seed uint64) map[string][]byte {
	t.Helper()
	c, s := Generate(seed)
	people, err := c.JSON()
	if err != nil {
		t.Fatal(err)
	}
	answers, err := s.AnswerJSON()
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"bundled/shifts.csv": s.CSV(), "bundled/answers.json": answers, "bundled/city.json": people}
}

func TestBundledIsWhatTheSeedGives(t *testing.T) {
	files, other := generatedBytes(t, Seed), generatedBytes(t, Seed+1)
	for name, content := range files {
		if *update {
			if err := os.WriteFile(name, content, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		bundled := map[string][]byte{"bundled/shifts.csv": Bundled, "bundled/answers.json": Answers, "bundled/city.json": BundledCity}[name]
		if !bytes.Equal(content, bundled) {
			t.Errorf("%s is not what Generate gives: go test ./cmd/timebank/city -update", name)
		}
		if bytes.Equal(content, other[name]) {
			t.Errorf("another seed gives the same %s", name)
		}
	}
}

func TestTotalsOfTheKeyAreAsTheGoldenFileSays(t *testing.T) {
	t.Parallel()
	const golden = "testdata/totals.golden"
	_, s := Generate(Seed)
	sum := 0
	var text strings.Builder
	for _, total := range s.Key().Totals() {
		sum += total.Rows
		fmt.Fprintln(&text, strings.Join(strings.Fields(fmt.Sprint(total.Rows, " ", total.Outcome, " ", total.Code)), " "))
	}
	if rows := len(s.Rows); sum != rows || rows < 2800 || rows > 3200 {
		t.Errorf("the totals add up to %d, the sheet has %d rows, want about 3,000", sum, rows)
	}
	fmt.Fprintf(&text, "%d rows\n", sum)
	if *update {
		if err := os.WriteFile(golden, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text.String()); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
}

// codes says what must become of what is planted; everything else is recorded.
var codes = map[string]string{
	ExactDuplicate: "shift_repeated", OtherReference: "shift_repeated", ReferenceReused: "reference_repeated", TwoPlaces: "shift_overlaps",
	Nobody: "volunteer_missing", Unregistered: "volunteer_unknown", NoOrganization: "organization_unknown", NotYet: "date_in_future",
	BeforeBirth: "date_before_birth", NoSuchDay: "date_malformed", TooManyHours: "minutes_out_of_range", NoHours: "minutes_out_of_range",
	NegativeHours: "minutes_out_of_range", HoursInWords: "amount_malformed", MoreThanClock: "minutes_exceed_clock",
}

var oddities = []string{
	ExactDuplicate, OtherReference, ReferenceReused, TwoPlaces, Nobody, Unregistered, NoOrganization, Absence, NotYet, BeforeBirth, NoSuchDay,
	TooManyHours, NoHours, NegativeHours, HoursInWords, MoreThanClock, ClockDiffers, LongDay, OverMidnight, MonthInOneRow, BareWord, SixtyAtNight,
	SpaceAround, OtherName, NoteWithMarks,
}

// The key is computed from the finished rows, what is planted is noted while they are made; for every seed
// they must say the same, or something collides that should not.
func TestKeySaysWhatWasPlanted(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		_, s := Generate(Seed + seed)
		planted := map[string]int{}
		for i, a := range s.Key() {
			planted[a.Planted]++
			want := Answer{Row: i + 1, Outcome: "recorded", Planted: a.Planted}
			if a.Planted == Absence {
				want.Outcome = "ignored"
			} else if code := codes[a.Planted]; code != "" {
				want.Outcome, want.Code = "refused", code
			}
			if a != want {
				t.Errorf("seed %d: the key says %+v, planted was %+v", Seed+seed, a, want)
			}
		}
		for _, oddity := range oddities {
			if planted[oddity] == 0 {
				t.Errorf("seed %d: no row has %s", Seed+seed, oddity)
			}
		}
		if n := planted[ExactDuplicate] * 1000 / len(s.Rows); n < 14 || n > 16 {
			t.Errorf("seed %d: %d of a thousand rows are exact duplicates, want 15", Seed+seed, n)
		}
	}
}

func TestExactDuplicatesAreEqualToTheByte(t *testing.T) {
	t.Parallel()
	_, s := Generate(Seed)
	lines := map[Row]int{}
	for _, r := range s.Rows {
		planted := r.Want.Planted
		r.Want, r.order = Answer{}, 0
		if lines[r]++; (lines[r] > 1) != (planted == ExactDuplicate) {
			t.Errorf("%s stands %d times so far, and is planted as %q", r.Reference, lines[r], planted)
		}
	}
}

func TestPeopleCannotExist(t *testing.T) {
	t.Parallel()
	c, _ := Generate(Seed)
	born := map[string]string{}
	for _, v := range c.Volunteers {
		if !strings.HasPrefix(v.Identity, "999999"+strings.ReplaceAll(v.Born, "-", "")) || len(v.Identity) != 18 {
			t.Errorf("%s, born %s, has the identity number %s", v.Ref, v.Born, v.Identity)
		}
		if !strings.HasPrefix(v.Phone, "1990000") || len(v.Phone) != 11 {
			t.Errorf("%s has the telephone %s", v.Ref, v.Phone)
		}
		if _, twice := born[v.Ref]; twice {
			t.Errorf("two volunteers are %s", v.Ref)
		}
		born[v.Ref] = v.Born
		under18 := v.Born > "2007-07-01" // on the first day of the sheet
		if guardian, before := born[v.Guardian]; (v.Guardian != "" && (!before || guardian > "2000")) || (under18 && v.Guardian == "") {
			t.Errorf("%s, born %s, has the guardian %q, born %q", v.Ref, v.Born, v.Guardian, guardian)
		}
	}
}

func TestAllThreeGroupsAreMany(t *testing.T) {
	t.Parallel()
	c, _ := Generate(Seed)
	groups := map[string]int{}
	for _, v := range c.Volunteers {
		switch {
		case v.Born > "2001-07-01":
			groups["under 25"]++
		case v.Born > "1966-06-30":
			groups["25 to 59"]++
		default:
			groups["from 60"]++
		}
		for _, role := range v.Roles {
			groups[role]++
		}
	}
	want := map[string]int{"under 25": 76, "25 to 59": 119, "from 60": 105, "medical_social_worker": 10, "community_worker": 14, "professional": 16}
	if diff := cmp.Diff(want, groups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if n := len(c.Organizations); n != 12 {
		t.Errorf("%d organizations, want a dozen", n)
	}
}

// A word that the banking law keeps for banks is nowhere in what the demo shows.
func TestNobodyIsCalledABank(t *testing.T) {
	t.Parallel()
	for name, content := range generatedBytes(t, Seed) {
		if bytes.Contains(content, []byte("银"+"行")) {
			t.Errorf("%s has the word", name)
		}
	}
}

func TestJSONReadsBack(t *testing.T) {
	t.Parallel()
	c, s := Generate(Seed)
	files := generatedBytes(t, Seed)
	var people City
	if err := json.Unmarshal(files["bundled/city.json"], &people); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, people); diff != "" {
		t.Errorf("city.json (-want +got):\n%s", diff)
	}
	var key AnswerKey
	if err := json.Unmarshal(files["bundled/answers.json"], &key); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(key, s.Key()) {
		t.Error("answers.json is not the sheet's key")
	}
}

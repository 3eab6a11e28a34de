package city

import (
	"slices"
	"strings"
	"testing"
	"time"

	"timebank/ledger/sheet"
)

// recordedRows gives the rows that are recorded, with their minutes.
func recordedRows(t *testing.T, s Sheet) (rows []Row, minutes []int) {
	t.Helper()
	for _, r := range s.Rows {
		if r.Want.Outcome != "recorded" {
			continue
		}
		n, ok := parseHours(r.Hours)
		if !ok {
			t.Fatalf("row %d is to be recorded with %q hours", r.Want.Row, r.Hours)
		}
		rows, minutes = append(rows, r), append(minutes, n)
	}
	return rows, minutes
}

// grade says how well a row is founded, as the rules that ship see it.
func grade(r Row) string {
	signed, two := r.SignIn != "" && r.SignOut != "", r.Approver != "" && r.Recorder != "" && r.Approver != r.Recorder
	switch {
	case signed && two && r.Confirmed == "是":
		return "A"
	case signed && two:
		return "B"
	case r.Filed != "" && two:
		return "C"
	}
	return "D"
}

// The profile reads what can be read, finds what is wrong with the rest, and reads the minutes that were
// written down.
func TestProfileReadsTheSheet(t *testing.T) {
	t.Parallel()
	c, s := Generate(Seed)
	p, err := sheet.ParseProfile(c.Profile())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := sheet.Read(s.CSV(), p)
	if err != nil || len(rows) != len(s.Rows) {
		t.Fatalf("Read = %d rows, %v, want %d", len(rows), err, len(s.Rows))
	}
	// These are found by who reads the sheet, the others by who has the register and the ledger.
	reading := []string{"volunteer_missing", "organization_unknown", "date_malformed", "amount_malformed", "minutes_out_of_range"}
	for i, r := range rows {
		want, code := s.Rows[i].Want, ""
		if r.Problem != nil {
			code = r.Problem.Code
		}
		if (slices.Contains(reading, want.Code) || code != "") && code != want.Code {
			t.Errorf("row %d: the reader says %q, the answer key %q", want.Row, code, want.Code)
		}
		if (r.Ignored != "") != (want.Outcome == "ignored") {
			t.Errorf("row %d: ignored as %q, the answer key says %s", want.Row, r.Ignored, want.Outcome)
		}
		if minutes, ok := parseHours(s.Rows[i].Hours); ok && minutes >= 0 && int(r.Amount) != minutes {
			t.Errorf("row %d: %s hours are read as %d min, want %d", want.Row, s.Rows[i].Hours, r.Amount, minutes)
		}
	}
}

func TestHoursAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for minutes := range dayMinutes + 1 {
		if back, ok := parseHours(hours(minutes)); !ok || back != minutes {
			t.Errorf("parseHours(%s) = %d, %t, want %d", hours(minutes), back, ok, minutes)
		}
	}
}

func TestNoDayHasMoreMinutesThanADay(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		_, s := Generate(Seed + seed)
		total := map[string]int{}
		rows, minutes := recordedRows(t, s)
		for i, r := range rows {
			day, _ := parseDay(r.Date)
			key := strings.TrimSpace(r.Volunteer) + day.Format(time.DateOnly)
			if total[key] += minutes[i]; total[key] > dayMinutes {
				t.Errorf("seed %d, row %d: %d min on one day", Seed+seed, r.Want.Row, total[key])
			}
		}
	}
}

func TestAllGradesOfEvidenceAreMany(t *testing.T) {
	t.Parallel()
	_, s := Generate(Seed)
	grades := map[string]int{}
	rows, _ := recordedRows(t, s)
	for _, r := range rows {
		grades[grade(r)]++
	}
	for _, g := range []string{"A", "B", "C", "D"} {
		if grades[g] < 200 {
			t.Errorf("%d rows of grade %s, want many (%v)", grades[g], g, grades)
		}
	}
}

func TestFakersRowsAreSixtyAndBareWords(t *testing.T) {
	t.Parallel()
	_, s := Generate(Seed)
	n := 0
	for _, r := range s.Rows {
		if r.Want.Planted != SixtyAtNight {
			continue
		}
		if n++; grade(r) != "D" || r.Start != "23:00" || r.Hours != "5" || r.Recorder != r.Approver {
			t.Errorf("row %d is %+v", r.Want.Row, r)
		}
	}
	if n != 60 {
		t.Errorf("%d rows, want 60", n)
	}
}

// The elder must have ten hours to redeem, the other elder less than one, and the ward a record.
func TestPeopleOfTheStoryHaveWhatItNeeds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		c, s := Generate(Seed + seed)
		rows, minutes := recordedRows(t, s)
		earned, claims := map[string]int{}, map[string]int{}
		for i, r := range rows {
			if grade(r) != "D" {
				earned[r.Volunteer] += min(minutes[i], 480)
				claims[r.Volunteer]++
			}
		}
		if e := c.Story.Elder; earned[e] < 600 || claims[e] < 3 {
			t.Errorf("the elder earns %d min in %d claims, want 600 in several", earned[e], claims[e])
		}
		if p := c.Story.Poor; earned[p] < 1 || earned[p] >= 60 {
			t.Errorf("the poor elder earns %d min, want some but less than an hour", earned[p])
		}
		if y := c.Story.Young; earned[y] < 60 {
			t.Errorf("the young one earns %d min, want a record", earned[y])
		}
		for _, v := range c.Volunteers {
			switch v.Ref {
			case c.Story.Elder, c.Story.Poor:
				if v.Born > "1965-12-31" {
					t.Errorf("%s of the story was born %s", v.Ref, v.Born)
				}
			case c.Story.Young:
				if v.Guardian == "" || v.Born < "2007" {
					t.Errorf("the young one was born %s and has the guardian %q", v.Born, v.Guardian)
				}
			}
		}
	}
}

// The shapes are those of a real organization's records; bounds are a little wide, so that every seed keeps
// within them.
func TestShapesAreThoseOfRealRecords(t *testing.T) {
	t.Parallel()
	_, s := Generate(Seed)
	rows, minutes := recordedRows(t, s)
	var lengths []int
	people, weekend, march, february := map[string]int{}, 0, 0, 0
	for i, r := range rows {
		if r.Want.Planted != "" {
			continue
		}
		lengths = append(lengths, minutes[i])
		people[r.Volunteer] += minutes[i]
		day, _ := parseDay(r.Date)
		if d := day.Weekday(); d == 0 || d == 6 {
			weekend++
		}
		switch day.Month() {
		case 2:
			february++
		case 3:
			march++
		}
	}
	slices.Sort(lengths)
	at := func(percent int) int { return lengths[len(lengths)*percent/100] }
	var totals []int
	sum, tenth := 0, 0
	for _, n := range people {
		totals, sum = append(totals, n), sum+n
	}
	slices.Sort(totals)
	for _, n := range totals[len(totals)-30:] { // a tenth of the three hundred
		tenth += n
	}
	for _, x := range []struct {
		name            string
		have, low, high int
	}{
		{"median of a shift, minutes", at(50), 120, 120}, {"its 5th percentile", at(5), 45, 60}, {"its 75th", at(75), 135, 165},
		{"its 90th", at(90), 200, 240}, {"its 99th", at(99), 270, 420},
		{"share of the most diligent tenth, percent", tenth * 100 / sum, 55, 75},
		{"share of weekends, percent", weekend * 100 / len(lengths), 29, 37},
		{"March over February, percent", march * 100 / february, 220, 420},
	} {
		if x.have < x.low || x.have > x.high {
			t.Errorf("%s = %d, want %d to %d", x.name, x.have, x.low, x.high)
		}
	}
}

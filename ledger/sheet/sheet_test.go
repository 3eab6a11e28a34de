package sheet

import (
	"bytes"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"timebank/ledger"
)

const shelterProfile = `
columns: {volunteer: ID, date: From.date, amount: Hours}
dates: [MM-DD-YYYY]
amount: {unit: decimal_hours}
missing: [NA]
volunteers: {prefix: "s-"}
activity: {join: [Site, Task], separator: " / ", default: Help}
evidence: {kind: signed_sheets, sheet: "room 2", recorder: a, approver: b}
ignore:
  - {column: Absent, equals: ["1"], reason: absent}
`

const shelterSheet = `ID,Site,Task,From.date,Hours,Absent
7,North,Cats,03-21-2017,2,0
7,North,Cats,03-21-2017,2,0
8,,,04-09-2017,0.1666666667,0
9,North,Dogs,04-11-2017,0,1
NA,North,Dogs,04-11-2017,1.5,0
9,North,Dogs,04-31-2017,1.5,0
9,North,Dogs,04-11-2017,512,0
9,North,Dogs,04-11-2017,two,0
9,North,Dogs,04-11-2017,-1,0
9,North,Dogs,04-11-2017,0,0
`

func profile(t testing.TB, text string) Profile {
	t.Helper()
	p, err := ParseProfile([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func read(t testing.TB, file []byte, p Profile) []Row {
	t.Helper()
	rows, err := Read(file, p)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// codes gives what each row comes to: its problem, why it is ignored, or "ok".
func codes(rows []Row) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		switch {
		case r.Problem != nil:
			out[i] = r.Problem.Code
		case r.Ignored != "":
			out[i] = "ignored " + r.Ignored
		default:
			out[i] = "ok"
		}
	}
	return out
}

func TestRead(t *testing.T) {
	t.Parallel()
	rows := read(t, []byte(shelterSheet), profile(t, shelterProfile))
	want := []string{"ok", "ok", "ok", "ignored absent", "volunteer_missing", "date_malformed", "minutes_out_of_range", "amount_malformed",
		"minutes_out_of_range", "minutes_out_of_range"}
	if diff := cmp.Diff(want, codes(rows)); diff != "" {
		t.Errorf("rows -want +got:\n%s", diff)
	}
	var sum ledger.Minutes
	for _, r := range rows {
		sum += r.Amount
	}
	if sum != 120+120+10+0+90+90+512*60-60 {
		t.Errorf("the amounts sum to %d: rows that cannot be recorded count too", sum)
	}
	if r := rows[2]; r.Volunteer != "s-8" || r.Claim.Activity != "Help" || r.Claim.Minutes != 10 || r.Claim.Evidence.Approver != "b" {
		t.Errorf("row 3 = %+v", r)
	}
	if rows[0].Claim.Activity != "North / Cats" || rows[0].Key == rows[1].Key {
		t.Errorf("rows 1 and 2 = %+v, %+v, want the same content under different keys", rows[0], rows[1])
	}
}

func TestReadingTwiceGivesTheSameKeys(t *testing.T) {
	t.Parallel()
	p := profile(t, shelterProfile)
	first, second := read(t, []byte(shelterSheet), p), read(t, []byte("\xef\xbb\xbf"+shelterSheet), p)
	for i := range first {
		if first[i].Key != second[i].Key {
			t.Errorf("row %d has the keys %s and %s", i+1, first[i].Key, second[i].Key)
		}
	}
}

const clockProfile = `
columns: {volunteer: [编号, no], site: 组织, activity: 活动, date: 日期, start: 开始, end: 结束, amount: 时长, check_in: 签到, check_out: 签退, beneficiary_confirmed: 确认}
dates: [YYYY-MM-DD, YYYY年M月D日]
amount: {unit: "h:mm"}
"true": [是]
evidence: {kind: columns}
sites: {甲队: ORG-1}
`

const clockSheet = "编号,组织,活动,日期,开始,结束,时长,签到,签退,确认\n" +
	"v1,甲队,陪聊,2026年3月5日,09:00,11:00,2:00,09:00,11:01,是\n" +
	"v1,乙队,陪聊,2026-03-06,09:00,11:00,2:00,,,\n" +
	"v1,甲队,陪聊,2026-03-06,25:00,11:00,2:00,,,\n"

func TestReadEncodings(t *testing.T) {
	t.Parallel()
	p := profile(t, clockProfile)
	gb, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(clockSheet))
	if err != nil {
		t.Fatal(err)
	}
	utf8 := read(t, []byte(clockSheet), p)
	for name, file := range map[string][]byte{"GB18030": gb, "a byte order mark": []byte("\xef\xbb\xbf" + clockSheet)} {
		if diff := cmp.Diff(utf8, read(t, file, p)); diff != "" {
			t.Errorf("%s -utf-8 +it:\n%s", name, diff)
		}
	}
	if diff := cmp.Diff([]string{"ok", "organization_unknown", "clock_malformed"}, codes(utf8)); diff != "" {
		t.Errorf("rows -want +got:\n%s", diff)
	}
	r := utf8[0]
	if r.Site != "ORG-1" || r.Claim.Minutes != 120 || !r.Claim.Evidence.Beneficiary || r.Claim.Evidence.CheckOut.String() != "11:01" ||
		r.Claim.ServedOn.String() != "2026-03-05" {
		t.Errorf("row 1 = %+v", r)
	}
}

// Excel keeps a date as days since 30 December 1899 and a time as a fraction of a day.
func TestReadXLSX(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	for i, row := range [][]any{{"no", "date", "start", "end"}, {"v1", 46086, 0.375, 0.4375}, {"v2", "2026-03-05", "23:00", "01:00"}, {"", "", "", ""}} {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.SetSheetRow("Sheet1", cell, &row); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	if err := f.Write(&file); err != nil {
		t.Fatal(err)
	}
	rows := read(t, file.Bytes(), profile(t, `
columns: {volunteer: no, date: date, start: start, end: end}
dates: [YYYY-MM-DD]
amount: {unit: from_clock}
activity: {default: Help}
evidence: {kind: list}
`))
	if diff := cmp.Diff([]string{"ok", "ok"}, codes(rows)); diff != "" {
		t.Fatalf("rows -want +got:\n%s", diff)
	}
	for i, want := range []struct {
		on      string
		minutes ledger.Minutes
	}{{"2026-03-05", 90}, {"2026-03-05", 120}} {
		if c := rows[i].Claim; c.ServedOn.String() != want.on || c.Minutes != want.minutes {
			t.Errorf("row %d = %s, %d minutes, want %s, %d", i+1, c.ServedOn, c.Minutes, want.on, want.minutes)
		}
	}
}

func TestReadRefusesFiles(t *testing.T) {
	t.Parallel()
	p := profile(t, shelterProfile)
	for name, x := range map[string]struct{ file, want string }{
		"an empty file":      {"", "empty"},
		"a missing column":   {"ID,Site,Task,Hours,Absent\n", "From.date"},
		"two equal headers":  {"ID,ID,Site,Task,From.date,Hours,Absent\n", "two columns"},
		"no text at all":     {"\xff\xfe\x00\x81", "neither UTF-8 nor GB18030"},
		"a broken XLSX file": {"PK\x03\x04 and no more", "XLSX"},
	} {
		if _, err := Read([]byte(x.file), p); !errors.Is(err, ledger.ErrInvalid) || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: Read = %v, want an error with %q", name, err, x.want)
		}
	}
}

func TestParseProfileRefuses(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct{ old, fresh, want string }{
		"an unknown key":                   {"missing:", "mising:", "mising"},
		"an unknown field":                 {"amount: Hours}", "amount: Hours, hours: x}", "no field"},
		"a form that is no date":           {"[MM-DD-YYYY]", "[weekday]", "not a form"},
		"an unknown unit":                  {"decimal_hours", "weeks", "unit is"},
		"a second person who is the first": {"approver: b", "approver: a", "another person"},
		"a rule without reason":            {", reason: absent", "", "needs column, equals and reason"},
		"no date column":                   {"date: From.date, ", "", "date is missing"},
	} {
		if _, err := ParseProfile([]byte(strings.Replace(shelterProfile, x.old, x.fresh, 1))); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: ParseProfile = %v, want an error with %q", name, err, x.want)
		}
	}
}

// Decimal hours are read exactly: half a minute up is the next minute, whatever the number of digits.
func TestDecimalHoursAreExact(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]ledger.Minutes{
		"0.1666666667": 10, "0.0083333333": 0, "0.0083333334": 1, "2": 120, "2.": 120,
		"7.991666666666": 479, "7.99166666666666666666666666666666666667": 480, "-0.5": -30,
		"8.3333333333333332E-3": 0, "8.3333333333333334E-3": 1, "1.5E0": 90, "2E-20": 0,
	} {
		got, err := parseAmount(text, amountRule{unitDecimalHours, ledger.RoundHalfUp})
		if err != nil || got != want {
			t.Errorf("parseAmount(%s) = %d, %v, want %d", text, got, err, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[0-9]{1,4}\.[0-9]{1,20}`).Draw(t, "hours")
		got, err := parseAmount(text, amountRule{unitDecimalHours, ledger.RoundHalfUp})
		if err != nil {
			t.Fatal(err)
		}
		exact, _ := new(big.Rat).SetString(text)
		exact.Mul(exact, big.NewRat(60, 1))
		off := new(big.Rat).Sub(exact, new(big.Rat).SetInt64(int64(got)))
		if off.Cmp(big.NewRat(1, 2)) >= 0 || off.Cmp(big.NewRat(-1, 2)) < 0 {
			t.Errorf("%s hours are %s minutes, read as %d", text, exact.RatString(), got)
		}
	})
}

func TestReportAddsUpAndIsHarmless(t *testing.T) {
	t.Parallel()
	seq := ledger.Seq(4)
	lines := []Line{{Row: 1, Outcome: Recorded, Entry: &seq, Minutes: 60}, {Row: 2, Outcome: Refused, Code: "shift_repeated", Reason: "=cmd()", Minutes: 30},
		{Row: 3, Outcome: Ignored, Reason: "absent"}}
	var totals Totals
	for _, l := range lines {
		totals.Add(l)
	}
	if totals.Rows != 3 || totals.Count[Recorded]+totals.Count[Refused]+totals.Count[Ignored] != 3 || totals.Minutes[Refused] != 30 || totals.Codes["shift_repeated"] != 1 {
		t.Errorf("totals = %+v", totals)
	}
	var out bytes.Buffer
	if err := WriteReport(&out, lines); err != nil {
		t.Fatal(err)
	}
	want := "row,outcome,entry,code,rule,reason,minutes\n1,recorded,4,,,,60\n2,refused,,shift_repeated,,'=cmd(),30\n3,ignored,,,,absent,0\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("report -want +got:\n%s", diff)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(shelterSheet))
	f.Add([]byte("ID,Site,Task,From.date,Hours,Absent\n\"1\n2\",,,\x00,9999999999,\n"))
	p := profile(f, shelterProfile)
	f.Fuzz(func(t *testing.T, file []byte) {
		rows, err := Read(file, p)
		if err != nil {
			return
		}
		for _, r := range rows {
			if r.Problem == nil && r.Ignored == "" {
				if err := r.Claim.Check(); err != nil {
					t.Errorf("row %d is let through: %v", r.Number, err)
				}
			}
		}
	})
}

func FuzzParseProfile(f *testing.F) {
	f.Add([]byte(shelterProfile))
	f.Add([]byte(clockProfile))
	f.Fuzz(func(_ *testing.T, text []byte) {
		if p, err := ParseProfile(text); err == nil {
			_, _ = Read([]byte(shelterSheet), p) // an accepted profile reads or refuses, without a panic
		}
	})
}

// A missing amount is told as missing, not as an odd number.
func TestARowWithoutAnAmountIsToldSo(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"minutes", "decimal_hours", "h:mm"} {
		rows := read(t, []byte("V,D,A\nx,2026-01-05,NA\nx,2026-01-06,\n"), profile(t, `
columns: {volunteer: V, date: D, amount: A}
dates: [YYYY-MM-DD]
amount: {unit: "`+unit+`"}
missing: [NA]
activity: {default: Help}
evidence: {kind: list}
`))
		for _, r := range rows {
			if r.Problem == nil || r.Problem.Code != "amount_malformed" || !strings.Contains(r.Problem.Detail, "no amount is given") {
				t.Errorf("%s: row %d: %+v", unit, r.Number, r.Problem)
			}
		}
	}
}

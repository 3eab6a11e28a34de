package ledger_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"timebank/ledger"
)

// at reads a time of day that the test knows to be good.
func at(t testing.TB, s string) *ledger.Clock {
	t.Helper()
	c, err := ledger.ParseClock(s)
	if err != nil {
		t.Fatal(err)
	}
	return &c
}

// claim gives a claim that Check lets pass: 90 minutes from half past nine.
func claim(t testing.TB) ledger.Claim {
	return ledger.Claim{
		Volunteer: "v1", Activity: "陪同就医", Service: "escort", ServedOn: date(t, "2026-03-05"),
		Start: at(t, "09:30"), End: at(t, "11:00"), Minutes: 90, Reference: "2026/17",
		Evidence: ledger.Evidence{CheckIn: at(t, "09:28"), CheckOut: at(t, "11:01"), Sheet: "box 3", Recorder: "r1", Approver: "a1"},
	}
}

func TestClaim_Check_points_at_what_is_wrong(t *testing.T) {
	tests := []struct {
		name          string
		change        func(c *ledger.Claim)
		code, pointer string // empty when the claim passes
	}{
		{"a full claim passes", func(*ledger.Claim) {}, "", ""},
		{"a claim without clock times and evidence passes", func(c *ledger.Claim) {
			c.Start, c.End, c.Evidence, c.Reference, c.Service = nil, nil, ledger.Evidence{}, "", ""
		}, "", ""},
		{"one minute passes", func(c *ledger.Claim) { c.Minutes = 1 }, "", ""},
		{"a whole day passes", func(c *ledger.Claim) { c.Minutes = ledger.ClaimMinutesMax }, "", ""},
		{"no minutes", func(c *ledger.Claim) { c.Minutes = 0 }, "minutes_out_of_range", "/minutes"},
		{"negative minutes", func(c *ledger.Claim) { c.Minutes = -90 }, "minutes_out_of_range", "/minutes"},
		{"more than a day", func(c *ledger.Claim) { c.Minutes = ledger.ClaimMinutesMax + 1 }, "minutes_out_of_range", "/minutes"},
		{"a start without an end", func(c *ledger.Claim) { c.End = nil }, "clock_incomplete", "/start"},
		{"an end without a start", func(c *ledger.Claim) { c.Start = nil }, "clock_incomplete", "/start"},
		{"a check-in without a check-out", func(c *ledger.Claim) { c.Evidence.CheckOut = nil }, "clock_incomplete", "/evidence/check_in"},
		{"a check-out without a check-in", func(c *ledger.Claim) { c.Evidence.CheckIn = nil }, "clock_incomplete", "/evidence/check_in"},
		{"no activity", func(c *ledger.Claim) { c.Activity = "" }, "text_missing", "/activity"},
		{"an activity of spaces", func(c *ledger.Claim) { c.Activity = " 　" }, "text_missing", "/activity"},
		{"a long activity", func(c *ledger.Claim) { c.Activity = strings.Repeat("a", ledger.ActivityBytesMax+1) }, "text_too_long", "/activity"},
		{"a long service", func(c *ledger.Claim) { c.Service = strings.Repeat("a", 200) }, "text_too_long", "/service"},
		{"a long reference", func(c *ledger.Claim) { c.Reference = strings.Repeat("a", 200) }, "text_too_long", "/reference"},
		{"a long sheet", func(c *ledger.Claim) { c.Evidence.Sheet = strings.Repeat("a", 200) }, "text_too_long", "/evidence/sheet"},
		{"a long recorder", func(c *ledger.Claim) { c.Evidence.Recorder = strings.Repeat("a", 200) }, "text_too_long", "/evidence/recorder"},
		{"a long approver", func(c *ledger.Claim) { c.Evidence.Approver = strings.Repeat("a", 200) }, "text_too_long", "/evidence/approver"},
		{"a line break in the reference", func(c *ledger.Claim) { c.Reference = "a\nb" }, "text_malformed", "/reference"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := claim(t)
			tt.change(&c)
			checkInvalid(t, c.Check(), tt.code, tt.pointer)
		})
	}
}

// checkInvalid wants an Invalid with that code and pointer, or nil when the code is empty.
func checkInvalid(t *testing.T, err error, code, pointer string) {
	t.Helper()
	if code == "" {
		if err != nil {
			t.Errorf("Check = %v, want nil", err)
		}
		return
	}
	var invalid *ledger.Invalid
	if !errors.As(err, &invalid) || !errors.Is(err, ledger.ErrInvalid) {
		t.Fatalf("Check = %v, want an Invalid", err)
	}
	if invalid.Code != code || invalid.Pointer != pointer || invalid.Detail == "" {
		t.Errorf("Check = %+v, want %s at %s and a detail", *invalid, code, pointer)
	}
}

func TestCheckTexts_refuses_what_cannot_be_shown_safely(t *testing.T) {
	tests := []struct {
		name, value, code string
		required          bool
	}{
		{"a text passes", "和平社区", "", true},
		{"an empty text passes when it may", "", "", false},
		{"twelve bytes pass", "0123456789ab", "", true},
		{"an empty text is missing when it must be", "", "text_missing", true},
		{"spaces are missing when it must be", "  ", "text_missing", true},
		{"thirteen bytes are too long", "0123456789abc", "text_too_long", false},
		{"characters are counted in bytes", "和平社区x", "text_too_long", false},
		{"a broken UTF-8 is malformed", "a\xff", "text_malformed", false},
		{"half a surrogate is malformed", "\xed\xa0\x80", "text_malformed", false},
		{"a null byte is malformed", "a\x00", "text_malformed", false},
		{"a line break is malformed", "a\nb", "text_malformed", false},
		{"a tab is malformed", "a\tb", "text_malformed", false},
		{"a delete is malformed", "a\x7f", "text_malformed", false},
		{"a C1 control is malformed", "a\u0085", "text_malformed", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := ledger.CheckTexts(ledger.Text{Pointer: "/first", Value: "fine", BytesMax: 4},
				ledger.Text{Pointer: "/name", Value: tt.value, BytesMax: 12, Required: tt.required})
			checkInvalid(t, err, tt.code, "/name")
		})
	}
	if err := ledger.CheckTexts(); err != nil {
		t.Errorf("CheckTexts() = %v, want nil", err)
	}
}

func TestClaim_Span(t *testing.T) {
	const day = 24 * 60
	c := claim(t)
	midnight := int64(c.ServedOn) * day
	tests := []struct {
		name, start, end string
		from, to         int64
	}{
		{"a morning", "09:30", "11:00", 570, 660},
		{"over midnight", "22:00", "06:00", 1320, day + 360},
		{"to midnight", "22:00", "00:00", 1320, day},
		{"from midnight", "00:00", "08:00", 0, 480},
		{"one minute", "09:30", "09:31", 570, 571},
		{"an end at the start is a whole day", "09:30", "09:30", 570, day + 570},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c.Start, c.End = at(t, tt.start), at(t, tt.end)
			from, to, ok := c.Span()
			if from != midnight+tt.from || to != midnight+tt.to || !ok {
				t.Errorf("Span of %s to %s = %d, %d, %t, want %d, %d", tt.start, tt.end,
					from-midnight, to-midnight, ok, tt.from, tt.to)
			}
		})
	}
	for _, bare := range []ledger.Claim{{}, {Start: at(t, "09:30")}, {End: at(t, "09:30")}} {
		if from, to, ok := bare.Span(); ok || from != 0 || to != 0 {
			t.Errorf("Span without both clock times = %d, %d, %t, want false", from, to, ok)
		}
	}
}

func TestClaim_Span_is_never_empty_and_never_beyond_a_day(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := ledger.Clock(rapid.Int16Range(0, 1439).Draw(t, "start"))
		end := ledger.Clock(rapid.Int16Range(0, 1439).Draw(t, "end"))
		day := ledger.Date(rapid.Int32Range(int32(ledger.DateMin), int32(ledger.DateMax)).Draw(t, "day"))
		from, to, ok := ledger.Claim{ServedOn: day, Start: &start, End: &end}.Span()
		if !ok || to <= from || to-from > 24*60 || from < int64(day)*24*60 || from >= int64(day+1)*24*60 {
			t.Fatalf("Span of %s, %s to %s = %d, %d, %t", day, start, end, from, to, ok)
		}
	})
}

func TestClaim_Fingerprint_knows_the_same_shift(t *testing.T) {
	same := []struct {
		name   string
		change func(c *ledger.Claim)
	}{
		{"under another reference", func(c *ledger.Claim) { c.Reference = "other" }},
		{"with other evidence", func(c *ledger.Claim) { c.Evidence = ledger.Evidence{} }},
		{"under another service code", func(c *ledger.Claim) { c.Service = "" }},
		{"with other minutes between the same clock times", func(c *ledger.Claim) { c.Minutes = 80 }},
	}
	for _, tt := range same {
		t.Run("the same "+tt.name, func(t *testing.T) {
			c := claim(t)
			tt.change(&c)
			if c.Fingerprint("o1") != claim(t).Fingerprint("o1") {
				t.Error("the fingerprint differs")
			}
		})
	}
	different := []struct {
		name   string
		change func(c *ledger.Claim)
	}{
		{"volunteer", func(c *ledger.Claim) { c.Volunteer = "v2" }},
		{"activity", func(c *ledger.Claim) { c.Activity = "陪伴" }},
		{"day", func(c *ledger.Claim) { c.ServedOn++ }},
		{"start", func(c *ledger.Claim) { *c.Start++ }},
		{"end", func(c *ledger.Claim) { *c.End++ }},
		{"clock times at all", func(c *ledger.Claim) { c.Start, c.End = nil, nil }},
	}
	for _, tt := range different {
		t.Run("different "+tt.name, func(t *testing.T) {
			c := claim(t)
			tt.change(&c)
			if c.Fingerprint("o1") == claim(t).Fingerprint("o1") {
				t.Error("the fingerprint is the same")
			}
		})
	}
	if claim(t).Fingerprint("o1") == claim(t).Fingerprint("o2") {
		t.Error("the fingerprint is the same for another organization")
	}
	long, short := claim(t), claim(t)
	long.Start, long.End, short.Start, short.End, short.Minutes = nil, nil, nil, nil, 89
	if long.Fingerprint("o1") == short.Fingerprint("o1") {
		t.Error("without clock times, other minutes give the same fingerprint")
	}
}

// Texts of digits, colons and dashes are those that could be mistaken for a length or a neighbour.
func TestClaim_Fingerprint_of_different_texts_differs(t *testing.T) {
	text := rapid.StringOfN(rapid.SampledFrom([]rune("0123:- v")), 0, 6, -1)
	draw := func(t *rapid.T, which string) [3]string {
		return [3]string{text.Draw(t, which+" volunteer"), text.Draw(t, which+" organization"), text.Draw(t, which+" activity")}
	}
	fingerprint := func(s [3]string) ledger.Hash {
		return ledger.Claim{Volunteer: s[0], Activity: s[2], Minutes: 1}.Fingerprint(s[1])
	}
	rapid.Check(t, func(t *rapid.T) {
		a := draw(t, "one")
		// The same characters, cut at other places: what a plain concatenation would confuse.
		all := a[0] + a[1] + a[2]
		i := rapid.IntRange(0, len(all)).Draw(t, "first cut")
		j := rapid.IntRange(i, len(all)).Draw(t, "second cut")
		for _, b := range [][3]string{draw(t, "other"), {all[:i], all[i:j], all[j:]}} {
			if (a == b) != (fingerprint(a) == fingerprint(b)) {
				t.Fatalf("%q and %q: equal %t, equal fingerprints %t", a, b, a == b, fingerprint(a) == fingerprint(b))
			}
		}
	})
}

func TestPlace_Check_wants_every_level_above_the_lowest(t *testing.T) {
	tests := []struct {
		name          string
		place         ledger.Place
		code, pointer string
	}{
		{"no place passes", ledger.Place{}, "", ""},
		{"a district passes", ledger.Place{District: "和平区"}, "", ""},
		{"a street passes", ledger.Place{District: "d", Street: "s"}, "", ""},
		{"a community passes", ledger.Place{District: "d", Street: "s", Community: "c"}, "", ""},
		{"a grid passes", ledger.Place{District: "d", Street: "s", Community: "c", Grid: "g"}, "", ""},
		{"a street without a district", ledger.Place{Street: "s"}, "place_incomplete", "/place/district"},
		{"a community without a street", ledger.Place{District: "d", Community: "c"}, "place_incomplete", "/place/street"},
		{"a grid without a community", ledger.Place{District: "d", Street: "s", Grid: "g"}, "place_incomplete", "/place/community"},
		{"a grid alone", ledger.Place{Grid: "g"}, "place_incomplete", "/place/community"},
		{"a long name", ledger.Place{District: strings.Repeat("d", ledger.NameBytesMax+1)}, "text_too_long", "/place/district"},
		{"a control character", ledger.Place{District: "d", Street: "\x1b[31m"}, "text_malformed", "/place/street"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { checkInvalid(t, tt.place.Check(), tt.code, tt.pointer) })
	}
}

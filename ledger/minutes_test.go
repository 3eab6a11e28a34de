package ledger_test

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"timebank/ledger"
)

func TestMinutes_are_read_by_people(t *testing.T) {
	tests := []struct {
		name             string
		minutes          ledger.Minutes
		english, chinese string
	}{
		{"nothing", 0, "0 min", "0 分"},
		{"one minute", 1, "1 min", "1 分"},
		{"below an hour", 59, "59 min", "59 分"},
		{"an hour", 60, "1 h", "1 小时"},
		{"an hour and a minute", 61, "1 h 01 min", "1 小时 1 分"},
		{"two hours and a half", 150, "2 h 30 min", "2 小时 30 分"},
		{"less than nothing", -1, "-1 min", "-1 分"},
		{"owed hours", -120, "-2 h", "-2 小时"},
		{"owed hours and minutes", -150, "-2 h 30 min", "-2 小时 30 分"},
		{"a whole day", ledger.ClaimMinutesMax, "24 h", "24 小时"},
		{"the largest posting", ledger.PostingMinutesMax, "1000000 h", "1000000 小时"},
		{"more than any ledger holds", math.MaxInt64, "153722867280912930 h 07 min", "153722867280912930 小时 7 分"},
		{"less than any ledger holds", -math.MaxInt64, "-153722867280912930 h 07 min", "-153722867280912930 小时 7 分"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.minutes.String(); got != tt.english {
				t.Errorf("Minutes(%d).String() = %q, want %q", int64(tt.minutes), got, tt.english)
			}
			if got := tt.minutes.Chinese(); got != tt.chinese {
				t.Errorf("Minutes(%d).Chinese() = %q, want %q", int64(tt.minutes), got, tt.chinese)
			}
		})
	}
}

func TestMinutes_String_tells_different_amounts_apart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := ledger.Minutes(rapid.Int64Range(-10_000, 10_000).Draw(t, "a"))
		b := ledger.Minutes(rapid.Int64Range(-10_000, 10_000).Draw(t, "b"))
		if (a == b) != (a.String() == b.String()) {
			t.Fatalf("%d is %q, %d is %q", int64(a), a, int64(b), b)
		}
	})
}

func TestParseMinutes(t *testing.T) {
	tests := []struct {
		name, text string
		want       ledger.Minutes
		bad        bool
	}{
		{"a number is read", "90", 90, false},
		{"nothing is read", "0", 0, false},
		{"the largest number is read", "9223372036854775807", math.MaxInt64, false},
		{"one more is refused", "9223372036854775808", 0, true},
		{"an empty text is refused", "", 0, true},
		{"a sign is refused", "+90", 0, true},
		{"a negative number is refused", "-90", 0, true},
		{"a fraction is refused", "1.5", 0, true},
		{"hours are refused", "1h", 0, true},
		{"a space is refused", " 90", 0, true},
		{"a zero in front is refused", "090", 0, true},
		{"an underscore is refused", "1_000", 0, true},
		{"a power of ten is refused", "1e3", 0, true},
		{"digits of another script are refused", "９０", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ledger.ParseMinutes(tt.text)
			if got != tt.want || errors.Is(err, ledger.ErrInvalid) != tt.bad || (err != nil) != tt.bad {
				t.Errorf("ParseMinutes(%q) = %d, %v, want %d, refused %t", tt.text, int64(got), err, int64(tt.want), tt.bad)
			}
		})
	}
}

func FuzzParseMinutes(f *testing.F) {
	for _, s := range []string{"0", "90", "-1", "9223372036854775807", "0x10", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ledger.ParseMinutes(s)
		switch {
		case err != nil && !errors.Is(err, ledger.ErrInvalid):
			t.Errorf("ParseMinutes(%q) = %v, want ErrInvalid", s, err)
		case err == nil && (m < 0 || strconv.FormatInt(int64(m), 10) != s):
			t.Errorf("ParseMinutes(%q) = %d, which is written otherwise", s, int64(m))
		}
	})
}

func TestRate_Of_rounds_as_stated(t *testing.T) {
	tests := []struct {
		name    string
		rate    ledger.Rate
		minutes ledger.Minutes
		how     ledger.Rounding
		want    ledger.Minutes
		rest    int64
	}{
		{"four fifths of an hour is exact", ledger.Rate{Num: 4, Den: 5}, 60, ledger.RoundDown, 48, 0},
		{"four fifths of 61 leaves four fifths", ledger.Rate{Num: 4, Den: 5}, 61, ledger.RoundDown, 48, 4},
		{"half up takes four fifths for one", ledger.Rate{Num: 4, Den: 5}, 61, ledger.RoundHalfUp, 49, -1},
		{"half up leaves a fifth", ledger.Rate{Num: 4, Den: 5}, 64, ledger.RoundHalfUp, 51, 1},
		{"a half goes up", ledger.Rate{Num: 1, Den: 2}, 1, ledger.RoundHalfUp, 1, -1},
		{"a half goes down", ledger.Rate{Num: 1, Den: 2}, 1, ledger.RoundDown, 0, 1},
		{"double", ledger.Rate{Num: 2, Den: 1}, 90, ledger.RoundHalfUp, 180, 0},
		{"nothing stays nothing", ledger.Rate{Num: 4, Den: 5}, 0, ledger.RoundHalfUp, 0, 0},
		{"one for one", ledger.Rate{Num: 1, Den: 1}, 1440, ledger.RoundDown, 1440, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, rest := tt.rate.Of(tt.minutes, tt.how)
			if got != tt.want || rest != tt.rest {
				t.Errorf("%s of %d, %s = %d rest %d, want %d rest %d", tt.rate, tt.minutes, tt.how, got, rest, tt.want, tt.rest)
			}
		})
	}
}

func drawRate(t *rapid.T) ledger.Rate {
	return ledger.Rate{Num: rapid.Int64Range(1, 10_000).Draw(t, "numerator"), Den: rapid.Int64Range(1, 10_000).Draw(t, "denominator")}
}

func TestRate_Of_loses_nothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := drawRate(t)
		m := ledger.Minutes(rapid.Int64Range(0, int64(ledger.PostingMinutesMax)).Draw(t, "minutes"))
		for _, how := range []ledger.Rounding{ledger.RoundDown, ledger.RoundHalfUp} {
			whole, rest := rate.Of(m, how)
			if int64(whole)*rate.Den+rest != int64(m)*rate.Num {
				t.Fatalf("%s of %d, %s = %d rest %d: they do not add up", rate, m, how, whole, rest)
			}
			if how == ledger.RoundDown && (rest < 0 || rest >= rate.Den) {
				t.Fatalf("%s of %d rounded down left %d", rate, m, rest)
			}
			if how == ledger.RoundHalfUp && (2*rest >= rate.Den || 2*rest < -rate.Den) {
				t.Fatalf("%s of %d rounded half up left %d", rate, m, rest)
			}
		}
	})
}

func TestRate_Of_rounded_down_never_gains_by_splitting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := drawRate(t)
		parts := rapid.SliceOfN(rapid.Int64Range(0, 1440), 1, 20).Draw(t, "parts")
		var sum, earned ledger.Minutes
		for _, p := range parts {
			sum += ledger.Minutes(p)
			part, _ := rate.Of(ledger.Minutes(p), ledger.RoundDown)
			earned += part
		}
		if whole, _ := rate.Of(sum, ledger.RoundDown); earned > whole {
			t.Fatalf("%s of %d split into %v earns %d, whole %d", rate, sum, parts, earned, whole)
		}
	})
}

func TestRate_Of_never_pays_less_for_more(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := drawRate(t)
		m := ledger.Minutes(rapid.Int64Range(0, 100_000).Draw(t, "minutes"))
		for _, how := range []ledger.Rounding{ledger.RoundDown, ledger.RoundHalfUp} {
			less, _ := rate.Of(m, how)
			more, _ := rate.Of(m+1, how)
			if more < less {
				t.Fatalf("%s of %d = %d, of one more = %d", rate, m, less, more)
			}
		}
	})
}

func ExampleMinutes_String() {
	fmt.Println(ledger.Minutes(150), ledger.Minutes(120), ledger.Minutes(-45))
	// Output: 2 h 30 min 2 h -45 min
}

func ExampleMinutes_Chinese() {
	fmt.Println(ledger.Minutes(150).Chinese())
	// Output: 2 小时 30 分
}

func ExampleRate_Of() {
	credit, rest := ledger.Rate{Num: 4, Den: 5}.Of(61, ledger.RoundDown)
	fmt.Printf("%s, %d fifths left over\n", credit, rest)
	// Output: 48 min, 4 fifths left over
}

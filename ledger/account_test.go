package ledger_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"timebank/ledger"
)

func TestParseAccountID(t *testing.T) {
	tests := []struct {
		name, text string
		want       ledger.AccountID
		bad        bool
	}{
		{"a number is read", "1c0ffee0a5b4c3d2", 0x1c0ffee0a5b4c3d2, false},
		{"the least is read", "0000000000000001", 1, false},
		{"the greatest is read", "7fffffffffffffff", math.MaxInt64, false},
		{"one more is refused", "8000000000000000", 0, true},
		{"zero is refused", "0000000000000000", 0, true},
		{"fifteen digits are refused", "c0ffee0a5b4c3d2", 0, true},
		{"seventeen digits are refused", "01c0ffee0a5b4c3d2", 0, true},
		{"capitals are refused", "1C0FFEE0A5B4C3D2", 0, true},
		{"a prefix is refused", "0x0ffee0a5b4c3d2", 0, true},
		{"a sign is refused", "-000000000000001", 0, true},
		{"an underscore is refused", "1c0ffee0_5b4c3d2", 0, true},
		{"another letter is refused", "1c0ffee0a5b4c3dg", 0, true},
		{"an empty text is refused", "", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ledger.ParseAccountID(tt.text)
			if got != tt.want || errors.Is(err, ledger.ErrInvalid) != tt.bad {
				t.Errorf("ParseAccountID(%q) = %s, %v, want %s, refused %t", tt.text, got, err, tt.want, tt.bad)
			}
		})
	}
}

func TestAccountID_String_reads_back(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := ledger.AccountID(rapid.Int64Range(1, math.MaxInt64).Draw(t, "account"))
		if got, err := ledger.ParseAccountID(a.String()); err != nil || got != a {
			t.Fatalf("ParseAccountID(%q) = %s, %v", a, got, err)
		}
	})
}

func FuzzParseAccountID(f *testing.F) {
	f.Add("1c0ffee0a5b4c3d2")
	f.Add("0000000000000000")
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := ledger.ParseAccountID(s); err == nil && (a <= 0 || a.String() != s) {
			t.Errorf("ParseAccountID(%q) = %d, which is written %q", s, int64(a), a)
		}
	})
}

func TestParseHash(t *testing.T) {
	good := strings.Repeat("0123456789abcdef", 4)
	if got, err := ledger.ParseHash(good); err != nil || got.String() != good || got.IsZero() {
		t.Errorf("ParseHash(%q) = %s, %v", good, got, err)
	}
	if got, err := ledger.ParseHash(strings.Repeat("0", 64)); err != nil || !got.IsZero() {
		t.Errorf("ParseHash of zeros = %s, %v, want the zero hash", got, err)
	}
	for _, bad := range []string{"", good[:63], good[:62], good + "00", strings.ToUpper(good), good[:63] + "g", " " + good[1:], "-"} {
		if got, err := ledger.ParseHash(bad); !errors.Is(err, ledger.ErrInvalid) || !got.IsZero() {
			t.Errorf("ParseHash(%q) = %s, %v, want the zero hash and ErrInvalid", bad, got, err)
		}
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add(strings.Repeat("0123456789abcdef", 4))
	f.Fuzz(func(t *testing.T, s string) {
		if h, err := ledger.ParseHash(s); err == nil && h.String() != s {
			t.Errorf("ParseHash(%q) = %s", s, h)
		}
	})
}

// What a unit is for is only safe when some account of it may owe: a unit comes from somewhere.
func TestChart_is_sound(t *testing.T) {
	issuer := map[ledger.Unit]bool{}
	seen := map[ledger.Line]bool{}
	for _, l := range ledger.Chart {
		if !slices.Contains(ledger.Units, l.Unit) {
			t.Errorf("%s %s is in the unknown unit %q", l.Owner, l.Purpose, l.Unit)
		}
		key := ledger.Line{Owner: l.Owner, Purpose: l.Purpose}
		if seen[key] {
			t.Errorf("the chart has %s %s twice", l.Owner, l.Purpose)
		}
		seen[key] = true
		issuer[l.Unit] = issuer[l.Unit] || l.MayOwe
	}
	for _, u := range ledger.Units {
		if !issuer[u] {
			t.Errorf("no account in %s may owe, so nothing can ever be posted in it", u)
		}
	}
}

func TestActor_May_only_what_its_role_may(t *testing.T) {
	for _, role := range ledger.Roles {
		a := ledger.Actor{Role: role}
		for _, wanted := range ledger.Roles {
			if got := a.May(wanted); (got == nil) != (role == wanted) {
				t.Errorf("a client that is %s May(%s) = %v", role, wanted, got)
			}
		}
		if err := a.May(ledger.Roles...); err != nil {
			t.Errorf("a client that is %s may not what all may: %v", role, err)
		}
		if err := a.May(); !errors.Is(err, ledger.ErrForbidden) {
			t.Errorf("a client that is %s May() = %v, want ErrForbidden", role, err)
		}
	}
	if err := (ledger.Actor{}).May(ledger.Roles...); !errors.Is(err, ledger.ErrForbidden) {
		t.Errorf("nobody May(every role) = %v, want ErrForbidden", err)
	}
}

func TestErrors_are_of_their_kind(t *testing.T) {
	kinds := []error{ledger.ErrInvalid, ledger.ErrForbidden, ledger.ErrNotFound, ledger.ErrConflict, ledger.ErrRefused}
	tests := []struct {
		name string
		err  error
		kind error
	}{
		{"an invalid input", &ledger.Invalid{Detail: "no"}, ledger.ErrInvalid},
		{"a refusal", &ledger.Refusal{Detail: "no"}, ledger.ErrRefused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wrapped := fmt.Errorf("recording: %w", tt.err)
			for _, kind := range kinds {
				if got, want := errors.Is(wrapped, kind), errors.Is(kind, tt.kind); got != want {
					t.Errorf("errors.Is(%v, %v) = %t, want %t", wrapped, kind, got, want)
				}
			}
			if tt.err.Error() != "no" {
				t.Errorf("Error() = %q, want the detail", tt.err)
			}
		})
	}
}

func TestAppend_gives_what_String_gives(t *testing.T) {
	for _, a := range []ledger.AccountID{0, 1, 0x1c0ffee0a5b4c3d2, 1<<63 - 1, -1} {
		if have := string(a.Append([]byte("x"))); have != "x"+a.String() {
			t.Errorf("Append of %s = %q", a, have)
		}
	}
	for _, d := range []ledger.Date{ledger.DateMin, -1, 0, 20518, ledger.DateMax, 4_000_000, -800_000} {
		if have := string(d.Append([]byte("x"))); have != "x"+d.String() {
			t.Errorf("Append of %s = %q", d, have)
		}
	}
	for c := ledger.Clock(-61); c < 6100; c++ {
		if have, want := c.String(), fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60); have != want {
			t.Errorf("Clock(%d) = %q, want %q", c, have, want)
		}
	}
}

package ledger

import (
	"fmt"
	"strconv"
)

// Minutes is the only quantity of the ledger: a whole number of minutes, negative where an account
// gives. Hours exist only where people read them.
type Minutes int64

const (
	// ClaimMinutesMax bounds one claim: a civil day has no more minutes of service in it.
	ClaimMinutesMax Minutes = 24 * 60
	// PostingMinutesMax bounds one posting. It is far above any lifetime of service (a million hours)
	// and far below what a signed 64-bit sum of all postings, or a JSON number, can hold.
	PostingMinutesMax Minutes = 60_000_000
)

// String gives the minutes as people read them, "2 h 30 min"; it is exact.
func (m Minutes) String() string { return m.words("%d h %02d min", "%d h", "%d min") }

// Chinese gives the minutes as people in China read them, "2 小时 30 分".
func (m Minutes) Chinese() string { return m.words("%d 小时 %d 分", "%d 小时", "%d 分") }

func (m Minutes) words(both, hours, minutes string) string {
	sign, abs := "", m
	if m < 0 {
		sign, abs = "-", -m
	}
	h, rest := int64(abs)/60, int64(abs)%60
	switch {
	case h == 0:
		return sign + fmt.Sprintf(minutes, rest)
	case rest == 0:
		return sign + fmt.Sprintf(hours, h)
	default:
		return sign + fmt.Sprintf(both, h, rest)
	}
}

// ParseMinutes reads a whole number of minutes in decimal digits, "90". Anything else, a sign
// included, is [ErrInvalid].
func ParseMinutes(s string) (Minutes, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("%w: %q is not a whole number of minutes", ErrInvalid, s)
	}
	return Minutes(n), nil
}

// Rounding says which whole number stands for a fraction.
type Rounding string

// The roundings a rule may state.
const (
	RoundDown   Rounding = "down"    // towards zero: what is left stays unearned
	RoundHalfUp Rounding = "half_up" // halves go up
)

// Rate is a positive rational number, such as 4/5.
type Rate struct{ Num, Den int64 }

// Of gives rate × m rounded to whole minutes, and what the rounding left over as a numerator over
// the rate's denominator (negative when it rounded up): Of(m)×Den + rest = m×Num exactly. Bounds of
// rates and of minutes keep the product within an int64; m must not be negative.
func (r Rate) Of(m Minutes, how Rounding) (whole Minutes, rest int64) {
	product := int64(m) * r.Num
	q, rem := product/r.Den, product%r.Den
	if how == RoundHalfUp && 2*rem >= r.Den {
		q, rem = q+1, rem-r.Den
	}
	return Minutes(q), rem
}

// String gives the rate as a fraction, "4/5".
func (r Rate) String() string { return fmt.Sprintf("%d/%d", r.Num, r.Den) }

package sheet

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"timebank/ledger"
)

// dateLayout turns YYYY, MM, M, DD, D into Go's layout.
func dateLayout(form string) (string, error) {
	layout := form
	for _, x := range []struct{ ours, theirs string }{{"YYYY", "2006"}, {"MM", "01"}, {"DD", "02"}, {"M", "1"}, {"D", "2"}} {
		layout = strings.Replace(layout, x.ours, x.theirs, 1)
	}
	if !strings.Contains(layout, "2006") || strings.ContainsAny(layout, "YMD") || !strings.ContainsAny(strings.Replace(layout, "2006", "", 1), "1") ||
		!strings.Contains(strings.Replace(layout, "2006", "", 1), "2") {
		return "", fmt.Errorf("%q is not a form like YYYY-MM-DD, MM-DD-YYYY, YYYY/M/D or YYYY年M月D日", form)
	}
	return layout, nil
}

// parseDate reads a date in one of the forms, or as Excel keeps dates: days since 30 December 1899.
func parseDate(text string, forms []string, excel bool) (ledger.Date, error) {
	for _, form := range forms {
		layout, err := dateLayout(form)
		if err != nil {
			return 0, err
		}
		if t, err := time.Parse(layout, text); err == nil {
			return ledger.ParseDate(ledger.DateOf(t).String())
		}
	}
	if excel {
		if r, ok := rational(text); ok && r.Sign() > 0 {
			days := new(big.Int).Quo(r.Num(), r.Denom())
			if days.IsInt64() && days.Int64() > 60 && days.Int64() < 200_000 { // before 60 Excel believes in 29 February 1900
				return excelEpoch + ledger.Date(days.Int64()), nil
			}
		}
	}
	return 0, fmt.Errorf("%w: %q is not a day of the calendar in the form %s", ledger.ErrInvalid, clip(text), strings.Join(forms, " or "))
}

var excelEpoch = ledger.DateOf(time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC))

var clockPattern = regexp.MustCompile(`^([0-9]{1,2})[:：]([0-9]{2})(?::[0-9]{2})?$`)

// parseClock reads 9:30, 09:30 or 09:30:00, or as Excel keeps times: a fraction of a day.
func parseClock(text string, excel bool) (ledger.Clock, error) {
	if m := clockPattern.FindStringSubmatch(text); m != nil {
		h, _ := strconv.Atoi(m[1]) // two digits at most
		min, _ := strconv.Atoi(m[2])
		if h < 24 && min < 60 {
			return ledger.Clock(h*60 + min), nil
		}
	}
	if excel {
		if r, ok := rational(text); ok && r.Sign() >= 0 && r.Cmp(big.NewRat(1, 1)) < 0 {
			return ledger.Clock(round(r.Mul(r, big.NewRat(24*60, 1)), ledger.RoundHalfUp) % (24 * 60)), nil
		}
	}
	return 0, fmt.Errorf("%w: %q is not a time of day like 09:30", ledger.ErrInvalid, clip(text))
}

// decimalPattern bounds a decimal number: what no sheet holds is not worth the arithmetic. XLSX keeps small
// numbers with an exponent, half a minute of hours as 8.3333333333333332E-3.
var decimalPattern = regexp.MustCompile(`^-?[0-9]{1,9}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,2})?$`)

// rational reads a decimal number exactly.
func rational(text string) (*big.Rat, bool) {
	if !decimalPattern.MatchString(text) {
		return nil, false
	}
	return new(big.Rat).SetString(strings.TrimSuffix(text, "."))
}

// round gives the whole number of a rational one: half up is towards plus infinity, down towards zero.
func round(r *big.Rat, how ledger.Rounding) int64 {
	if how == ledger.RoundDown {
		return new(big.Int).Quo(r.Num(), r.Denom()).Int64()
	}
	r = new(big.Rat).Add(r, big.NewRat(1, 2))
	q := new(big.Int).Div(r.Num(), r.Denom()) // Euclidean: the floor, since the divisor is positive
	return q.Int64()
}

// parseAmount reads an amount in the profile's unit.
func parseAmount(text string, rule amountRule) (ledger.Minutes, error) {
	if text == "" {
		return 0, fmt.Errorf("%w: no amount is given", ledger.ErrInvalid)
	}
	switch rule.Unit {
	case unitHoursMinutes:
		if m := clockLikePattern.FindStringSubmatch(text); m != nil {
			h, _ := strconv.ParseInt(m[1], 10, 64) // six digits at most
			min, _ := strconv.ParseInt(m[2], 10, 64)
			return ledger.Minutes(h*60 + min), nil
		}
		return 0, fmt.Errorf("%w: %q is not an amount like 1:30", ledger.ErrInvalid, clip(text))
	case unitDecimalHours:
		if r, ok := rational(text); ok {
			return ledger.Minutes(round(r.Mul(r, big.NewRat(60, 1)), rule.Round)), nil
		}
	case unitMinutes:
		if r, ok := rational(text); ok {
			return ledger.Minutes(round(r, rule.Round)), nil
		}
	}
	return 0, fmt.Errorf("%w: %q is not a decimal number", ledger.ErrInvalid, clip(text))
}

var clockLikePattern = regexp.MustCompile(`^([0-9]{1,6}):([0-5][0-9])$`)

// clip shortens a cell for a message.
func clip(text string) string {
	const most = 40
	runes := []rune(text)
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

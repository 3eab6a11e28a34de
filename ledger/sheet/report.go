package sheet

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"timebank/ledger"
)

// Outcome is what became of a row.
type Outcome string

// The outcomes of rows. Every row has exactly one.
const (
	Recorded Outcome = "recorded"
	Repeated Outcome = "repeated" // recorded by an earlier import of the same row
	Refused  Outcome = "refused"
	Ignored  Outcome = "ignored" // the profile passes it over
	Failed   Outcome = "failed"  // not decided: import the file again
)

// Line is a line of the report: what became of a row.
type Line struct {
	Row     int
	Outcome Outcome
	Entry   *ledger.Seq
	Code    string // of a refusal
	Rule    string
	Reason  string
	Minutes ledger.Minutes
}

// Totals count rows and minutes by outcome, and refusals by code.
type Totals struct {
	Rows    int
	Count   map[Outcome]int
	Minutes map[Outcome]ledger.Minutes
	Codes   map[string]int
}

// Add counts a line.
func (t *Totals) Add(l Line) {
	if t.Count == nil {
		t.Count, t.Minutes, t.Codes = map[Outcome]int{}, map[Outcome]ledger.Minutes{}, map[string]int{}
	}
	t.Rows++
	t.Count[l.Outcome]++
	t.Minutes[l.Outcome] += l.Minutes
	if l.Outcome == Refused {
		t.Codes[l.Code]++
	}
}

// CodesInOrder gives the codes of refusals, the most frequent first.
func (t Totals) CodesInOrder() []string {
	return slices.SortedFunc(maps.Keys(t.Codes), func(a, b string) int {
		if t.Codes[a] != t.Codes[b] {
			return t.Codes[b] - t.Codes[a]
		}
		return strings.Compare(a, b)
	})
}

// WriteReport writes a report as CSV: a line a row, in the order of the file.
func WriteReport(w io.Writer, lines []Line) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"row", "outcome", "entry", "code", "rule", "reason", "minutes"}}
	for _, l := range lines {
		entry := ""
		if l.Entry != nil {
			entry = strconv.FormatInt(int64(*l.Entry), 10)
		}
		rows = append(rows, []string{strconv.Itoa(l.Row), string(l.Outcome), entry, harmless(l.Code), harmless(l.Rule), harmless(l.Reason),
			strconv.FormatInt(int64(l.Minutes), 10)})
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// harmless keeps a spreadsheet from running a text as a formula.
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// Unposted gives the line of a row that is not posted: one that the profile ignores, that cannot be read,
// or that names another organization than the one that imports. For every other row ready is true, and
// the line waits for its outcome.
func Unposted(r Row, organization string) (line Line, ready bool) {
	line = Line{Row: r.Number, Minutes: r.Amount}
	switch {
	case r.Ignored != "":
		line.Outcome, line.Reason = Ignored, r.Ignored
	case r.Problem != nil:
		line.Outcome, line.Code, line.Reason = Refused, r.Problem.Code, r.Problem.Detail
	case r.Site != "" && r.Site != organization:
		line.Outcome, line.Code, line.Reason = Refused, "organization_other", "the row names another organization than the one that imports"
	default:
		return line, true
	}
	return line, false
}

// Package statement writes the ledger in the forms that other programs read: journals of hledger and beancount, CSV,
// and JSON lines.
package statement

import (
	"encoding/csv"
	"io"
	"strconv"
	"time"

	"timebank/ledger"
)

// Statement is what happened on an account between two dates, both inclusive, as known at a size of the log: Opening
// and the lines add up to Closing.
type Statement struct {
	Volunteer string // empty when the account is not a volunteer's own
	Number    ledger.AccountID
	Purpose   ledger.Purpose
	Unit      ledger.Unit
	From, To  ledger.Date
	LogSize   int64
	Opening   ledger.Minutes
	Lines     []Line
	Closing   ledger.Minutes
}

// Line is one movement on an account.
type Line struct {
	Seq       ledger.Seq
	Kind      ledger.Kind
	Effective ledger.Date
	Recorded  time.Time
	Minutes   ledger.Minutes
	Balance   ledger.Minutes // after this line, in the order of the statement
}

// CSV writes the statement a line each, with a line for the opening and one for the closing balance. Every cell is a
// number, a date or a word of ours: none that a spreadsheet would run.
func (s Statement) CSV(out io.Writer) error {
	w := csv.NewWriter(out)
	rows := [][]string{{"date", "entry", "kind", "recorded", "minutes", "balance", "unit"},
		{s.From.String(), "", "opening", "", "", number(s.Opening), string(s.Unit)}}
	for _, l := range s.Lines {
		rows = append(rows, []string{l.Effective.String(), strconv.FormatInt(int64(l.Seq), 10), string(l.Kind), l.Recorded.UTC().Format(time.RFC3339Nano),
			number(l.Minutes), number(l.Balance), string(s.Unit)})
	}
	return w.WriteAll(append(rows, []string{s.To.String(), "", "closing", "", "", number(s.Closing), string(s.Unit)}))
}

func number(m ledger.Minutes) string { return strconv.FormatInt(int64(m), 10) }

// Form writes an export: each entry in order, and then, of a form that asks for them, each account.
type Form interface {
	Entry(out io.Writer, r ledger.Record) error
	Account(out io.Writer, m MonthEnds) error
}

// MonthEnds is what an account has at the end of each month in which it moved, by effective date.
type MonthEnds struct {
	ledger.Account
	Ends []MonthEnd
}

// MonthEnd is a balance on the last day of a month.
type MonthEnd struct {
	Day     ledger.Date
	Balance ledger.Minutes
}

// Format is how an export may be written.
type Format struct {
	Name      string
	MediaType string
	Accounts  bool // it ends with the accounts, and so cannot be of a part of the log
	New       func() Form
}

// Formats are the formats of an export.
var Formats = []Format{
	{"jsonl", "application/jsonl", false, func() Form { return lines{} }},
	{"csv", "text/csv; charset=utf-8", false, func() Form { return &table{} }},
	{"hledger", "text/plain; charset=utf-8", true, func() Form { return &journal{form: hledgerForm} }},
	{"beancount", "text/plain; charset=utf-8", true, func() Form { return &journal{form: beancountForm} }},
}

// FormatOf finds a format by its name.
func FormatOf(name string) (Format, bool) {
	for _, f := range Formats {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

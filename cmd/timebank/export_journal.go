package main

import (
	"bufio"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"timebank/ledger"
	"timebank/ledger/book"
)

// exporter writes entries in a form. What it writes last may need what it has seen.
type exporter interface {
	entry(out *bufio.Writer, r book.Record) error
	end(out *bufio.Writer) error
}

// exporters are the forms of an export, by name.
var exporters = map[string]func() exporter{
	"jsonl": func() exporter { return lines{} },
	"csv":   func() exporter { return &table{} },
	"hledger": func() exporter {
		return &journal{form: hledgerForm, sums: map[accountName]map[ledger.Date]ledger.Minutes{}}
	},
	"beancount": func() exporter {
		return &journal{form: beancountForm, sums: map[accountName]map[ledger.Date]ledger.Minutes{}}
	},
}

// journal writes a journal of another program's form, and at its end what each account must have at the end
// of each month in which it moved, for that program to check.
type journal struct {
	form journalForm
	sums map[accountName]map[ledger.Date]ledger.Minutes // by the last day of the month
}

type accountName struct {
	owner   ledger.OwnerKind
	purpose ledger.Purpose
	id      ledger.AccountID
	unit    ledger.Unit
}

// journalForm is how a journal writes things. Minutes are amounts of a commodity for each unit.
type journalForm struct {
	head    string
	account func(a accountName) string
	entry   string // of date, kind and seq
	posting string // of account, minutes and commodity
	assert  func(a accountName, on ledger.Date, balance ledger.Minutes) string
	open    func(a accountName) string
}

func commodity(u ledger.Unit) string { return strings.ToUpper(string(u)) }

var hledgerForm = journalForm{
	head:    "; Minutes, a commodity for each unit. Made by timebank export --format hledger.\n",
	account: func(a accountName) string { return fmt.Sprintf("%s:%s:%s", a.owner, a.purpose, a.id) },
	entry:   "\n%s %s  ; entry:%d\n",
	posting: "    %s  %d %s\n",
	assert: func(a accountName, on ledger.Date, balance ledger.Minutes) string {
		return fmt.Sprintf("\n%s balance\n    %s:%s:%s  0 %s = %d %[5]s\n", on, a.owner, a.purpose, a.id, commodity(a.unit), int64(balance))
	},
	open: func(accountName) string { return "" },
}

var beancountForm = journalForm{
	head:    "; Minutes, a commodity for each unit. Made by timebank export --format beancount.\n",
	account: beancountAccount,
	entry:   "\n%s * \"%s\"\n  entry: %d\n",
	posting: "  %s  %d %s\n",
	assert: func(a accountName, on ledger.Date, balance ledger.Minutes) string { // checked as the day begins
		return fmt.Sprintf("%s balance %s  %d %s\n", on+1, beancountAccount(a), int64(balance), commodity(a.unit))
	},
	open: func(a accountName) string {
		return fmt.Sprintf("%s open %s %s\n", ledger.DateMin, beancountAccount(a), commodity(a.unit))
	},
}

// beancountAccount writes an account below Equity, whose balances may have either sign.
func beancountAccount(a accountName) string {
	capital := func(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
	return fmt.Sprintf("Equity:%s:%s:A%s", capital(string(a.owner)), capital(string(a.purpose)), a.id)
}

func (j *journal) entry(out *bufio.Writer, r book.Record) error {
	if len(r.Lines) == 0 { // a fact moves nothing
		return nil
	}
	if len(j.sums) == 0 {
		if _, err := out.WriteString(j.form.head); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(out, j.form.entry, r.Effective, r.Kind, r.Seq); err != nil {
		return err
	}
	for _, l := range r.Lines {
		a := accountName{l.Owner.Kind, l.Purpose, l.Account, l.Unit}
		if _, err := fmt.Fprintf(out, j.form.posting, j.form.account(a), int64(l.Minutes), commodity(l.Unit)); err != nil {
			return err
		}
		if j.sums[a] == nil {
			j.sums[a] = map[ledger.Date]ledger.Minutes{}
		}
		j.sums[a][ledger.Month.End(r.Effective)] += l.Minutes
	}
	return nil
}

// end writes the accounts, and their balances at the ends of months. What was recorded late counts in the
// month it is about, as it does in the journal.
func (j *journal) end(out *bufio.Writer) error {
	accounts := slices.SortedFunc(maps.Keys(j.sums), func(a, b accountName) int { return cmp.Compare(a.id, b.id) })
	if _, err := out.WriteString("\n"); err != nil {
		return err
	}
	for _, a := range accounts {
		text, balance := j.form.open(a), ledger.Minutes(0)
		for _, month := range slices.Sorted(maps.Keys(j.sums[a])) {
			balance += j.sums[a][month]
			text += j.form.assert(a, month, balance)
		}
		if _, err := out.WriteString(text); err != nil {
			return err
		}
	}
	return nil
}

// table writes a posting a line, for spreadsheets. Its cells are numbers and names of ours: none can be run as
// a formula but a negative number, which is one.
type table struct{ begun bool }

func (t *table) entry(out *bufio.Writer, r book.Record) error {
	if !t.begun {
		t.begun = true
		if _, err := out.WriteString("seq,kind,effective,recorded,account,owner_kind,purpose,unit,minutes,balance,refers_to,rules\n"); err != nil {
			return err
		}
	}
	refers, rules := "", ""
	if r.Refers != nil {
		refers = fmt.Sprint(int64(*r.Refers))
	}
	if !r.Rules.IsZero() {
		rules = r.Rules.String()
	}
	for _, l := range r.Lines {
		if _, err := fmt.Fprintf(out, "%d,%s,%s,%s,%s,%s,%s,%s,%d,%d,%s,%s\n", r.Seq, r.Kind, r.Effective, r.Recorded.UTC().Format("2006-01-02T15:04:05.000000Z"),
			l.Account, l.Owner.Kind, l.Purpose, l.Unit, int64(l.Minutes), int64(l.Balance), refers, rules); err != nil {
			return err
		}
	}
	return nil
}

func (*table) end(*bufio.Writer) error { return nil }

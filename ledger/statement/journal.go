package statement

import (
	"fmt"
	"io"
	"strings"

	"timebank/ledger"
)

// journal writes a journal of another program's form, with what each account must have at the end of each month
// in which it moved, for that program to check.
type journal struct {
	form  journalForm
	begun bool
}

// journalForm is how a journal writes things. Minutes are amounts of a commodity for each unit.
type journalForm struct {
	head    string
	account func(a ledger.Account) string
	entry   string // of date, kind and seq
	posting string // of account, minutes and commodity
	assert  func(a ledger.Account, on ledger.Date, balance ledger.Minutes) string
	open    func(a ledger.Account) string
}

func commodity(u ledger.Unit) string { return strings.ToUpper(string(u)) }

var hledgerForm = journalForm{
	head:    "; Minutes, a commodity for each unit. Made by timebank export --format hledger.\n",
	account: func(a ledger.Account) string { return fmt.Sprintf("%s:%s:%s", a.Owner.Kind, a.Purpose, a.ID) },
	entry:   "\n%s %s  ; entry:%d\n",
	posting: "    %s  %d %s\n",
	assert: func(a ledger.Account, on ledger.Date, balance ledger.Minutes) string {
		return fmt.Sprintf("\n%s balance\n    %s:%s:%s  0 %s = %d %[5]s\n", on, a.Owner.Kind, a.Purpose, a.ID, commodity(a.Unit), int64(balance))
	},
	open: func(ledger.Account) string { return "" },
}

var beancountForm = journalForm{
	head:    "; Minutes, a commodity for each unit. Made by timebank export --format beancount.\n",
	account: beancountAccount,
	entry:   "\n%s * \"%s\"\n  entry: %d\n",
	posting: "  %s  %d %s\n",
	assert: func(a ledger.Account, on ledger.Date, balance ledger.Minutes) string { // checked as the day begins
		return fmt.Sprintf("%s balance %s  %d %s\n", on+1, beancountAccount(a), int64(balance), commodity(a.Unit))
	},
	open: func(a ledger.Account) string {
		return fmt.Sprintf("%s open %s %s\n", ledger.DateMin, beancountAccount(a), commodity(a.Unit))
	},
}

// beancountAccount writes an account below Equity, whose balances may have either sign.
func beancountAccount(a ledger.Account) string {
	capital := func(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
	return fmt.Sprintf("Equity:%s:%s:A%s", capital(string(a.Owner.Kind)), capital(string(a.Purpose)), a.ID)
}

// Entry writes an entry; a fact moves nothing and is not in a journal.
func (j *journal) Entry(out io.Writer, r ledger.Record) error {
	if len(r.Lines) == 0 {
		return nil
	}
	if !j.begun {
		j.begun = true
		if _, err := io.WriteString(out, j.form.head); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(out, j.form.entry, r.Effective, r.Kind, r.Seq); err != nil {
		return err
	}
	for _, l := range r.Lines {
		a := ledger.Account{ID: l.Account, Owner: l.Owner, Purpose: l.Purpose, Unit: l.Unit}
		if _, err := fmt.Fprintf(out, j.form.posting, j.form.account(a), int64(l.Minutes), commodity(l.Unit)); err != nil {
			return err
		}
	}
	return nil
}

// Account writes what an account has at the ends of months. What was recorded late counts in the month it is about,
// as it does in the journal.
func (j *journal) Account(out io.Writer, m MonthEnds) error {
	text := "\n" + j.form.open(m.Account)
	for _, month := range m.Ends {
		text += j.form.assert(m.Account, month.Day, month.Balance)
	}
	_, err := io.WriteString(out, text)
	return err
}

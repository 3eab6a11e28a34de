package statement

import (
	"fmt"
	"io"

	"timebank/ledger"
)

// table writes a posting a line, for spreadsheets. Its cells are numbers and names of ours: none can be run as
// a formula but a negative number, which is one.
type table struct{ begun bool }

// Entry writes the postings of an entry.
func (t *table) Entry(out io.Writer, r ledger.Record) error {
	if !t.begun {
		t.begun = true
		if _, err := io.WriteString(out, "seq,kind,effective,recorded,account,owner_kind,purpose,unit,minutes,balance,refers_to,rules\n"); err != nil {
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

// Account writes nothing: every line has its balance.
func (*table) Account(io.Writer, MonthEnds) error { return nil }

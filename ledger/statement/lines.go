package statement

import (
	"io"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
)

// exportedEntry is a line of the export. Details is the very text that the leaf commits to.
type exportedEntry struct {
	Seq      ledger.Seq        `json:"seq"`
	Leaf     string            `json:"leaf"`
	LeafHash string            `json:"leaf_hash"`
	Salt     []byte            `json:"salt"` // base64
	Details  string            `json:"details"`
	Postings []exportedLine    `json:"postings"`
	About    map[string]string `json:"about,omitempty"` // ids of whom the entry is about
}

type exportedLine struct {
	Account string         `json:"account"`
	Purpose ledger.Purpose `json:"purpose"`
	Unit    ledger.Unit    `json:"unit"`
	Minutes ledger.Minutes `json:"minutes"`
	Balance ledger.Minutes `json:"balance"`
}

// lines writes an entry a line, as JSON.
type lines struct{}

// Entry writes an entry with all that recomputing its leaf and deciding it again need.
func (lines) Entry(out io.Writer, r ledger.Record) error {
	if err := json.MarshalWrite(out, exported(r)); err != nil {
		return err
	}
	_, err := out.Write([]byte{'\n'})
	return err
}

// Account writes nothing.
func (lines) Account(io.Writer, MonthEnds) error { return nil }

func exported(r ledger.Record) exportedEntry {
	e := exportedEntry{Seq: r.Seq, Leaf: string(r.Leaf), LeafHash: r.LeafHash.String(), Salt: r.Salt[:], Details: string(r.Details),
		Postings: []exportedLine{}, About: map[string]string{}}
	for name, id := range map[string]string{"organization": r.Organization, "volunteer": r.Volunteer, "partner": r.Partner} {
		if id != "" {
			e.About[name] = id
		}
	}
	for _, l := range r.Lines {
		e.Postings = append(e.Postings, exportedLine{l.Account.String(), l.Purpose, l.Unit, l.Minutes, l.Balance})
	}
	return e
}

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"timebank/ledger"
	"timebank/ledger/book"
)

func exportCommand() *cobra.Command {
	var s settings
	var size int64
	var format string
	cmd := &cobra.Command{
		Use: "export", Short: "Write the ledger as JSON lines, CSV, or a journal for hledger or beancount", Args: exactly(0),
		Example: "  timebank export --data data/demo > ledger.jsonl\n  timebank export --log-size 1000 > first-thousand.jsonl\n" +
			"  timebank export --format hledger > ledger.journal && hledger -f ledger.journal check",
		Long: `Writes every entry, in order. As JSON lines (jsonl) with its postings, leaf, salt and
details: what anybody needs to recompute every hash, balance and decision. As a journal
(hledger, beancount) with what each account must have at the end of each month in which
it moved, for those programs to check. As csv a posting a line. Names and birth dates are
not in the ledger and not in the export.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			form, ok := exporters[format]
			if !ok {
				return misuse("--format is one of %s, not %q", strings.Join(slices.Sorted(maps.Keys(exporters)), ", "), format)
			}
			return s.withBook(cmd, func(ctx context.Context, i *instance) error {
				return export(ctx, i.Book, size, form(), cmd.OutOrStdout(), newProgress(cmd.ErrOrStderr(), "exporting"))
			})
		},
	}
	s.flags(cmd, defaultData)
	cmd.Flags().StringVar(&format, "format", "jsonl", "jsonl, csv, hledger or beancount")
	cmd.Flags().Int64Var(&size, "log-size", 0, "export the first so many entries; 0 is all there are")
	return cmd
}

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

// export writes the first size entries, page by page, so that neither memory nor a database transaction
// grows with the ledger.
func export(ctx context.Context, b *book.Book, size int64, form exporter, w io.Writer, bar *progress) error {
	have, err := b.LogSize(ctx)
	if err != nil {
		return fmt.Errorf("reading the log's size: %w", err)
	}
	if size == 0 {
		size = have
	}
	if size < 0 || size > have {
		return misuse("--log-size: the log has %d entries", have)
	}
	out := bufio.NewWriter(w)
	auditor := ledger.Actor{Role: ledger.RoleAuditor}
	for after := ledger.Seq(-1); int64(after)+1 < size; {
		page, err := b.Entries(ctx, auditor, book.EntryFilter{After: after, LogSize: size, Limit: book.PageMax})
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return fmt.Errorf("entry %d is missing", after+1)
		}
		for _, r := range page {
			if err := form.entry(out, r); err != nil {
				return fmt.Errorf("writing entry %d: %w", r.Seq, err)
			}
			after = r.Seq
		}
		bar.at(int64(after)+1, size)
	}
	bar.end()
	if err := form.end(out); err != nil {
		return fmt.Errorf("writing the end of the export: %w", err)
	}
	return out.Flush()
}

// lines writes an entry a line, as JSON.
type lines struct{}

func (lines) entry(out *bufio.Writer, r book.Record) error {
	if err := json.MarshalWrite(out, exported(r)); err != nil {
		return err
	}
	return out.WriteByte('\n')
}

func (lines) end(*bufio.Writer) error { return nil }

func exported(r book.Record) exportedEntry {
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

package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/statement"
)

const tilesFormat = "tiles"

func exportFormats() string {
	var names []string
	for _, f := range statement.Formats {
		names = append(names, f.Name)
	}
	return strings.Join(append(names, tilesFormat), ", ")
}

func exportCommand() *cobra.Command {
	var s settings
	var r book.ExportRange
	var size int64
	var format, to string
	cmd := &cobra.Command{
		Use: "export", Short: "Write the ledger as JSON lines, CSV, a journal for hledger or beancount, or tiles", Args: exactly(0),
		Example: "  timebank export --data data/demo > ledger.jsonl\n  timebank export --from 1000 --log-size 2000 > second-thousand.jsonl\n" +
			"  timebank export --format hledger > ledger.journal && hledger -f ledger.journal check\n  timebank export --format tiles --to log",
		Long: `Writes every entry, in order. As JSON lines (jsonl) with its postings, leaf, salt and
details: what anybody needs to recompute every hash, balance and decision. As a journal
(hledger, beancount) with what each account must have at the end of each month in which
it moved, for those programs to check. As csv a posting a line. As tiles the signed log in
a folder, as C2SP tlog-tiles lays it out; what is there already is compared. Names and birth
dates are not in the ledger and not in the export. An auditor has the same over the API, at
GET /v1/export.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if size < 0 {
				return misuse("--log-size is no size: %d", size)
			}
			if size > 0 {
				r.Size = &size
			}
			f, ok := statement.FormatOf(format)
			switch {
			case !ok && format != tilesFormat:
				return misuse("--format is one of %s, not %q", exportFormats(), format)
			case ok == (to != ""):
				return misuse("--to names the folder for --format tiles, and goes with no other")
			case format == tilesFormat && (size > 0 || r.From > 0):
				return misuse("tiles are of the log as it was signed last, the whole of it")
			}
			return s.withBook(cmd, func(ctx context.Context, i *instance) error {
				bar := newProgress(cmd.ErrOrStderr(), "exporting")
				defer bar.end()
				if format == tilesFormat {
					return exportTiles(ctx, i.Book, to, bar.at)
				}
				auditor := ledger.Actor{Role: ledger.RoleAuditor}
				if _, err := i.CheckExport(ctx, auditor, f, r); err != nil {
					return misuse("%w", err)
				}
				return i.Export(ctx, auditor, f, r, cmd.OutOrStdout(), bar.at)
			})
		},
	}
	s.flags(cmd, defaultData)
	cmd.Flags().StringVar(&format, "format", "jsonl", exportFormats())
	cmd.Flags().Int64Var(&size, "log-size", 0, "export the entries below it; 0 is all there are")
	cmd.Flags().Int64Var(&r.From, "from", 0, "number of the first entry to export, as jsonl or csv")
	cmd.Flags().StringVar(&to, "to", "", "folder for the tiles")
	return cmd
}

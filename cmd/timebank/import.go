package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"timebank/ledger"
	"timebank/ledger/sheet"
)

const tokenVariable = "TIMEBANK_TOKEN"

func importCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "import", Short: "Import sheets", Example: "  timebank import hours sheet.csv --profile profile.yaml"}
	cmd.AddCommand(importHoursCommand())
	return cmd
}

func importHoursCommand() *cobra.Command {
	var server, profile, token, report string
	var dryRun, asJSON bool
	cmd := &cobra.Command{
		Use: "hours FILE", Short: "Import a sheet of hours, as the organization whose token it is", Args: exactly(1),
		Example: `  timebank import hours sheet.csv --profile docs/examples/paws-profile.yaml --report out.csv`,
		Long: `Reads a sheet (CSV in UTF-8 or GB18030, or XLSX) by a profile (docs/import.md) and posts
its rows over the API. A row's key comes from its content: the same file again records
nothing new, and an import that was cut off is finished by running it again.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if token == "" {
				token = os.Getenv(tokenVariable)
			}
			if token == "" || profile == "" {
				return misuse("name the profile with --profile and give the organization's token with --token or in %s", tokenVariable)
			}
			rows, err := readRows(args[0], profile)
			if err != nil {
				return err
			}
			bar := newProgress(cmd.ErrOrStderr(), "importing")
			i := importer{caller: newCaller(server, token), dryRun: dryRun, progress: bar.at}
			lines, err := i.run(cmd.Context(), rows)
			bar.end()
			// Also what was cut off is reported: the rows that were answered are recorded.
			if report != "" {
				err = errors.Join(err, writeReport(report, lines))
			}
			if totalsErr := printTotals(cmd, lines, asJSON); err == nil {
				err = totalsErr
			}
			return err
		},
	}
	serverFlag(cmd, &server)
	cmd.Flags().StringVar(&profile, "profile", "", "file that says how to read the sheet")
	cmd.Flags().StringVar(&token, "token", "", "the organization's access token (or "+tokenVariable+")")
	cmd.Flags().StringVar(&report, "report", "", "write what became of each row to this CSV file")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "decide every row by itself and record nothing")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func readRows(file, profile string) ([]sheet.Row, error) {
	text, err := os.ReadFile(profile)
	if err != nil {
		return nil, misuse("%w", err)
	}
	p, err := sheet.ParseProfile(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", profile, err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, misuse("%w", err)
	}
	if info.Size() > sheet.BytesMax {
		return nil, fmt.Errorf("%s has more than %d bytes", file, sheet.BytesMax)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	rows, err := sheet.Read(content, p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return rows, nil
}

// importer posts the rows of a sheet as one organization.
type importer struct {
	caller   *caller
	dryRun   bool
	progress func(done, of int64)
}

// importBatch is how many rows go in one request: enough to make the way there cheap, few enough that a
// single redemption never waits long behind them.
const importBatch = 500

// run posts the rows and gives a line for each. On an error, the rows not answered are marked failed.
func (i importer) run(ctx context.Context, rows []sheet.Row) ([]sheet.Line, error) {
	own, err := i.organization(ctx)
	lines := make([]sheet.Line, len(rows))
	var ready []int
	for n, row := range rows {
		line, post := sheet.Unposted(row, own)
		if lines[n] = line; post {
			lines[n].Outcome, lines[n].Reason = sheet.Failed, "not sent"
			ready = append(ready, n)
		}
	}
	for done := 0; err == nil && done < len(ready); {
		part := ready[done:min(done+importBatch, len(ready))]
		if err = i.post(ctx, rows, part, lines); err == nil {
			done += len(part)
		}
		if i.progress != nil {
			i.progress(int64(len(rows)-len(ready)+done), int64(len(rows)))
		}
	}
	return lines, err
}

// organization gives the external id of the organization whose token it is.
func (i importer) organization(ctx context.Context) (string, error) {
	var list struct {
		Data []struct {
			ExternalID string `json:"external_id"`
		} `json:"data"`
	}
	if err := i.caller.get(ctx, "/v1/organizations", &list); err != nil {
		return "", err
	}
	if len(list.Data) != 1 {
		return "", fmt.Errorf("the token is not an organization's")
	}
	return list.Data[0].ExternalID, nil
}

type batchAnswer struct {
	Items []struct {
		Status  string `json:"status"`
		Receipt *struct {
			Seq ledger.Seq `json:"seq"`
		} `json:"receipt"`
		Problem *problem `json:"problem"`
	} `json:"items"`
}

func (i importer) post(ctx context.Context, rows []sheet.Row, part []int, lines []sheet.Line) error {
	var body struct {
		Claims []jsontext.Value `json:"claims"`
	}
	all := sha256.New() // the batch's own key: it names nothing but this very batch
	for _, n := range part {
		claim, err := rows[n].JSON()
		if err != nil {
			return fmt.Errorf("writing row %d: %w", rows[n].Number, err)
		}
		body.Claims = append(body.Claims, claim)
		all.Write(bytes.Join([][]byte{[]byte(rows[n].Key), nil}, []byte{'\n'}))
	}
	path := "/v1/hours/batch"
	if i.dryRun {
		path += "?dry_run=true"
	}
	var answer batchAnswer
	if err := i.caller.post(ctx, path, "batch-"+hex.EncodeToString(all.Sum(nil)[:16]), body, &answer); err != nil {
		return err
	}
	if len(answer.Items) != len(part) {
		return fmt.Errorf("%d claims were sent and %d answered", len(part), len(answer.Items))
	}
	for j, item := range answer.Items {
		l := &lines[part[j]]
		l.Outcome, l.Reason = sheet.Outcome(item.Status), ""
		if item.Receipt != nil && item.Receipt.Seq >= 0 {
			l.Entry = &item.Receipt.Seq
		}
		if p := item.Problem; p != nil {
			l.Code, l.Rule, l.Reason = p.Code, p.Rule, p.Detail
		}
	}
	return nil
}

func writeReport(path string, lines []sheet.Line) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(sheet.WriteReport(f, lines), f.Close())
}

// totalsOf counts lines.
func totalsOf(lines []sheet.Line) (t sheet.Totals) {
	for _, l := range lines {
		t.Add(l)
	}
	return t
}

func printTotals(cmd *cobra.Command, lines []sheet.Line, asJSON bool) error {
	t := totalsOf(lines)
	if asJSON {
		return printJSON(cmd.OutOrStdout(), struct {
			Rows    int                              `json:"rows"`
			Count   map[sheet.Outcome]int            `json:"count"`
			Minutes map[sheet.Outcome]ledger.Minutes `json:"minutes"`
			Refused map[string]int                   `json:"refused_by_code"`
		}{t.Rows, t.Count, t.Minutes, t.Codes})
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%d rows\n", t.Rows)
	for _, o := range []sheet.Outcome{sheet.Recorded, sheet.Repeated, sheet.Refused, sheet.Ignored, sheet.Failed} {
		if t.Count[o] > 0 {
			fmt.Fprintf(out, "  %-9s %6d rows %9d minutes\n", o, t.Count[o], t.Minutes[o])
		}
	}
	for _, code := range t.CodesInOrder() {
		fmt.Fprintf(out, "    %6d refused: %s\n", t.Codes[code], code)
	}
	return nil
}

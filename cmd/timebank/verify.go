package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"timebank/ledger"
	"timebank/ledger/book"
)

// defaultData is the folder of the server's data: below where the command runs.
const defaultData = "data/serve"

func nothing(context.Context, *instance) error { return nil }

func verifyCommand() *cobra.Command {
	var s settings
	var asJSON bool
	cmd := &cobra.Command{
		Use: "verify", Short: "Recompute everything from the entries, and name the first that is wrong", Args: exactly(0),
		Example: "  timebank verify\n  timebank verify --data data/demo --json",
		Long: `Recomputes numbering, sums, running balances, leaves, hashes, checkpoints and the
rows beside the entries, and decides every claim again from its recorded facts.
Exits with 3 when something is wrong, and names the first wrong entry.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.withBook(cmd, func(ctx context.Context, i *instance) error {
				bar := newProgress(cmd.ErrOrStderr(), "verifying")
				v, err := i.Verify(ctx, bar.at)
				bar.end()
				if err != nil {
					return err
				}
				if asJSON {
					err = printJSON(cmd.OutOrStdout(), verificationJSON(v))
				} else {
					printVerification(cmd, v)
				}
				if err != nil {
					return err
				}
				return wrong(v)
			})
		},
	}
	s.flags(cmd, defaultData)
	jsonFlag(cmd, &asJSON)
	return cmd
}

// wrong is the error, with exit code 3, of a ledger that is not as its entries say.
func wrong(v book.Verification) error {
	if err := v.Err(); err != nil {
		return &codedError{exitWrong, err}
	}
	return nil
}

func printVerification(cmd *cobra.Command, v book.Verification) {
	out := cmd.OutOrStdout()
	for _, f := range v.Findings {
		fmt.Fprintln(out, f)
	}
	fmt.Fprintf(out, "%d entries, %d postings, %d decisions made again, %d checkpoints, root %s\n",
		v.Entries, v.Postings, v.Replayed, v.Checkpoints, v.Root)
	for _, u := range ledger.Units {
		fmt.Fprintf(out, "sum of all postings in %s: %d\n", u, v.Sums[u])
	}
	if len(v.Findings) == 0 {
		fmt.Fprintln(out, "nothing is wrong")
	}
}

type findingJSON struct {
	Seq  *ledger.Seq `json:"seq,omitempty"`
	What string      `json:"what"`
}

func verificationJSON(v book.Verification) any {
	findings := make([]findingJSON, len(v.Findings))
	for i, f := range v.Findings {
		findings[i].What = f.What
		if f.Seq >= 0 {
			findings[i].Seq = &f.Seq
		}
	}
	return struct {
		Entries     int64                          `json:"entries"`
		Postings    int64                          `json:"postings"`
		Replayed    int64                          `json:"replayed"`
		Checkpoints int64                          `json:"checkpoints"`
		Root        string                         `json:"root"`
		Sums        map[ledger.Unit]ledger.Minutes `json:"sums"`
		Findings    []findingJSON                  `json:"findings"`
	}{v.Entries, v.Postings, v.Replayed, v.Checkpoints, v.Root.String(), v.Sums, findings}
}

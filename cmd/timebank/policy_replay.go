package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func policyReplayCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use: "replay", Short: "Decide all history again from its recorded facts; any difference is an alarm", Args: exactly(0),
		Example: "  timebank policy replay --data data/demo",
		Long: `Decides every entry again from the facts and the rule set that it names, and from nothing
else. Exits with 3 when one comes out otherwise, and names it. timebank verify does this too,
and also compares the facts with the entries before.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.withBook(cmd, func(ctx context.Context, i *instance) error {
				bar := newProgress(cmd.ErrOrStderr(), "replaying")
				r, err := i.Replay(ctx, bar.at)
				bar.end()
				if err != nil {
					return err
				}
				for _, f := range r.Findings {
					fmt.Fprintln(cmd.OutOrStdout(), f)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%d decisions made again, %d come out otherwise\n", r.Decided, len(r.Findings))
				if err := r.Err(); err != nil {
					return &codedError{exitWrong, err}
				}
				return nil
			})
		},
	}
	s.flags(cmd, defaultData)
	return cmd
}

package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/policy"
)

func policySimulateCommand() *cobra.Command {
	var s settings
	var asJSON bool
	var from, to, lines string
	cmd := &cobra.Command{
		Use: "simulate FILE", Short: "Decide recorded history by a draft, and tell who gains and who loses", Args: exactly(1),
		Example: "  timebank policy simulate city.yaml --data data/demo --csv lines.csv",
		Long: `Decides every recorded claim again as if the draft had been in force, in the order of
recording; what the draft counts of a day, a month or a store is what the draft itself would
have given. Redemptions are taken as they were. It records nothing. With --csv each claim is
written as a line, so that a spreadsheet can add them up again.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			draft, err := readRuleSet(args[0])
			if err != nil {
				return err
			}
			first, last, err := spanOf(from, to)
			if err != nil {
				return err
			}
			return s.withBook(cmd, func(ctx context.Context, i *instance) (err error) {
				write, done, err := simulatedLines(lines)
				if err != nil {
					return err
				}
				begun, bar := clock(), newProgress(cmd.ErrOrStderr(), "simulating")
				report, err := i.Simulate(ctx, draft, first, last, write, bar.at)
				bar.end()
				if err = errors.Join(err, done()); err != nil {
					return err
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "done in %s\n", since(begun))
				if asJSON {
					return printJSON(cmd.OutOrStdout(), report)
				}
				printReport(cmd, draft, report)
				return nil
			})
		},
	}
	s.flags(cmd, defaultData)
	jsonFlag(cmd, &asJSON)
	cmd.Flags().StringVar(&from, "from", "", "first day of service that the draft decides; without it, from the beginning")
	cmd.Flags().StringVar(&to, "to", "", "last day of service that the draft decides")
	cmd.Flags().StringVar(&lines, "csv", "", "write each claim to this file")
	return cmd
}

func spanOf(from, to string) (first, last ledger.Date, err error) {
	first, last = ledger.DateMin, ledger.DateMax
	if from != "" {
		if first, err = ledger.ParseDate(from); err != nil {
			return 0, 0, misuse("--from: %w", err)
		}
	}
	if to != "" {
		if last, err = ledger.ParseDate(to); err != nil {
			return 0, 0, misuse("--to: %w", err)
		}
	}
	if last < first {
		return 0, 0, misuse("--to %s is before --from %s", last, first)
	}
	return first, last, nil
}

// simulatedLines writes claims to a file, or nowhere when none is named.
func simulatedLines(file string) (write func(book.SimulatedLine) error, done func() error, err error) {
	if file == "" {
		return nil, func() error { return nil }, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, nil, misuse("--csv: %w", err)
	}
	w := csv.NewWriter(f)
	err = w.Write([]string{"seq", "volunteer", "served_on", "minutes", "grade", "care", "pooled", "youth", "care_draft", "pooled_draft", "youth_draft", "refused", "rules"})
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	number := func(m ledger.Minutes) string { return strconv.FormatInt(int64(m), 10) }
	write = func(l book.SimulatedLine) error {
		return w.Write([]string{strconv.FormatInt(int64(l.Seq), 10), l.Volunteer, l.ServedOn.String(), number(l.Minutes), string(l.Grade),
			number(l.Was.Care), number(l.Was.Pooled), number(l.Was.Youth),
			number(l.Would.Care), number(l.Would.Pooled), number(l.Would.Youth), l.Refused, strings.Join(l.Rules, " ")})
	}
	return write, func() error { w.Flush(); return errors.Join(w.Error(), f.Close()) }, nil
}

func printReport(cmd *cobra.Command, draft *policy.Rules, r policy.Report) {
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s, in minutes, as recorded -> by the draft\n\n", draft.ID())
	fmt.Fprintf(out, "%-44s %9s %8s %11s %24s %20s %24s\n", "group", "claims", "refused", "served", "care", "pooled", "youth")
	for _, g := range r.Groups {
		fmt.Fprintf(out, "%-44s %9d %8d %11d %24s %20s %24s\n", g.Group.By+" "+g.Group.Name, g.Claims, g.Refused, int64(g.Served),
			arrow(g.Was.Care, g.Would.Care), arrow(g.Was.Pooled, g.Would.Pooled), arrow(g.Was.Youth, g.Would.Youth))
	}
	fmt.Fprintf(out, "\n%d volunteers gain (care %+d, pool %+d, youth %+d), %d lose (care %+d, pool %+d, youth %+d), %d see no change\n",
		r.Gain.Volunteers, int64(r.Gain.Sum.Care), int64(r.Gain.Sum.Pooled), int64(r.Gain.Sum.Youth),
		r.Lose.Volunteers, int64(r.Lose.Sum.Care), int64(r.Lose.Sum.Pooled), int64(r.Lose.Sum.Youth), r.Unchanged)
	fmt.Fprintf(out, "redeemable by those old enough at their last claim: %s\n", arrow(r.Redeemable.Was, r.Redeemable.Would))
	fmt.Fprintf(out, "spent as recorded, and not there by the draft: %d\n", int64(r.Short))
	rules := make([]string, 0, len(r.Refusals))
	for rule := range r.Refusals {
		rules = append(rules, rule)
	}
	slices.Sort(rules)
	for _, rule := range rules {
		fmt.Fprintf(out, "refused by %s: %d claims\n", rule, r.Refusals[rule])
	}
	for _, l := range r.Largest {
		fmt.Fprintf(out, "%s: care %s, youth %s\n", l.Volunteer, arrow(l.Was.Care, l.Would.Care), arrow(l.Was.Youth, l.Would.Youth))
	}
}

func arrow(was, would ledger.Minutes) string {
	return strconv.FormatInt(int64(was), 10) + " -> " + strconv.FormatInt(int64(would), 10)
}

package main

import (
	"fmt"
	"io"
	"runtime/debug"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
)

// rootCommand builds the tree of commands.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "timebank",
		Short: "A volunteer time bank that a city can trust",
		Example: `  timebank demo                        # a small city, its story, and a server to try
  timebank serve                       # a server on a private PostgreSQL
  timebank import hours sheet.csv --profile profile.yaml --token "$TOKEN"
  timebank verify                      # recompute everything from the entries`,
		Long: `A volunteer time bank: an append-only, double-entry ledger of minutes, rules that
turn them into care credit or youth service records, and an HTTP API in front.

Without TIMEBANK_DATABASE_URL a command uses a private PostgreSQL in --data, which
it starts from the binaries on this machine.

Exit codes: 0 done, 1 failed, 2 misused, 3 verification failed.`,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return misuse("%w", err) })
	root.AddCommand(serveCommand(), demoCommand(), migrateCommand(), importCommand(), exportCommand(), verifyCommand(), keyCommand(), policyCommand(),
		expireCommand(), tokenCommand(), clientCommand(), benchCommand(), versionCommand())
	return root
}

// exactly is cobra's check of the number of arguments, as a misuse.
func exactly(n int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return misuse("it takes %d arguments, not %d", n, len(args))
		}
		return nil
	}
}

func versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version", Example: "  timebank version --json", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := struct {
				Version string `json:"version"`
				Go      string `json:"go"`
			}{"(devel)", ""}
			if info, ok := debug.ReadBuildInfo(); ok {
				v.Version, v.Go = info.Main.Version, info.GoVersion
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), v)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "timebank %s %s\n", v.Version, v.Go)
			return err
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func jsonFlag(cmd *cobra.Command, asJSON *bool) {
	cmd.Flags().BoolVar(asJSON, "json", false, "print JSON to parse")
}

func printJSON(w io.Writer, v any) error {
	return json.MarshalWrite(w, v, jsontext.WithIndent("  "), json.Deterministic(true))
}

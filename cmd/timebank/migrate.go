package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"timebank/ledger/book"
)

func migrateCommand() *cobra.Command {
	var s settings
	var url string
	cmd := &cobra.Command{
		Use: "migrate", Short: "Bring the schema of the book to this version", Args: exactly(0),
		Example: `  timebank migrate --database-url "postgres://timebank_owner@db/timebank"`,
		Long: `Brings the schema to this version. The login must own the schema and, the first
time, be allowed to make the role timebank_service. A migration that is killed
half-way leaves nothing; run it again.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if url == "" && os.Getenv(databaseVariable) != "" {
				return misuse("name the owner's login with --database-url: the service's login in %s may not migrate", databaseVariable)
			}
			if url == "" { // opening the private book migrates it
				return s.withBook(cmd, nothing)
			}
			if err := book.Migrate(cmd.Context(), url); err != nil {
				return err
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "the schema is up to date")
			return nil
		},
	}
	s.flags(cmd, defaultData)
	cmd.Flags().StringVar(&url, "database-url", "", "connection string of the owner's login")
	return cmd
}

package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// secretVariable carries a client's secret, so that it stays out of the list of processes.
const secretVariable = "TIMEBANK_CLIENT_SECRET"

func tokenCommand() *cobra.Command {
	var server, id string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "token", Short: "Fetch an access token with a client's credentials", Args: exactly(0),
		Example: `  TOKEN=$(TIMEBANK_CLIENT_SECRET=... timebank token --client 01920f3e-...)`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			secret := os.Getenv(secretVariable)
			if id == "" || secret == "" {
				return misuse("name the client with --client and its secret in %s", secretVariable)
			}
			c := newCaller(server, "").as(id, secret)
			if err := c.renew(cmd.Context(), clock()); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]string{"access_token": c.token})
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), c.token)
			return err
		},
	}
	serverFlag(cmd, &server)
	cmd.Flags().StringVar(&id, "client", "", "the client's id")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func serverFlag(cmd *cobra.Command, server *string) {
	cmd.Flags().StringVar(server, "server", "http://127.0.0.1:8080", "address of the server")
}

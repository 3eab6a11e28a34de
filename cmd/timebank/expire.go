package main

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"timebank/ledger"
)

// sweep is what the server says one sweep ended.
type sweep struct {
	Volunteers int            `json:"volunteers"`
	Minutes    ledger.Minutes `json:"minutes"`
	More       bool           `json:"more"`
}

func expireCommand() *cobra.Command {
	var server, token string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "expire", Short: "End credit whose time is over by the rules in force, as the operator", Args: exactly(0),
		Long: `Ends the care credit of all volunteers whose time is over by the rules in force,
oldest first, an entry each. Rules without an expiry, such as the shipped ones, end
none, and the command says so. Run it once a day; stopped half-way or run twice, it
ends nothing twice.`,
		Example: "  timebank expire --token \"$TOKEN\"",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := tokenCaller(server, token)
			if err != nil {
				return err
			}
			var all sweep
			for more := true; more; {
				var s sweep
				if err := c.post(cmd.Context(), "/v1/expiries", uuid.NewString(), nil, &s); err != nil {
					return err
				}
				all.Volunteers, all.Minutes = all.Volunteers+s.Volunteers, all.Minutes+s.Minutes
				more = s.More && s.Volunteers > 0
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), all)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s of %d volunteers ended\n", all.Minutes, all.Volunteers)
			return err
		},
	}
	serverFlag(cmd, &server)
	tokenFlag(cmd, &token)
	jsonFlag(cmd, &asJSON)
	return cmd
}

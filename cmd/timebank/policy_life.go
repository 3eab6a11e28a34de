package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"timebank/ledger"
)

func tokenFlag(cmd *cobra.Command, token *string) {
	cmd.Flags().StringVar(token, "token", "", "access token (or "+tokenVariable+")")
}

// tokenCaller gives a caller that shows a token.
func tokenCaller(server, token string) (*caller, error) {
	if token == "" {
		token = os.Getenv(tokenVariable)
	}
	if token == "" {
		return nil, misuse("give a token with --token or in %s", tokenVariable)
	}
	return newCaller(server, token), nil
}

// marked puts a mark before each line of a text.
func marked(mark, text string) string {
	var all strings.Builder
	for line := range strings.Lines(text) {
		all.WriteString(mark + line)
	}
	return all.String()
}

func policyDraftCommand() *cobra.Command {
	var server, token string
	cmd := &cobra.Command{
		Use: "draft FILE", Short: "Propose a rule set, as a policy officer", Args: exactly(1),
		Example: "  timebank policy draft city.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := readRuleSet(args[0])
			if err != nil {
				return err
			}
			c, err := tokenCaller(server, token)
			if err != nil {
				return err
			}
			var receipt struct {
				Seq ledger.Seq `json:"seq"`
			}
			// The key is of the text: the same draft sent twice is one.
			key := "draft " + r.Hash().String()
			if err := c.post(cmd.Context(), "/v1/rules/drafts", key, map[string]string{"source": string(r.Source())}, &receipt); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\nentry %d: %s is drafted; another policy officer approves it\n", r.Hash(), receipt.Seq, r.ID())
			return err
		},
	}
	serverFlag(cmd, &server)
	tokenFlag(cmd, &token)
	return cmd
}

// policyActCommand approves or activates a draft.
func policyActCommand(act, short string) *cobra.Command {
	var server, token string
	cmd := &cobra.Command{
		Use: act + " HASH", Short: short, Args: exactly(1),
		Example: "  timebank policy " + act + " 73303830dc7647364d050eb829f806403f883b5328a9e93093dcb33ac359922d",
		RunE: func(cmd *cobra.Command, args []string) error {
			hash, err := ledger.ParseHash(args[0])
			if err != nil {
				return misuse("%w", err)
			}
			c, err := tokenCaller(server, token)
			if err != nil {
				return err
			}
			var receipt struct {
				Seq ledger.Seq `json:"seq"`
			}
			// A key of its own each time: a no is remembered under its key, and what was refused because it
			// was too early may be asked again. The act itself is done once, whatever the key.
			if err := c.post(cmd.Context(), "/v1/rules/drafts/"+hash.String()+"/"+act, uuid.NewString(), nil, &receipt); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "entry %d: done\n", receipt.Seq)
			return err
		},
	}
	serverFlag(cmd, &server)
	tokenFlag(cmd, &token)
	return cmd
}

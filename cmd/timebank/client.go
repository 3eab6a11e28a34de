package main

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"timebank/ledger"
	"timebank/ledger/book"
)

func clientCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "client", Short: "Make and list credentials",
		Example: "  timebank client create --role operator --label \"city hall\"\n  timebank client list --json"}
	cmd.AddCommand(clientCreateCommand(), clientListCommand())
	return cmd
}

// issuedClient is a client with its secret, as commands print it.
type issuedClient struct {
	ID     string      `json:"client_id"`
	Secret string      `json:"client_secret"`
	Role   ledger.Role `json:"role"`
}

func clientCreateCommand() *cobra.Command {
	var s settings
	var asJSON bool
	var role, subject, label string
	cmd := &cobra.Command{
		Use: "create", Short: "Make credentials, above all the first operator's", Args: exactly(0),
		Example: "  timebank client create --role operator --label \"city hall\"",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.withBook(cmd, func(ctx context.Context, i *instance) error {
				return i.during(ctx, func(ctx context.Context) error {
					c, err := i.issue(ctx, book.Client{Role: ledger.Role(role), Subject: subject, Label: label})
					if err != nil {
						return err
					}
					if asJSON {
						return printJSON(cmd.OutOrStdout(), c)
					}
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "client_id %s\nclient_secret %s\n", c.ID, c.Secret)
					return err
				})
			})
		},
	}
	s.flags(cmd, defaultData)
	jsonFlag(cmd, &asJSON)
	cmd.Flags().StringVar(&role, "role", "operator", "operator, policy_officer, organization, partner, volunteer or auditor")
	cmd.Flags().StringVar(&subject, "subject", "", "id of the organization, partner or volunteer it acts for")
	cmd.Flags().StringVar(&label, "label", "", "what it is for")
	return cmd
}

// issue makes credentials in the installation's own name.
func (i *instance) issue(ctx context.Context, c book.Client) (issuedClient, error) {
	key := uuid.NewString()
	r, err := i.IssueClient(ctx, book.System, book.Key{Text: key, Request: sha256.Sum256([]byte(key))}, c)
	if err != nil {
		return issuedClient{}, fmt.Errorf("making credentials: %w", err)
	}
	return issuedClient{r.ID, i.ClientSecret(r.ID), c.Role}, nil
}

func clientListCommand() *cobra.Command {
	var s settings
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List credentials, without secrets", Example: "  timebank client list", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.withBook(cmd, func(ctx context.Context, i *instance) error { return listClients(ctx, cmd, i, asJSON) })
		},
	}
	s.flags(cmd, defaultData)
	jsonFlag(cmd, &asJSON)
	return cmd
}

type listedClient struct {
	ID      string      `json:"client_id"`
	Role    ledger.Role `json:"role"`
	Subject string      `json:"subject_id,omitempty"`
	Label   string      `json:"label,omitempty"`
	Revoked bool        `json:"revoked"`
}

func listClients(ctx context.Context, cmd *cobra.Command, i *instance, asJSON bool) error {
	listed := []listedClient{}
	for after := ledger.Seq(-1); ; {
		page, err := i.Clients(ctx, book.System, book.ListFilter{AfterSeq: after, Limit: book.PageMax})
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		for _, c := range page {
			listed = append(listed, listedClient{c.ID, c.Role, c.Subject, c.Label, c.Revoked})
			after = c.Seq
		}
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), listed)
	}
	for _, c := range listed {
		state := ""
		if c.Revoked {
			state = " (revoked)"
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s %s %s %s%s\n", c.ID, c.Role, c.Subject, c.Label, state)
	}
	return nil
}

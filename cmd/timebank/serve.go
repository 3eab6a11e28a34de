package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"

	"github.com/spf13/cobra"

	"timebank/api"
)

func serveCommand() *cobra.Command {
	var s settings
	var listen, issuer string
	cmd := &cobra.Command{
		Use: "serve", Short: "Serve the API", Args: exactly(0),
		Example: `  timebank serve                                  # on a private PostgreSQL in ./data/serve
  TIMEBANK_DATABASE_URL=postgres://timebank_service@db/timebank timebank serve --listen :8080`,
		Long: `Serves the API. A book without rules gets the shipped rule set. The first operator's
credentials are made with "timebank client create --role operator".

When the database is smaller or another than what was signed, by the checkpoint kept in the
data folder or by a witness, nothing is signed or written on it, and the exit code is 4.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.withBook(cmd, func(ctx context.Context, i *instance) error {
				listener, err := net.Listen("tcp", listen)
				if err != nil {
					return fmt.Errorf("listening: %w", err)
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "serving http://%s\n", listener.Addr())
				return i.serve(ctx, listener, issuer)
			})
		},
	}
	s.flags(cmd, defaultData)
	s.rulesFlag(cmd)
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "address to serve on")
	cmd.Flags().StringVar(&s.witnesses, "witnesses", "", "file that names who cosigns checkpoints: lines \"witness VKEY URL\" and \"quorum N\"")
	cmd.Flags().StringVar(&issuer, "issuer", defaultIssuer, "issuer and audience of access tokens")
	return cmd
}

const (
	serverGCPercent = 1000
	serverMemoryMax = 208 << 20
)

const defaultIssuer = "https://timebank.example"

// serve serves the API on a listener until ctx ends or the database does.
func (i *instance) serve(ctx context.Context, listener net.Listener, issuer string) error {
	// A server makes much garbage and holds little. With 64 clients it collects 1.5 times a second this way and did 3.6
	// times at 400 %, each of which is felt by who waits then. The limit, which decides where more than 20 MiB are held, keeps
	// its memory bounded all the same. The program itself comes on top: with both it stays under 256 MiB.
	debug.SetGCPercent(serverGCPercent)
	debug.SetMemoryLimit(serverMemoryMax)
	ctx, cancel := i.watch(ctx)
	defer cancel(nil)
	err := i.during(ctx, func(ctx context.Context) error {
		if err := i.EnsureRules(ctx, i.firstRules); err != nil {
			return errors.Join(fmt.Errorf("activating the first rules: %w", err), listener.Close())
		}
		server, err := api.New(api.Config{Book: i.Book, Issuer: issuer, Audience: issuer, Key: i.tokenKey})
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		return server.Run(ctx, listener)
	})
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return errors.Join(cause, err) // PostgreSQL ended by itself
	}
	return err
}

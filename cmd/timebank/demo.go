package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"timebank/cmd/timebank/city"
)

func demoCommand() *cobra.Command {
	s := settings{fresh: true}
	var exit bool
	var listen string
	cmd := &cobra.Command{
		Use: "demo", Short: "Build a small city, tell its story, and keep serving", Args: exactly(0),
		Example: "  timebank demo\n  timebank demo --exit     # end after the story, with 0 only if all went as it should",
		Long: `Starts a private PostgreSQL, registers a city district over the API, imports a bundled
sheet of posted shifts with real-life dirt in it, and tells what became of it. Each run
begins anew: what an earlier demo left in --data is thrown away.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if os.Getenv(databaseVariable) != "" {
				return misuse("the demo throws its database away before it starts: unset %s", databaseVariable)
			}
			return s.withBook(cmd, func(ctx context.Context, i *instance) error {
				return i.demo(ctx, cmd.OutOrStdout(), listen, exit)
			})
		},
	}
	s.flags(cmd, "data/demo")
	cmd.Flags().BoolVar(&exit, "exit", false, "end after the story")
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "address to serve on; another free port when it is taken")
	cmd.AddCommand(demoGenerateCommand())
	return cmd
}

// demo serves, tells the story through the API, and goes on serving unless it is to exit.
func (i *instance) demo(ctx context.Context, out io.Writer, listen string, exit bool) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return fmt.Errorf("listening: %w", err)
		}
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- i.serve(serving, listener, defaultIssuer) }()
	t := &tale{instance: i, out: out, base: "http://" + listener.Addr().String(), ends: exit}
	told := make(chan error, 1)
	go func() { told <- t.tell(serving) }()
	select {
	case err := <-served: // the server ended under the story
		stop()
		return errors.Join(err, <-told)
	case err := <-told:
		if err != nil || exit {
			stop()
			return errors.Join(err, <-served)
		}
	}
	fmt.Fprintf(out, "\nServing %s until you press Ctrl-C.\n", t.base)
	return <-served
}

func demoGenerateCommand() *cobra.Command {
	var seed uint64
	cmd := &cobra.Command{
		Use: "generate FOLDER", Short: "Write the demo's sheet, its profile and its answer key", Args: exactly(1),
		Example: "  timebank demo generate out --seed 7",
		Long:    "The same seed gives the same bytes. Seed " + fmt.Sprint(city.Seed) + " is what the demo imports.",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, sheet := city.Generate(seed)
			answers, err := sheet.AnswerJSON()
			if err != nil {
				return err
			}
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			for name, content := range map[string][]byte{"shifts.csv": sheet.CSV(), "profile.yaml": c.Profile(), "answers.json": answers} {
				if err := os.WriteFile(filepath.Join(args[0], name), content, 0o644); err != nil {
					return err
				}
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%d rows in %s\n", len(sheet.Rows), filepath.Join(args[0], "shifts.csv"))
			return nil
		},
	}
	cmd.Flags().Uint64Var(&seed, "seed", city.Seed, "what the district is made from")
	return cmd
}

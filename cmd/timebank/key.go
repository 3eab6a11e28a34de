package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"timebank/ledger/book"
)

func keyCommand() *cobra.Command {
	var s settings
	show := func(cmd *cobra.Command) error {
		if err := os.MkdirAll(s.data, 0o700); err != nil {
			return fmt.Errorf("making the data folder: %w", err)
		}
		keys, err := book.LoadKeys(filepath.Join(s.data, keysFolder), s.origin)
		if err != nil {
			return err
		}
		for _, verifier := range keys.Log.Verifiers {
			fmt.Fprintln(cmd.OutOrStdout(), verifier)
		}
		return nil
	}
	// change makes a change that keys themselves may refuse, and shows what is left.
	change := func(do func(dir, origin string) error) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, _ []string) error {
			err := do(filepath.Join(s.data, keysFolder), s.origin)
			if errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("there are no keys in %s yet: %w", s.data, err)
			}
			if err != nil {
				return err
			}
			return show(cmd)
		}
	}
	cmd := &cobra.Command{
		Use: "key", Short: "Make, show and change the key of the log", Args: exactly(0),
		Example: "  timebank key --data data/serve > key           # what auditors check with\n  timebank key rotate --data data/serve",
		Long: `Shows the public keys of the log, a line each: the present one first, then the one before, then
those that sign no more. Makes the keys of the data folder when there are none. A key file that
others may read is refused.

To change the key: "timebank key rotate", start the server again, publish the new public key;
from then on both sign. When everybody has it, "timebank key retire", and start again. Checkpoints
that a retired key signed stay valid.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return show(cmd) },
	}
	rotate := &cobra.Command{Use: "rotate", Short: "Make a new key; the former one signs beside it", Args: exactly(0), RunE: change(book.RotateLogKey)}
	retire := &cobra.Command{Use: "retire", Short: "Let the former key sign no more", Args: exactly(0), RunE: change(book.RetireLogKey)}
	for _, c := range []*cobra.Command{cmd, rotate, retire} {
		c.Flags().StringVar(&s.data, "data", defaultData, "folder of the keys")
		c.Flags().StringVar(&s.origin, "origin", defaultOrigin, "name of the log, and of its keys")
	}
	cmd.AddCommand(rotate, retire)
	return cmd
}

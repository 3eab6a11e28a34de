// Command timebank-audit checks a time bank's log from outside: it needs its address, its public key and, for
// the leaves, an auditor's token. It is linked with no code of the server or of its database.
//
// Exit codes: 0 checked and right, 1 could not be checked, 2 misused, 3 wrong.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"timebank/ledger/translog"
)

const (
	exitRight   = 0
	exitFailed  = 1
	exitMisuse  = 2
	exitWrong   = 3
	tokenNeeded = "TIMEBANK_TOKEN"
)

var errMisuse = errors.New("misused")

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	code := exitCode(err)
	switch code {
	case exitRight:
	case exitWrong:
		fmt.Fprintln(errs, "WRONG:", err)
	default:
		fmt.Fprintln(errs, "timebank-audit:", err)
	}
	return code
}

// exitCode tells what an error proves. What could not be read proves nothing; anything else that a check
// complains of is wrong.
func exitCode(err error) int {
	switch {
	case err == nil:
		return exitRight
	case errors.Is(err, errMisuse):
		return exitMisuse
	case errors.Is(err, errUnreachable), errors.Is(err, context.Canceled):
		return exitFailed
	default:
		return exitWrong
	}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use: "timebank-audit", Short: "Check a time bank's log from outside", SilenceUsage: true, SilenceErrors: true,
		Example: "  timebank-audit log https://timebank.example/v1 --key key --seen seen\n  timebank-audit balances https://timebank.example/v1 --key key\n" +
			"  timebank-audit diff https://timebank.example/v1 1000 2000 --key key\n  timebank-audit proof entry.proof --leaf entry.leaf --key key",
	}
	root.Args = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("%w: there is no command %q", errMisuse, args[0])
		}
		return nil
	}
	root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errMisuse, err) })
	root.AddCommand(logCommand(), balancesCommand(), replayCommand(), diffCommand(), proofCommand())
	return root
}

func one(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%w: it takes one argument, not %d", errMisuse, len(args))
	}
	return nil
}

// settings are the flags of a check over the network.
type settings struct {
	key, token, seen string
	witnesses        []string
	quorum           int
	asJSON           bool
}

func (s *settings) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.key, "key", "", "file with the log's public key, as a signed note's verifier; get it from somewhere else than the server")
	cmd.Flags().StringVar(&s.token, "token", "", "an auditor's access token (or "+tokenNeeded+")")
	cmd.Flags().StringVar(&s.seen, "seen", "", "file that keeps the last checkpoint seen: the log must continue it")
	cmd.Flags().StringArrayVar(&s.witnesses, "witness", nil, "public key of a witness that cosigns this log; may be given often")
	cmd.Flags().IntVar(&s.quorum, "quorum", 0, "how many of the witnesses must have cosigned the checkpoint; without it all")
	cmd.Flags().BoolVar(&s.asJSON, "json", false, "print JSON to parse")
}

// keys are the public keys of a log: while its key is being changed there are two, and any of them will do.
type keys struct {
	note.Verifiers
	name string
}

// readNamed reads a file that a flag names and that cannot be done without.
func readNamed(flag, file, of string) ([]byte, error) {
	if file == "" {
		return nil, fmt.Errorf("%w: name the file of %s with --%s", errMisuse, of, flag)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: --%s: %w", errMisuse, flag, err)
	}
	return text, nil
}

func readKeys(file string) (k keys, err error) {
	text, err := readNamed("key", file, "the log's public key")
	if err != nil {
		return k, err
	}
	var all []note.Verifier
	for _, line := range strings.Fields(string(text)) {
		v, err := note.NewVerifier(line)
		if err != nil {
			return k, fmt.Errorf("%w: --key: %w", errMisuse, err)
		}
		if len(all) > 0 && v.Name() != k.name {
			return k, fmt.Errorf("%w: --key: keys of two logs, %s and %s", errMisuse, k.name, v.Name())
		}
		k.name, all = v.Name(), append(all, v)
	}
	if len(all) == 0 {
		return k, fmt.Errorf("%w: --key: %s holds no key", errMisuse, file)
	}
	k.Verifiers = note.VerifierList(all...)
	return k, nil
}

// open reads the checkpoint, and proves what it must be.
func (s *settings) open(cmd *cobra.Command, address string) (*opened, error) {
	key, err := readKeys(s.key)
	if err != nil {
		return nil, err
	}
	witnesses, err := s.readWitnesses()
	if err != nil {
		return nil, err
	}
	if s.token == "" {
		s.token = os.Getenv(tokenNeeded)
	}
	o := &opened{from: newSource(cmd.Context(), address, s.token)}
	o.audited, o.hashes, err = o.from.openLog(key)
	if err == nil {
		err = witnesses.check(o.signed)
	}
	if err == nil && s.seen != "" {
		err = o.continues(s.seen, key, o.hashes)
	}
	return o, o.from.why(err)
}

// opened is a log whose checkpoint was read.
type opened struct {
	audited
	from   *source
	hashes tlog.HashReader
}

// prove shows leaves from one on, each proven to be in the log.
func (o *opened) prove(cmd *cobra.Command, from int64, show func(translog.LeafFields) error) error {
	return o.from.why(o.walk(o.from, o.hashes, from, show, func(done, of int64) {
		fmt.Fprintf(cmd.ErrOrStderr(), "\rchecking: %d of %d", done, of)
		if done == of {
			fmt.Fprintln(cmd.ErrOrStderr())
		}
	}))
}

// keep keeps the checkpoint for the next time.
func (s *settings) keep(o *opened) error {
	if s.seen == "" {
		return nil
	}
	if err := os.WriteFile(s.seen, o.signed, 0o600); err != nil {
		return fmt.Errorf("%w: keeping the checkpoint: %w", errUnreachable, err)
	}
	return nil
}

// check reads and proves the whole log, and shows each leaf; begin, which may be nil, is told before where it
// reads and how much.
func (s *settings) check(cmd *cobra.Command, address string, begin func(from *source, size int64), show func(translog.LeafFields) error) (*source, audited, error) {
	o, err := s.open(cmd, address)
	if err != nil {
		return nil, audited{}, err
	}
	if begin != nil {
		begin(o.from, o.Size)
	}
	if err = o.prove(cmd, 0, show); err == nil {
		err = s.keep(o)
	}
	return o.from, o.audited, err
}

func (s *settings) print(cmd *cobra.Command, value any, format string, args ...any) error {
	if s.asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(value)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), format+"\n", args...)
	return err
}

func balancesCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use: "balances URL", Short: "Derive every balance from the leaves alone, and compare with what the API answers", Args: one,
		RunE: func(cmd *cobra.Command, args []string) error {
			b := books{}
			from, a, err := s.check(cmd, args[0], nil, b.add)
			if err != nil {
				return err
			}
			accounts, err := b.compare(from, a.Size)
			if err != nil {
				return err
			}
			return s.print(cmd, struct {
				audited
				Accounts int64 `json:"accounts"`
			}{a, accounts}, "%s: %d accounts have what %d leaves come to", a.Origin, accounts, a.Leaves)
		},
	}
	s.flags(cmd)
	return cmd
}

func proofCommand() *cobra.Command {
	var s settings
	var leaf string
	cmd := &cobra.Command{
		Use: "proof FILE", Short: "Check offline that a leaf is in a signed log", Args: one,
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := readKeys(s.key)
			if err != nil {
				return err
			}
			text, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("%w: %w", errMisuse, err)
			}
			of, err := readNamed("leaf", leaf, "the leaf's text")
			if err != nil {
				return err
			}
			p, err := translog.ParseProof(text)
			if err != nil {
				return err
			}
			c, err := p.Check(of, key.name, key)
			if err != nil {
				return err
			}
			return s.print(cmd, struct {
				Index int64 `json:"index"`
				Size  int64 `json:"size"`
			}{p.Seq, c.Size}, "%s: leaf %d is in the signed log of %d", c.Origin, p.Seq, c.Size)
		},
	}
	cmd.Flags().StringVar(&s.key, "key", "", "file with the log's public key, as a signed note's verifier")
	cmd.Flags().StringVar(&leaf, "leaf", "", "file with the leaf's text")
	cmd.Flags().BoolVar(&s.asJSON, "json", false, "print JSON to parse")
	return cmd
}

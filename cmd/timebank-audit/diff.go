package main

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/tlog"

	"timebank/ledger"
	"timebank/ledger/translog"
)

// difference is what happened between two sizes of a log.
type difference struct {
	Origin   string                `json:"origin"`
	From     int64                 `json:"from"`
	To       int64                 `json:"to"`
	FromRoot string                `json:"from_root"`
	ToRoot   string                `json:"to_root"`
	Kinds    map[ledger.Kind]int64 `json:"kinds"`
	Accounts []accountChange       `json:"accounts"`
	Refers   []reference           `json:"refers"`
}

type accountChange struct {
	Account string         `json:"account"`
	Unit    ledger.Unit    `json:"unit"`
	Minutes ledger.Minutes `json:"minutes"`
}

// reference is an entry that corrects or settles one that was there before.
type reference struct {
	Seq    ledger.Seq  `json:"seq"`
	Kind   ledger.Kind `json:"kind"`
	Refers ledger.Seq  `json:"refers"`
}

func diffCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use: "diff URL SIZE1 SIZE2", Short: "Tell what happened between two sizes of the log, from the leaves alone",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 3 {
				return fmt.Errorf("%w: it takes three arguments, not %d", errMisuse, len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			from, to, err := sizes(args[1], args[2])
			if err != nil {
				return err
			}
			o, err := s.open(cmd, args[0])
			if err != nil {
				return err
			}
			if to > o.Size {
				return fmt.Errorf("%w: the log has %d entries", errMisuse, o.Size)
			}
			d, err := o.difference(cmd, from, to)
			if err != nil {
				return err
			}
			if s.asJSON {
				return s.print(cmd, d, "")
			}
			return d.tell(cmd)
		},
	}
	s.flags(cmd)
	return cmd
}

func sizes(first, second string) (from, to int64, err error) {
	from, err = strconv.ParseInt(first, 10, 64)
	if err == nil {
		to, err = strconv.ParseInt(second, 10, 64)
	}
	if err != nil || from < 0 || from > to {
		return 0, 0, fmt.Errorf("%w: %q and %q are not two sizes of a log, the smaller first", errMisuse, first, second)
	}
	return from, to, nil
}

// difference reads the leaves between two sizes, each proven to be in the signed log.
func (o *opened) difference(cmd *cobra.Command, from, to int64) (difference, error) {
	d := difference{Origin: o.Origin, From: from, To: to, Kinds: map[ledger.Kind]int64{}, Accounts: []accountChange{}, Refers: []reference{}}
	for size, root := range map[int64]*string{from: &d.FromRoot, to: &d.ToRoot} {
		h, err := tlog.TreeHash(size, o.hashes)
		if err != nil {
			return d, o.from.why(err)
		}
		*root = hex.EncodeToString(h[:])
	}
	if from == to {
		d.FromRoot = d.ToRoot
		return d, nil
	}
	moved := books{}
	o.Size = to // what comes after is not asked for; it stays proven by the larger tree
	err := o.prove(cmd, from, func(f translog.LeafFields) error {
		d.Kinds[f.Kind]++
		if f.Refers != nil && int64(*f.Refers) < from {
			d.Refers = append(d.Refers, reference{f.Seq, f.Kind, *f.Refers})
		}
		return moved.add(f)
	})
	for _, id := range slices.Sorted(maps.Keys(moved)) {
		for _, unit := range slices.Sorted(maps.Keys(moved[id])) {
			if m := moved[id][unit]; m != 0 {
				d.Accounts = append(d.Accounts, accountChange{id.String(), unit, m})
			}
		}
	}
	return d, err
}

func (d difference) tell(cmd *cobra.Command) error {
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s: from %d entries (%s)\nto %d (%s)\n", d.Origin, d.From, d.FromRoot, d.To, d.ToRoot)
	kinds := slices.SortedFunc(maps.Keys(d.Kinds), func(a, b ledger.Kind) int { return cmp.Or(-cmp.Compare(d.Kinds[a], d.Kinds[b]), cmp.Compare(a, b)) })
	for _, k := range kinds {
		fmt.Fprintf(out, "  %6d %s\n", d.Kinds[k], k)
	}
	for _, r := range d.Refers {
		fmt.Fprintf(out, "  %s %d is about entry %d of before\n", r.Kind, r.Seq, r.Refers)
	}
	for _, a := range d.Accounts {
		fmt.Fprintf(out, "  account %s: %+d minutes of %s\n", a.Account, int64(a.Minutes), a.Unit)
	}
	return nil
}

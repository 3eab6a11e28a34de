package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

// benchSettings say how long and how hard.
type benchSettings struct {
	pgbenchClients, volunteers, rounds, seconds int
	sizes                                       []int
	only                                        []string
	asJSON                                      bool
	postgresql                                  map[string]string
	profile, rules                              string
}

func benchCommand() *cobra.Command {
	var s benchSettings
	cmd := &cobra.Command{
		Use: "bench", Short: "Measure writing, reading and checking against pgbench on the same PostgreSQL", Args: exactly(0),
		Example: `  timebank bench
  timebank bench --sizes 0,100000,1000000 --json
  timebank bench --only claims-64,claims-256 --rounds 5 --cpuprofile server.pprof`,
		Long: `Starts a private PostgreSQL with fsync on and measures in one run, in turn and repeated,
so that a drifting machine cancels out: pgbench's TPC-B-like transactions (prepared, 32
clients), which is the yardstick; claims over HTTP one by one, in batches and as files
(token checked, contract checked, rules evaluated, leaf hashed, committed before the
answer); holds with their confirmation; reads, while claims are posted and while not; then
verify, timebank-audit (when it is built beside this command), what a posting takes on disk,
the server's memory and the time to start. The load generator is a process of its own on the
same machine. With --sizes all is repeated on a book filled to each number of entries. Only
ratios carry over to other machines.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.run(cmd) },
	}
	cmd.Flags().IntVar(&s.pgbenchClients, "pgbench-clients", 32, "clients of pgbench")
	cmd.Flags().IntVar(&s.volunteers, "volunteers", 10_000, "volunteers that the claims are for")
	cmd.Flags().IntVar(&s.rounds, "rounds", 3, "how often each is measured")
	cmd.Flags().IntVar(&s.seconds, "seconds", 5, "how long each measurement is")
	cmd.Flags().IntSliceVar(&s.sizes, "sizes", []int{0}, "numbers of entries to fill the book to, in ascending order; 0 is a book of registrations only")
	cmd.Flags().StringSliceVar(&s.only, "only", nil, "measure these lines only, by their names in --json")
	cmd.Flags().StringVar(&s.profile, "cpuprofile", "", "write where the server's time goes to this file, for go tool pprof")
	cmd.Flags().StringVar(&s.rules, "rules", "", "measure with the rule set of this file, instead of the shipped one")
	cmd.Flags().StringToStringVar(&s.postgresql, "postgresql", nil, "settings of PostgreSQL that are not its defaults, such as shared_buffers=2GB")
	jsonFlag(cmd, &s.asJSON)
	cmd.AddCommand(benchLoadCommand())
	return cmd
}

const benchSizeMax = 5_000_000

func (s benchSettings) check() error {
	if s.rounds < 1 || s.rounds > 100 || s.seconds < 1 || s.seconds > 600 || s.volunteers < 300 || s.volunteers > 100_000 || s.pgbenchClients < 1 || s.pgbenchClients > 64 {
		return misuse("pgbench-clients are 1 to 64, rounds 1 to 100, seconds 1 to 600, volunteers 300 to 100000")
	}
	if len(s.sizes) == 0 || !slices.IsSorted(s.sizes) || s.sizes[0] < 0 || s.sizes[len(s.sizes)-1] > benchSizeMax {
		return misuse("sizes are 0 to %d, in ascending order", benchSizeMax)
	}
	for _, name := range s.only {
		if !slices.ContainsFunc(benchLines, func(l benchLine) bool { return l.Name == name }) {
			return misuse("--only: no line is named %q", name)
		}
	}
	return nil
}

// benchReport is what one run measured.
type benchReport struct {
	Machine    string      `json:"machine"`
	PostgreSQL string      `json:"postgresql"`
	Rounds     int         `json:"rounds"`
	Seconds    int         `json:"seconds"`
	Volunteers int         `json:"volunteers"`
	Books      []benchBook `json:"books"`
}

// benchBook is what was measured on a book of one size.
type benchBook struct {
	Size        int         `json:"size"`    // asked for
	Entries     int64       `json:"entries"` // when measuring began
	PgbenchTPS  []int64     `json:"pgbench_tps"`
	PgbenchMean int64       `json:"pgbench_mean_us"` // latency of one transaction, from the median rate
	Lines       []benchRow  `json:"lines"`
	Checks      benchChecks `json:"checks"`
}

func (s benchSettings) run(cmd *cobra.Command) (err error) {
	ctx, talk := cmd.Context(), cmd.ErrOrStderr()
	if err := s.check(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "timebank-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	bank := &benchBank{settings: settings{data: dir, zone: "Asia/Shanghai", origin: "timebank.example/bench", firstRules: s.rules, postgresql: s.postgresql},
		plan: filepath.Join(dir, "plan.json"), talk: talk, next: map[loadFamily]int{}}
	if err := bank.start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bank.stop(ctx)) }()
	stopProfile, err := startProfile(s.profile)
	if err != nil {
		return err
	}
	report, err := s.measure(ctx, bank, talk)
	err = errors.Join(err, stopProfile())
	if err != nil && len(report.Books) == 0 {
		return err
	}
	// What was measured to the end is told, also when a later book failed.
	if s.asJSON {
		return errors.Join(err, printJSON(cmd.OutOrStdout(), report))
	}
	return errors.Join(err, report.print(cmd.OutOrStdout()))
}

func (s benchSettings) measure(ctx context.Context, bank *benchBank, talk io.Writer) (benchReport, error) {
	r := benchReport{Machine: fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		Rounds: s.rounds, Seconds: s.seconds, Volunteers: s.volunteers}
	var err error
	if r.PostgreSQL, err = pgSettings(ctx, bank.pg, slices.Collect(maps.Keys(s.postgresql))); err != nil {
		return r, err
	}
	if err := pgbenchFill(ctx, bank.pg); err != nil {
		return r, err
	}
	if err := bank.register(ctx, s.volunteers); err != nil {
		return r, err
	}
	for _, size := range s.sizes {
		if err := bank.fill(ctx, int64(size)); err != nil {
			return r, err
		}
		b, err := s.measureBook(ctx, bank, size, talk)
		if err != nil {
			return r, err
		}
		r.Books = append(r.Books, b)
	}
	return r, nil
}

func (s benchSettings) measureBook(ctx context.Context, bank *benchBank, size int, talk io.Writer) (b benchBook, err error) {
	b.Size = size
	if err := settleDown(ctx, bank.pg); err != nil {
		return b, err
	}
	forgetMost() // verifying the book before took memory in this process that a server does not take
	if b.Entries, err = bank.LogSize(ctx); err != nil {
		return b, err
	}
	for _, l := range benchLines {
		if len(s.only) == 0 || slices.Contains(s.only, l.Name) {
			b.Lines = append(b.Lines, benchRow{benchLine: l})
		}
	}
	for round := range s.rounds {
		tps, err := pgbenchRun(ctx, bank.pg, s.pgbenchClients, s.seconds)
		if err != nil {
			return b, err
		}
		b.PgbenchTPS = append(b.PgbenchTPS, tps)
		fmt.Fprintf(talk, "%d entries, round %d of %d: pgbench %d a second", b.Entries, round+1, s.rounds, tps)
		for i := range b.Lines {
			row := &b.Lines[i]
			a, err := row.measure(ctx, bank, time.Duration(s.seconds)*time.Second)
			if err != nil {
				return b, fmt.Errorf("measuring %s: %w", row.Name, err)
			}
			row.Runs = append(row.Runs, a)
			fmt.Fprintf(talk, ", %s %d", row.Name, a.PerSecond)
		}
		fmt.Fprintln(talk)
	}
	b.PgbenchMean = int64(s.pgbenchClients) * 1_000_000 / max(1, median(b.PgbenchTPS))
	for i := range b.Lines {
		b.Lines[i].conclude(median(b.PgbenchTPS))
	}
	if len(s.only) == 0 {
		b.Checks, err = bank.check(ctx)
	}
	return b, err
}

func median(values []int64) int64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// startProfile writes a CPU profile until the function it gives is called.
func startProfile(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error { pprof.StopCPUProfile(); return f.Close() }, nil
}

// since is how long ago an instant was, by the command line's clock.
func since(begun time.Time) time.Duration { return clock().Sub(begun) }

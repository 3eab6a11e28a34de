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
same machine. With --sizes there is a book filled to each number of entries, with a PostgreSQL
of its own, and each line is measured on one right after the other. Each ratio is the median of
the rounds'; "p99 × mean" is a line's p99 over the mean time of pgbench's transactions in the
same round. Only ratios carry over to other machines.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.run(cmd) },
	}
	cmd.Flags().IntVar(&s.pgbenchClients, "pgbench-clients", 32, "clients of pgbench")
	cmd.Flags().IntVar(&s.volunteers, "volunteers", 10_000, "volunteers that the claims are for")
	cmd.Flags().IntVar(&s.rounds, "rounds", 3, "how often each is measured")
	cmd.Flags().IntVar(&s.seconds, "seconds", 5, "how long each measurement is")
	cmd.Flags().IntSliceVar(&s.sizes, "sizes", []int{0}, "numbers of entries to fill the book to, in ascending order; 0, and less than they take, is a book of registrations only")
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
	if n := len(s.sizes); n == 0 || !slices.IsSorted(s.sizes) || len(slices.Compact(slices.Clone(s.sizes))) < n || s.sizes[0] < 0 || s.sizes[n-1] > benchSizeMax {
		return misuse("sizes are 0 to %d, each once, in ascending order", benchSizeMax)
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
	MemoryKiB  int64       `json:"server_memory_kib,omitzero"` // the most that the process which serves all books had resident; 0: not told by this system
}

// benchBook is what was measured on a book of one size.
type benchBook struct {
	Size        int         `json:"size"`            // asked for
	Entries     int64       `json:"entries"`         // when measuring began
	Pgbench     benchRow    `json:"pgbench"`         // the yardstick
	PgbenchMean int64       `json:"pgbench_mean_us"` // latency of one transaction, from the median rate
	Lines       []benchRow  `json:"lines"`
	Checks      benchChecks `json:"checks"`

	bank *benchBank
}

func (s benchSettings) run(cmd *cobra.Command) (err error) {
	ctx := cmd.Context()
	if err := s.check(); err != nil {
		return err
	}
	if os.Getenv(databaseVariable) != "" {
		return misuse("the benchmark starts its own PostgreSQL: unset %s", databaseVariable)
	}
	stopProfile, err := startProfile(s.profile)
	if err != nil {
		return err
	}
	report, err := s.measure(ctx, cmd.ErrOrStderr())
	err = errors.Join(err, stopProfile())
	if err != nil && len(report.Books) == 0 {
		return err
	}
	// What was measured is told, also when a later line failed.
	if s.asJSON {
		return errors.Join(err, printJSON(cmd.OutOrStdout(), report))
	}
	return errors.Join(err, report.print(cmd.OutOrStdout()))
}

// measure fills the books, and measures each line on each of them in turn, round after round, and then, when all rounds are over, what is in benchChecks.
func (s benchSettings) measure(ctx context.Context, talk io.Writer) (r benchReport, err error) {
	r = benchReport{Machine: fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		Rounds: s.rounds, Seconds: s.seconds, Volunteers: s.volunteers}
	books := make([]*benchBook, len(s.sizes))
	for i, size := range s.sizes {
		var b *benchBook
		if b, err = s.newBook(ctx, size, talk); err != nil {
			return r, err
		}
		defer func() { err = errors.Join(err, b.bank.stop(ctx), os.RemoveAll(b.bank.data)) }()
		if err := s.fill(ctx, b); err != nil {
			return r, err
		}
		if books[i] = b; i > 0 && b.Entries == books[i-1].Entries {
			return r, misuse("--sizes: a book of %d is the one before again: registering %d volunteers takes %d entries", size, s.volunteers, b.Entries)
		}
	}
	if r.PostgreSQL, err = pgSettings(ctx, books[0].bank.pg, slices.Collect(maps.Keys(s.postgresql))); err != nil {
		return r, err
	}
	forgetMost() // filling books took memory in this process that a server does not take
	defer func() { r.conclude(books) }()
	for round := range s.rounds {
		if err := s.measureRound(ctx, round, books, talk); err != nil {
			return r, err
		}
	}
	if len(s.only) > 0 {
		return r, nil
	}
	r.MemoryKiB = residentMost() // before anything is verified, which no server does
	for _, b := range books {
		checks, err := b.bank.check(ctx, s.rounds)
		if err != nil {
			return r, err
		}
		b.Checks = checks
	}
	return r, nil
}

// newBook starts a server with a PostgreSQL of its own, so that what it has in memory stays there while another is measured.
func (s benchSettings) newBook(ctx context.Context, size int, talk io.Writer) (*benchBook, error) {
	data, err := os.MkdirTemp("", "timebank-bench-") // not below another: PostgreSQL's user could not reach it
	if err != nil {
		return nil, err
	}
	bank := &benchBank{settings: settings{data: data, zone: "Asia/Shanghai", origin: "timebank.example/bench", firstRules: s.rules, postgresql: s.postgresql},
		plan: filepath.Join(data, "plan.json"), talk: talk, next: map[loadFamily]int{}}
	if err := bank.start(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(data))
	}
	return &benchBook{Size: size, bank: bank,
		Pgbench: benchRow{benchLine: benchLine{Name: "pgbench", Title: "pgbench TPC-B-like, prepared", Clients: s.pgbenchClients}}}, nil
}

// fill makes a book of its size, with the lines that are to be measured on it, and lets PostgreSQL settle down.
func (s benchSettings) fill(ctx context.Context, b *benchBook) (err error) {
	for _, l := range benchLines {
		if len(s.only) == 0 || slices.Contains(s.only, l.Name) {
			b.Lines = append(b.Lines, benchRow{benchLine: l})
		}
	}
	if err := pgbenchFill(ctx, b.bank.pg); err != nil {
		return err
	}
	if err := b.bank.register(ctx, s.volunteers); err != nil {
		return err
	}
	if err := b.bank.fill(ctx, int64(b.Size)); err != nil {
		return err
	}
	if b.Entries, err = b.bank.LogSize(ctx); err != nil {
		return err
	}
	return settleDown(ctx, b.bank.pg)
}

// measureRound measures the yardstick and then each line once, on one book right after the other: what the machine does meanwhile
// it does to both.
func (s benchSettings) measureRound(ctx context.Context, round int, books []*benchBook, talk io.Writer) error {
	for n := range 1 + len(books[0].Lines) {
		for i := range books {
			b := books[i]
			if (round+n)%2 == 1 { // and who is first changes
				b = books[len(books)-1-i]
			}
			row := &b.Pgbench
			if n > 0 {
				row = &b.Lines[n-1]
			}
			a, err := s.measureRow(ctx, b, row)
			if err != nil {
				return fmt.Errorf("measuring %s: %w", row.Name, err)
			}
			row.Runs = append(row.Runs, a)
			fmt.Fprintf(talk, "round %d of %d, %d entries: %s %d a second\n", round+1, s.rounds, b.Entries, row.Name, a.PerSecond)
		}
	}
	return nil
}

func (s benchSettings) measureRow(ctx context.Context, b *benchBook, row *benchRow) (loadAnswer, error) {
	if row == &b.Pgbench {
		return pgbenchRun(ctx, b.bank.pg, b.bank.data, s.pgbenchClients, s.seconds)
	}
	return row.measure(ctx, b.bank, time.Duration(s.seconds)*time.Second)
}

// conclude tells what was measured on every book as often, when something failed and all was not.
func (r *benchReport) conclude(books []*benchBook) {
	r.Rounds = commonRuns(books, func(b *benchBook) *benchRow { return &b.Pgbench })
	for i := len(books[0].Lines) - 1; i >= 0; i-- {
		if commonRuns(books, func(b *benchBook) *benchRow { return &b.Lines[i] }) == 0 {
			for _, b := range books {
				b.Lines = slices.Delete(b.Lines, i, i+1)
			}
		}
	}
	if len(books[0].Lines) == 0 {
		return
	}
	for _, b := range books {
		b.Pgbench.conclude(b.Pgbench)
		b.PgbenchMean = meanMicros(b.Pgbench.Clients, b.Pgbench.Median.PerSecond)
		for i := range b.Lines {
			b.Lines[i].conclude(b.Pgbench)
		}
		r.Books = append(r.Books, *b)
	}
}

// commonRuns drops of a row the runs that not every book has, and gives how many there are.
func commonRuns(books []*benchBook, row func(b *benchBook) *benchRow) int {
	n := len(row(books[0]).Runs)
	for _, b := range books {
		n = min(n, len(row(b).Runs))
	}
	for _, b := range books {
		row(b).Runs = row(b).Runs[:n]
	}
	return n
}

// median gives the middle one, or what is between the two in the middle.
func median(values []int64) int64 {
	sorted, n := slices.Sorted(slices.Values(values)), len(values)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
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

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/localpg"
)

// benchSettings say how long and how hard.
type benchSettings struct {
	clients, pgbenchClients, volunteers, rounds int
	seconds                                     int
	asJSON                                      bool
	profile, rules                              string
}

func benchCommand() *cobra.Command {
	var s benchSettings
	cmd := &cobra.Command{
		Use: "bench", Short: "Measure posting over HTTP against pgbench on the same PostgreSQL", Args: exactly(0),
		Example: "  timebank bench\n  timebank bench --clients 256 --seconds 20 --json",
		Long: `Starts a private PostgreSQL with fsync on and measures, in turn and repeated, pgbench's
TPC-B-like transactions (prepared, 32 clients) and single claims over HTTP: token checked
(EdDSA), contract checked, rules evaluated, leaf hashed, committed before the answer. The
load generator is a process of its own on the same machine. Only the ratio carries over
to other machines.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.run(cmd) },
	}
	cmd.Flags().IntVar(&s.clients, "clients", 64, "HTTP clients, each posting one claim a request")
	cmd.Flags().IntVar(&s.pgbenchClients, "pgbench-clients", 32, "clients of pgbench")
	cmd.Flags().IntVar(&s.volunteers, "volunteers", 1000, "volunteers that the claims are for")
	cmd.Flags().IntVar(&s.rounds, "rounds", 3, "how often each is measured")
	cmd.Flags().IntVar(&s.seconds, "seconds", 10, "how long each measurement is")
	cmd.Flags().StringVar(&s.profile, "cpuprofile", "", "write where the server's time goes to this file, for go tool pprof")
	cmd.Flags().StringVar(&s.rules, "rules", "", "measure with the rule set of this file, instead of the shipped one")
	jsonFlag(cmd, &s.asJSON)
	cmd.AddCommand(benchLoadCommand())
	return cmd
}

// benchFigures are what one run measured.
type benchFigures struct {
	Machine   string       `json:"machine"`
	Settings  string       `json:"settings"`
	PgbenchTx []int64      `json:"pgbench_tps"`
	Posts     []loadAnswer `json:"http"`
	Percent   int64        `json:"http_percent_of_pgbench"` // of the medians
	Entries   int64        `json:"entries"`
}

func (s benchSettings) run(cmd *cobra.Command) (err error) {
	ctx, talk := cmd.Context(), cmd.ErrOrStderr()
	if s.clients < 1 || s.clients > 1024 || s.rounds < 1 || s.rounds > 100 || s.seconds < 1 || s.seconds > 600 || s.volunteers < 1 || s.volunteers > 100_000 {
		return misuse("clients are 1 to 1024, rounds 1 to 100, seconds 1 to 600, volunteers 1 to 100000")
	}
	dir, err := os.MkdirTemp("", "timebank-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	i, err := (&settings{data: dir, zone: "Asia/Shanghai", origin: "timebank.example/bench", firstRules: s.rules}).open(ctx, talk)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.close(ctx)) }()
	if err := pgbenchFill(ctx, i.pg); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- i.serve(serving, listener, defaultIssuer) }()
	stopProfile, err := startProfile(s.profile)
	if err != nil {
		stop()
		return errors.Join(err, <-served)
	}
	figures, err := s.measure(ctx, i, "http://"+listener.Addr().String(), dir, talk)
	err = errors.Join(err, stopProfile())
	stop()
	if err = errors.Join(err, <-served); err != nil {
		return err
	}
	if s.asJSON {
		return printJSON(cmd.OutOrStdout(), figures)
	}
	printBench(cmd, s, figures)
	return nil
}

// loadPlan is what the load generator's process is told.
type loadPlan struct {
	Server     string   `json:"server"`
	Client     string   `json:"client"`
	Secret     string   `json:"secret"`
	Volunteers []string `json:"volunteers"`
	Clients    int      `json:"clients"`
	Seconds    int      `json:"seconds"`
	First      int      `json:"first"` // number of the first claim: claims of different rounds differ
}

func (s benchSettings) measure(ctx context.Context, i *instance, server, dir string, talk interface{ Write([]byte) (int, error) }) (benchFigures, error) {
	f := benchFigures{Machine: fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		Settings: "PostgreSQL's defaults: fsync=on, synchronous_commit=on"}
	plan, err := s.register(ctx, i, server)
	if err != nil {
		return f, err
	}
	for round := range s.rounds {
		tps, err := pgbenchRun(ctx, i.pg, s.pgbenchClients, s.seconds)
		if err != nil {
			return f, err
		}
		f.PgbenchTx = append(f.PgbenchTx, tps)
		posted, err := runLoad(ctx, plan, filepath.Join(dir, "plan.json"))
		if err != nil {
			return f, err
		}
		f.Posts = append(f.Posts, posted)
		plan.First += int(posted.Posted + posted.Failed)
		fmt.Fprintf(talk, "round %d: pgbench %d transactions a second, claims over HTTP %d a second (p50 %d µs, p99 %d µs)\n",
			round+1, tps, posted.PerSecond, posted.P50, posted.P99)
	}
	f.Percent = 100 * median(rates(f.Posts)) / max(1, median(f.PgbenchTx))
	f.Entries, err = i.LogSize(ctx)
	return f, err
}

func rates(posts []loadAnswer) []int64 {
	all := make([]int64, len(posts))
	for i, p := range posts {
		all[i] = p.PerSecond
	}
	return all
}

func median(values []int64) int64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// register makes an organization with its credentials and volunteers.
func (s benchSettings) register(ctx context.Context, i *instance, server string) (loadPlan, error) {
	plan := loadPlan{Server: server, Clients: s.clients, Seconds: s.seconds}
	key := func(n int) book.Key { return book.Key{Text: fmt.Sprintf("bench %d", n)} }
	o, err := i.RegisterOrganization(ctx, book.System, key(-1), book.Organization{Name: "Bench", Kind: "social_organization"})
	if err != nil {
		return plan, err
	}
	c, err := i.issue(ctx, book.Client{Role: ledger.RoleOrganization, Subject: o.ID})
	if err != nil {
		return plan, err
	}
	plan.Client, plan.Secret = c.ID, c.Secret
	born, err := ledger.DateFrom(1950, 1, 1)
	if err != nil {
		return plan, err
	}
	for n := range s.volunteers {
		v, err := i.RegisterVolunteer(ctx, book.System, key(n), book.Volunteer{Name: fmt.Sprintf("Volunteer %d", n), Born: born})
		if err != nil {
			return plan, err
		}
		plan.Volunteers = append(plan.Volunteers, v.ID)
	}
	return plan, nil
}

// runLoad runs the load generator as a process of its own.
func runLoad(ctx context.Context, plan loadPlan, file string) (loadAnswer, error) {
	var answer loadAnswer
	text, err := json.Marshal(plan)
	if err != nil {
		return answer, err
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return answer, err
	}
	self, err := os.Executable()
	if err != nil {
		return answer, err
	}
	cmd := exec.CommandContext(ctx, self, "bench", "load", file)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return answer, fmt.Errorf("running the load generator: %w", err)
	}
	return answer, json.Unmarshal(out.Bytes(), &answer)
}

const pgbenchScale = "20" // more branches than clients, so that they do not wait for each other's rows

func pgbenchFill(ctx context.Context, pg *localpg.Server) error {
	if pg == nil {
		return errors.New("the benchmark starts its own PostgreSQL: unset " + databaseVariable)
	}
	return pgbench(ctx, pg, nil, "-i", "-q", "-s", pgbenchScale)
}

func pgbench(ctx context.Context, pg *localpg.Server, out *bytes.Buffer, args ...string) error {
	binary := filepath.Join(pg.Bin(), "pgbench")
	cmd := exec.CommandContext(ctx, binary, append(args, "postgres://"+pg.URI(localpg.Superuser, "postgres"))...)
	var all bytes.Buffer
	if out == nil {
		out = &all
	}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("running %s (it comes with PostgreSQL): %w\n%s", binary, err, out)
	}
	return nil
}

var tpsPattern = regexp.MustCompile(`tps = ([0-9]+)`)

func pgbenchRun(ctx context.Context, pg *localpg.Server, clients, seconds int) (int64, error) {
	var out bytes.Buffer
	err := pgbench(ctx, pg, &out, "-M", "prepared", "-c", strconv.Itoa(clients), "-j", "2", "-T", strconv.Itoa(seconds), "-n")
	if err != nil {
		return 0, err
	}
	m := tpsPattern.FindStringSubmatch(out.String())
	if m == nil {
		return 0, fmt.Errorf("pgbench printed no tps:\n%s", out.String())
	}
	return strconv.ParseInt(m[1], 10, 64)
}

func printBench(cmd *cobra.Command, s benchSettings, f benchFigures) {
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s; %s; medians of %d rounds of %d s\n", f.Machine, f.Settings, s.rounds, s.seconds)
	fmt.Fprintf(out, "pgbench TPC-B-like, prepared, %d clients      %6d a second\n", s.pgbenchClients, median(f.PgbenchTx))
	fmt.Fprintf(out, "single claims over HTTP, %d clients          %6d a second, %d %% of pgbench\n", s.clients, median(rates(f.Posts)), f.Percent)
	fmt.Fprintf(out, "the book has %d entries now\n", f.Entries)
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

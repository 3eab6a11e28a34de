package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"

	"timebank/ledger/localpg"
)

const pgbenchScale = "50" // more branches than clients, so that they seldom wait for each other's rows

func pgbenchFill(ctx context.Context, pg *localpg.Server) error {
	return pgbench(ctx, pg, &bytes.Buffer{}, "-i", "-q", "-s", pgbenchScale)
}

func pgbench(ctx context.Context, pg *localpg.Server, out *bytes.Buffer, args ...string) error {
	binary := filepath.Join(pg.Bin(), "pgbench")
	cmd := exec.CommandContext(ctx, binary, append(args, "postgres://"+pg.URI(localpg.Superuser, "postgres"))...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("running %s (it comes with PostgreSQL): %w\n%s", binary, err, out)
	}
	return nil
}

var tpsPattern = regexp.MustCompile(`tps = ([0-9]+)`)

// pgbenchRun lets pgbench run, and write down how long each transaction took.
func pgbenchRun(ctx context.Context, pg *localpg.Server, dir string, clients, seconds int) (a loadAnswer, err error) {
	dir, err = os.MkdirTemp(dir, "pgbench-")
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var out bytes.Buffer
	if err := pgbench(ctx, pg, &out, "-M", "prepared", "-c", strconv.Itoa(clients), "-j", "2", "-T", strconv.Itoa(seconds), "-n",
		"-l", "--log-prefix="+filepath.Join(dir, "log")); err != nil {
		return a, err
	}
	m := tpsPattern.FindStringSubmatch(out.String())
	if m == nil {
		return a, fmt.Errorf("pgbench printed no tps:\n%s", out.String())
	}
	times, err := pgbenchTimes(dir)
	if err != nil {
		return a, err
	}
	a = summary(times)
	a.Done = int64(len(times))
	a.PerSecond, err = strconv.ParseInt(m[1], 10, 64)
	return a, err
}

// pgbenchTimes reads how long each transaction took from what pgbench wrote, a file a thread: a line a transaction, whose third
// field is the time in microseconds (https://www.postgresql.org/docs/15/pgbench.html, "Per-Transaction Logging").
func pgbenchTimes(dir string) (times []time.Duration, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) < 3 {
				return nil, fmt.Errorf("pgbench wrote a line that is none of its log: %q", line)
			}
			if fields[2] == "failed" { // it was not done
				continue
			}
			us, err := strconv.ParseInt(fields[2], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("reading pgbench's log: %w", err)
			}
			times = append(times, time.Duration(us)*time.Microsecond)
		}
	}
	return times, nil
}

// walSegments are about as many files of PostgreSQL's log as a server with max_wal_size=1GB keeps once it has run for
// a while. Making a new one holds everybody up for some fifty milliseconds; one that is there is used again.
const walSegments = 60

// settleDown lets PostgreSQL do what it does by itself within minutes to a book that was filled in one go: tidy up and count its
// tables, write down what it has in hand, and have as many files of its log as one that has run for a while.
func settleDown(ctx context.Context, pg *localpg.Server) error {
	return withSuperuser(pg, func(db *sql.DB) error {
		for range walSegments {
			if _, err := db.ExecContext(ctx, "SELECT pg_logical_emit_message(true, 'bench', '')"); err != nil {
				return err
			}
			if _, err := db.ExecContext(ctx, "SELECT pg_switch_wal()"); err != nil {
				return err
			}
		}
		for _, statement := range []string{"VACUUM (ANALYZE)", "CHECKPOINT"} {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

// pgSettings says what the server is and how it is set, where that decides durability or speed, or was asked for.
func pgSettings(ctx context.Context, pg *localpg.Server, asked []string) (text string, err error) {
	const query = `
		SELECT string_agg(name || '=' || current_setting(name), ', ' ORDER BY name) FROM pg_settings
		WHERE name IN ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'max_wal_size', 'wal_sync_method')
		   OR name = ANY ($1)`
	err = withSuperuser(pg, func(db *sql.DB) error { return db.QueryRowContext(ctx, query, pq.Array(asked)).Scan(&text) })
	return text, err
}

// diskFigures are what a book takes on disk, in bytes, and how many postings it has.
type diskFigures struct {
	postings, tables, indexes, wal int64
}

func readDisk(ctx context.Context, pg *localpg.Server) (f diskFigures, err error) {
	const query = `
		SELECT (SELECT count(*) FROM posting), sum(pg_table_size(oid))::bigint, sum(pg_indexes_size(oid))::bigint,
		       pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint
		FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`
	err = withSuperuser(pg, func(db *sql.DB) error {
		return db.QueryRowContext(ctx, query).Scan(&f.postings, &f.tables, &f.indexes, &f.wal)
	})
	return f, err
}

// withSuperuser asks the private server what only its superuser may, in the book's database.
func withSuperuser(pg *localpg.Server, ask func(db *sql.DB) error) error {
	db, err := sql.Open("postgres", pg.URL(localpg.Superuser, localpg.Database))
	if err != nil {
		return err
	}
	if err := errors.Join(ask(db), db.Close()); err != nil {
		return fmt.Errorf("asking PostgreSQL about itself: %w", err)
	}
	return nil
}

package main

import (
	"fmt"
	"io"
	"strings"
)

// print writes a report as text, a table a book.
func (r benchReport) print(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s; PostgreSQL %s\nmedians of %d rounds of %d s, %d volunteers; the load generator runs on the same machine\n",
		r.Machine, r.PostgreSQL, r.Rounds, r.Seconds, r.Volunteers)
	for _, book := range r.Books {
		book.print(&b, r.Books[0])
	}
	if r.MemoryKiB > 0 {
		fmt.Fprintf(&b, "\nthe process that serves all books had at most %d MiB resident\n", r.MemoryKiB/1024)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (b benchBook) print(out *strings.Builder, first benchBook) {
	fmt.Fprintf(out, "\n%d entries%37s %9s %8s %8s %9s %10s", b.Entries, "a second", "× pgbench", "p50 µs", "p99 µs", "p99.9 µs", "p99 × mean")
	if b.Size != first.Size {
		fmt.Fprintf(out, " %12s", "× first book")
	}
	p := b.Pgbench
	fmt.Fprintf(out, "\n%-48s %8d %9s %8d %8d %9d %10s", fmt.Sprintf("%s (mean %d µs)", p.Title, b.PgbenchMean), p.Median.PerSecond, hundredths(p.Percent),
		p.Median.P50, p.Median.P99, p.Median.P999, hundredths(p.P99Percent))
	if b.Size != first.Size {
		fmt.Fprintf(out, " %12s", hundredths(p.beside(first.Pgbench)))
	}
	fmt.Fprintln(out)
	for i, l := range b.Lines {
		fmt.Fprintf(out, "%-48s %8d %9s %8d %8d %9d %10s", l.Title, l.Median.PerSecond, hundredths(l.Percent), l.Median.P50, l.Median.P99, l.Median.P999,
			hundredths(l.P99Percent))
		if b.Size != first.Size {
			fmt.Fprintf(out, " %12s", hundredths(l.beside(first.Lines[i])))
		}
		fmt.Fprintln(out)
	}
	if b.Checks.Entries > 0 {
		b.Checks.print(out)
	}
}

func hundredths(n int64) string { return fmt.Sprintf("%d.%02d", n/100, n%100) }

func (c benchChecks) print(out *strings.Builder) {
	fmt.Fprintf(out, "verify: %d entries a second", c.VerifyPerSecond)
	if c.AuditPerSecond > 0 {
		fmt.Fprintf(out, "; timebank-audit log: %d entries a second", c.AuditPerSecond)
	}
	fmt.Fprintf(out, " (of %d entries)\na posting takes %d bytes in tables, %d in indexes, %d of WAL\n", c.Entries, c.TableBytes, c.IndexBytes, c.WALBytes)
	fmt.Fprintf(out, "the server starts, PostgreSQL included, in %d ms\n", c.StartMillis)
}

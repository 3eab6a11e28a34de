package main

import (
	"slices"
	"strings"
	"testing"
)

// Rates are compared round by round, with pgbench's and with those on another book, since in each they are measured one right after the
// other: a machine that becomes slower does so for both.
func TestBenchTableComparesBooksRoundByRound(t *testing.T) {
	t.Parallel()
	var r benchReport
	r.conclude([]*benchBook{measuredBook(0, 900, 600, 300), measuredBook(1000, 810, 540, 600), measuredBook(2000, 90, 300, 150)})
	if r.Rounds != 3 {
		t.Errorf("it says %d rounds, want 3", r.Rounds)
	}
	// The first book has no column that compares it.
	if got, want := lastColumns(t, r), []string{"0.10 2.00", "0.13 2.00 0.90", "0.05 2.00 0.50"}; !slices.Equal(got, want) {
		t.Errorf("against pgbench and the first book: %q, want %q", got, want)
	}
}

// When a run fails or is interrupted, what was measured on every book is told, and how often; the first book stays the first.
func TestBenchTableOfARunThatFailed(t *testing.T) {
	t.Parallel()
	var r benchReport
	r.conclude([]*benchBook{measuredBook(0, 900, 600), measuredBook(1000, 810, 540, 600)})
	if got, want := lastColumns(t, r), []string{"0.12 2.00", "0.11 2.00 0.90"}; r.Rounds != 2 || !slices.Equal(got, want) {
		t.Errorf("one of three rounds is half done: %d rounds, %q, want 2, %q", r.Rounds, got, want)
	}
	r = benchReport{}
	r.conclude([]*benchBook{measuredBook(0), measuredBook(1000, 810)})
	if len(r.Books) != 0 {
		t.Errorf("only the second book was measured: %+v is told", r.Books)
	}
}

// measuredBook is a book on which a line was measured in so many rounds, and another in none.
func measuredBook(size int, rates ...int64) *benchBook {
	b := &benchBook{Size: size, Lines: []benchRow{{benchLine: benchLines[0]}, {benchLine: benchLines[1]}}}
	b.Pgbench.Clients = 30
	for i, rate := range rates {
		yardstick := []int64{6000, 6000, 3000}[i]
		twice := 2 * meanMicros(b.Pgbench.Clients, yardstick)
		b.Pgbench.Runs = append(b.Pgbench.Runs, loadAnswer{PerSecond: yardstick})
		b.Lines[0].Runs = append(b.Lines[0].Runs, loadAnswer{PerSecond: rate, P99: twice})
	}
	return b
}

// lastColumns gives of the line that was measured the ratio to pgbench and the columns after the times, a text a book.
func lastColumns(t *testing.T, r benchReport) (columns []string) {
	t.Helper()
	var out strings.Builder
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, benchLines[0].Title) {
			fields := strings.Fields(line)
			fields = fields[len(strings.Fields(benchLines[0].Title)):]
			columns = append(columns, strings.Join(append(fields[1:2], fields[5:]...), " "))
		}
		if strings.HasPrefix(line, benchLines[1].Title) {
			t.Errorf("a line that was not measured is told: %s", line)
		}
	}
	return columns
}

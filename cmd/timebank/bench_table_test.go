package main

import (
	"slices"
	"strings"
	"testing"
)

// Rates of two books are compared round by round, since in each they are measured one right after the other: a machine that
// becomes slower does so for both. What failed before it was measured has no line.
func TestBenchTableComparesBooksMeasuredInTurn(t *testing.T) {
	t.Parallel()
	book := func(size int, rates ...int64) *benchBook {
		b := &benchBook{Size: size, Pgbench: benchRow{Runs: []loadAnswer{{PerSecond: 6000}, {PerSecond: 6000}, {PerSecond: 3000}}}, Lines: []benchRow{{benchLine: benchLines[0]}, {benchLine: benchLines[1]}}}
		for _, rate := range rates {
			b.Lines[0].Runs = append(b.Lines[0].Runs, loadAnswer{PerSecond: rate})
		}
		return b
	}
	s := benchSettings{pgbenchClients: 32}
	r := benchReport{Books: s.concluded([]*benchBook{book(0, 900, 600, 300), book(1000, 810, 540, 600), book(2000, 90, 300, 150), book(3000)})}
	var out strings.Builder
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	var ratios []string
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, benchLines[0].Title) {
			fields := strings.Fields(line)
			ratios = append(ratios, fields[len(strings.Fields(benchLines[0].Title))+1]+" "+fields[len(fields)-1])
		}
		if strings.HasPrefix(line, benchLines[1].Title) {
			t.Errorf("a line that was not measured is told: %s", line)
		}
	}
	// Of the first book the last column is a time.
	if want := []string{"0.10 0", "0.10 0.90", "0.02 0.50"}; !slices.Equal(ratios, want) {
		t.Errorf("against pgbench and the first book: %q, want %q, in\n%s", ratios, want, &out)
	}
}

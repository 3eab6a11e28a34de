package main

import (
	"strings"
	"testing"
)

// Rates of two books are compared by the pgbench of their own times: on a machine that became twice as slow
// meanwhile, a line that became half as fast is as fast as before.
func TestBenchTableComparesBooksByTheirOwnYardsticks(t *testing.T) {
	t.Parallel()
	book := func(size int, pgbench, rate int64) benchBook {
		row := benchRow{benchLine: benchLines[0], Runs: []loadAnswer{{PerSecond: rate}}}
		row.conclude(pgbench)
		return benchBook{Size: size, PgbenchTPS: []int64{pgbench}, Lines: []benchRow{row}}
	}
	var out strings.Builder
	err := benchReport{Books: []benchBook{book(0, 6000, 600), book(1000, 3000, 300), book(2000, 6000, 540)}}.print(&out)
	if err != nil {
		t.Fatal(err)
	}
	var ratios []string
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, benchLines[0].Title) {
			fields := strings.Fields(line)
			ratios = append(ratios, fields[len(fields)-1])
		}
	}
	if want := []string{"0", "1.00", "0.90"}; strings.Join(ratios, " ") != strings.Join(want, " ") { // the first has no such column
		t.Errorf("the last columns are %v, want %v, in\n%s", ratios, want, &out)
	}
}

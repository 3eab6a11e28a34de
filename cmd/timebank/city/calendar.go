package city

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// The sheet covers a year. In the story today is its last day; by the real clock it is long past.
const (
	days       = 365
	dayMinutes = 24 * 60
	lastDay    = "2026-06-30"
)

// firstDay is a Tuesday.
var firstDay = time.Date(2025, time.July, 1, 0, 0, 0, 0, time.UTC)

// How busy the months are, July first: March has Lei Feng's day, October the month of respect for the aged,
// February the Spring Festival. In the summer holidays the young have time, and the old stay out of the heat.
var (
	seasonYoung = [12]int{13, 13, 10, 13, 10, 12, 8, 6, 17, 10, 11, 9}
	seasonOther = [12]int{9, 9, 10, 13, 10, 12, 8, 6, 17, 10, 11, 9}
)

// weekdays are the shares of Sunday to Saturday, measured on a real organization's records.
var weekdays = [7]int{16, 14, 13, 13, 14, 13, 17}

// shiftLengths have the quantiles of a real organization's shifts: nearly half of them two hours, three in
// four whole hours, one in ten four hours or more. Weights are in percent.
var shiftLengths = []weighted{
	{10, 1}, {30, 2}, {45, 1}, {60, 12}, {75, 1}, {90, 7}, {100, 1}, {120, 46}, {135, 2}, {150, 4},
	{160, 3}, {165, 1}, {180, 6}, {200, 1}, {210, 1}, {240, 7}, {270, 2}, {300, 1}, {420, 1},
}

// diligence says how often volunteers serve, from the busiest on: so many people of such a weight. A tenth of
// the people gives two thirds of the hours, as it is in life.
var diligence = []weighted{{3, 160}, {7, 90}, {10, 45}, {10, 28}, {45, 10}, {75, 5}}

type weighted struct{ value, weight int }

// draw chooses an index by its weight.
func draw(r *rand.Rand, weights []int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	n := r.IntN(sum)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	return len(weights) - 1
}

func weightsOf(table []weighted) []int {
	weights := make([]int, len(table))
	for i, x := range table {
		weights[i] = x.weight
	}
	return weights
}

func dayWeights(season [12]int) []int {
	weights := make([]int, days)
	for d := range weights {
		t := firstDay.AddDate(0, 0, d)
		weights[d] = season[(int(t.Month())+5)%12] * weekdays[t.Weekday()]
	}
	return weights
}

func isoDay(day int) string { return firstDay.AddDate(0, 0, day).Format(time.DateOnly) }

func clock(minutes int) string {
	minutes %= dayMinutes
	return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60)
}

// calendar is when a volunteer serves, so that only planted rows collide.
type calendar [days + 1]struct {
	minutes int
	spans   []span
}

// span is a shift's minutes since midnight, half open.
type span struct{ from, to int }

// take enters a shift; a whole day that is taken lets nothing else in.
func (c *calendar) take(day, minutes int, s ...span) {
	c[day].minutes += minutes
	c[day].spans = append(c[day].spans, s...)
}

func (c *calendar) empty(day int) bool { return c[day].minutes == 0 }

// fits tells whether a second shift of the day is possible: beside others with clock times, and within the
// eight hours that a decent day has.
func (c *calendar) fits(day, minutes int, s span) bool {
	const decentMinutes = 8 * 60
	if len(c[day].spans) == 0 || c[day].minutes+minutes > decentMinutes {
		return false
	}
	for _, other := range c[day].spans {
		if s.from < other.to && other.from < s.to {
			return false
		}
	}
	return true
}

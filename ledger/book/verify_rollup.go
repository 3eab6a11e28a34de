package book

import (
	"cmp"
	"fmt"

	"timebank/ledger"
)

// rollupSide is a row of rollup.
type rollupSide struct {
	account int64
	at      rollupNode
	upto    int64
	sum     rollupSum
	odd     bool
}

// rollupNode is a day, a month, a year or all of time, as rollUp numbers them.
type rollupNode struct{ level, period int64 }

var wholeNode = rollupNode{3, 0}

type rollupSum struct{ minutes, entries int64 }

func (s *rollupSum) add(o rollupSum) { s.minutes, s.entries = s.minutes+o.minutes, s.entries+o.entries }

func (w *wire) rollup(r *rollupSide) {
	*r = rollupSide{account: w.number(int8Type), at: rollupNode{w.number(int2Type), w.number(int4Type)}, upto: w.number(int8Type),
		sum: rollupSum{w.number(int8Type), w.number(int8Type)}}
	r.odd = w.odd
}

func (r rollupSide) compare(o rollupSide) int {
	return cmp.Or(cmp.Compare(r.upto, o.upto), cmp.Compare(r.account, o.account))
}

// rolled is what the postings so far come to on an account, or on a line of the chart.
type rolled struct {
	since map[ledger.Date]rollupSum // by day, since the last rollup
	nodes map[rollupNode]rollupSum  // up to then
}

func newRolled() *rolled { return &rolled{map[ledger.Date]rollupSum{}, map[rollupNode]rollupSum{}} }

func (r *rolled) post(on ledger.Date, m ledger.Minutes) {
	s := r.since[on]
	s.add(rollupSum{int64(m), 1})
	r.since[on] = s
}

// rollUp takes what was posted since into the sums, and gives those that a rollup has now: of the days, months and years
// in which something was posted, and the whole.
func (r *rolled) rollUp() map[rollupNode]rollupSum {
	want := map[rollupNode]rollupSum{wholeNode: r.nodes[wholeNode]}
	for day, s := range r.since {
		year, month, _ := day.Time().Date()
		for _, at := range []rollupNode{{0, int64(day)}, {1, int64(year)*12 + int64(month) - 1}, {2, int64(year)}, wholeNode} {
			sum := r.nodes[at]
			sum.add(s)
			r.nodes[at], want[at] = sum, sum
		}
	}
	clear(r.since)
	return want
}

// keepRolled prepares for the rollups of every line of the chart, and of the accounts that have any.
func (v *verifier) keepRolled(accounts []ledger.AccountID) {
	lines := map[ledger.Line]*rolled{}
	for i, l := range ledger.Chart {
		r := newRolled()
		v.rolled[int64(-1-i)], lines[ledger.Line{Owner: l.Owner, Purpose: l.Purpose}] = r, r
	}
	for _, a := range v.accounts {
		a.line = lines[ledger.Line{Owner: a.Owner.Kind, Purpose: a.Purpose}]
	}
	for _, id := range accounts {
		if a := v.accounts[id]; a != nil {
			a.rolled = newRolled()
			v.rolled[int64(id)] = a.rolled
		}
	}
}

// rollPosting adds a posting to the sums that it belongs to.
func (a *running) rollPosting(on ledger.Date, m ledger.Minutes) {
	if a.line != nil {
		a.line.post(on, m)
	}
	if a.rolled != nil {
		a.rolled.post(on, m)
	}
}

// checkRolled compares the next rollups of a page, up to a log size, with what the postings before come to.
func (v *verifier) checkRolled(p *page, size int64) {
	for len(p.rolled) > 0 && p.rolled[0].upto <= size {
		n := 1
		for n < len(p.rolled) && p.rolled[n].compare(p.rolled[0]) == 0 {
			n++
		}
		v.checkRollup(p.rolled[:n])
		p.rolled = p.rolled[n:]
	}
}

// checkRollup checks the rows of one rollup of one account.
func (v *verifier) checkRollup(rows []rollupSide) {
	var want map[rollupNode]rollupSum
	for _, r := range rows {
		if sums := v.rolled[r.account]; r.at == wholeNode && sums != nil && want == nil { // without it nothing was rolled up
			want = sums.rollUp()
		}
	}
	wrong := 0
	for _, r := range rows {
		sum, ok := want[r.at]
		if delete(want, r.at); !ok || r.odd || sum != r.sum || r.upto > int64(v.size) {
			wrong++
		}
	}
	for range wrong + len(want) {
		v.rollups.find(-1, "a rollup of %s to log size %d is not what the postings come to", rollupName(rows[0].account), rows[0].upto)
	}
}

func rollupName(of int64) string {
	if i := -1 - of; i >= 0 && i < int64(len(ledger.Chart)) {
		return fmt.Sprintf("%s of %s", ledger.Chart[i].Purpose, ledger.Chart[i].Owner)
	}
	return "account " + ledger.AccountID(of).String()
}

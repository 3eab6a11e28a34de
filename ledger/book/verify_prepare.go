package book

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"timebank/ledger"
	"timebank/ledger/translog"
	"timebank/policy"
)

// ground is what is known before the walk and does not change: several goroutines read it at once.
type ground struct {
	shape    verifyShape
	size     ledger.Seq // of the log
	zone     *time.Location
	sets     []*policy.Rules
	rules    map[ledger.Hash]*policy.Rules
	accounts map[ledger.AccountID]*running // of which the walk alone reads and changes the balance
	owned    map[ledger.Owner][]*running
	owners   map[uuid.UUID]string
}

func (g *ground) idTexts() *idTexts { return &idTexts{g.owners, map[uuid.UUID]string{}} }

// prepared is an entry with what stands beside it and with all that can be told of it without the entries before it.
// The walk says what was found, so that it is said in order.
type prepared struct {
	Record
	postedOn    []ledger.Date // as the rows of its postings say, in the order of its lines
	oddPosting  bool          // a row of a posting has another date or nature
	claim       *claimSide
	hold        *holdSide
	settlement  *settlementSide
	choice      *choiceSide
	gift        *giftSide
	carries     []carrySide
	answers     []answerSide
	invalid     error
	leafDiffers bool
	unreadable  error       // its details
	hours       *hoursAgain // of a claim
	held        *holdDetails
	settled     *settlementDetails
	replayed    error    // deciding it again, for kinds other than hours
	unbound     []string // what is wrong with what its details are bound to
	wrongHashes []int64  // stored hashes that end with its leaf and are not those of the entries
}

// preparePage reads a page and prepares its entries.
func (g *ground) preparePage(ctx context.Context, reader *pageReader, p *page, ids *idTexts) error {
	var rows pageRows
	if p.number >= 0 && p.number < g.shape.beyond() { // below and beyond are no entries, and no answer is to one
		var err error
		if rows, err = reader.read(ctx, p.number); err != nil {
			return err
		}
	}
	if err := g.gather(p, rows, ids); err != nil {
		return err
	}
	hashes := make([]ledger.Hash, len(p.entries))
	g.prepareHours(p)
	for i := range p.entries {
		r := &p.entries[i]
		leaf := translog.Leaf(r.Entry) // of what the entry says, not of what is kept
		hashes[i], r.leafDiffers, r.invalid = translog.LeafHash(leaf), !bytes.Equal(leaf, r.Leaf), r.Check()
		g.prepareDecision(r)
		r.unbound = g.unboundFrom(r, g.openedWith(r))
	}
	return p.tree.grow(p, rows.hashes, hashes)
}

// gather puts what is read of a page beside its entries.
func (g *ground) gather(p *page, rows pageRows, ids *idTexts) error {
	read := func(table string, rows []byte) *wire { return &wire{rest: rows, table: table, ids: ids} }
	usual := 1 << g.shape.pageBits // of one of each for an entry
	entries := collect(read("entry", rows.entries), usual, func(w *wire, r *prepared) { w.entry(&r.Record) })
	tellOdd(p, entries, func(r *prepared) ledger.Seq { return r.Seq })
	sortBySeq(entries, func(r *prepared) ledger.Seq { return r.Seq })
	if p.entries = entries.rows; entries.err != nil {
		return entries.err
	}
	if err := g.gatherLines(p, &wire{rest: rows.postings, bare: true}); err != nil {
		return err
	}
	if err := g.gatherSides(p, rows, read); err != nil {
		return err
	}
	rolled := collect(read("rollup", p.rollups), 0, (*wire).rollup)
	slices.SortFunc(rolled.rows, rollupSide.compare)
	p.rolled = rolled.rows
	slices.SortStableFunc(p.strays, func(a, b Finding) int { return cmp.Compare(a.Seq, b.Seq) })
	return rolled.err
}

// collected are rows of one table.
type collected[T any] struct {
	table string
	rows  []T
	odd   []int // rows with a column that is not as the schema has it
	err   error
}

// collect reads rows, of which usual is how many there mostly are.
func collect[T any](w *wire, usual int, read func(*wire, *T)) (c collected[T]) {
	for w.next() {
		if c.rows == nil {
			c.rows = make([]T, 0, usual)
		}
		var none T
		c.rows = append(c.rows, none)
		last := len(c.rows) - 1
		if read(w, &c.rows[last]); w.odd {
			c.odd = append(c.odd, last)
		}
	}
	c.table, c.err = w.table, w.err
	return c
}

// tellOdd must come before the rows are sorted.
func tellOdd[T any](p *page, c collected[T], seq func(*T) ledger.Seq) {
	for _, i := range c.odd {
		p.strays = append(p.strays, Finding{max(seq(&c.rows[i]), -1), "has a row in " + c.table + oddColumn})
	}
}

const oddColumn = " with a column that is NULL, or of a type or value that it cannot be"

// sortBySeq puts rows into the order of their entries, in which an index mostly gives them.
func sortBySeq[T any](c collected[T], seq func(*T) ledger.Seq) {
	order := func(a, b T) int { return cmp.Compare(seq(&a), seq(&b)) }
	for i := 1; i < len(c.rows); i++ {
		if seq(&c.rows[i-1]) > seq(&c.rows[i]) {
			slices.SortStableFunc(c.rows, order)
			return
		}
	}
}

// beside gives each entry the rows that name it, and the others to loose.
func beside[T any](p *page, c collected[T], seq func(*T) ledger.Seq, give func(r *prepared, rows []T), loose func(rows []T)) error {
	tellOdd(p, c, seq)
	sortBySeq(c, seq)
	for i, at := 0, 0; at < len(c.rows); {
		end := at + 1
		for end < len(c.rows) && seq(&c.rows[end]) == seq(&c.rows[at]) {
			end++
		}
		for i < len(p.entries) && p.entries[i].Seq < seq(&c.rows[at]) {
			i++
		}
		rows := c.rows[at:end:end]
		if at = end; i == len(p.entries) || p.entries[i].Seq != seq(&rows[0]) {
			loose(rows)
			continue
		}
		for j := i; j < len(p.entries) && p.entries[j].Seq == p.entries[i].Seq; j++ { // one, unless an entry is there twice
			give(&p.entries[j], rows)
		}
	}
	return c.err
}

// linesUsual is how many lines an entry mostly has, with some room.
const linesUsual = 4

// gatherLines puts the postings with the accounts that they touch into entries.
func (g *ground) gatherLines(p *page, w *wire) error {
	postings := collect(w, linesUsual<<g.shape.pageBits, (*wire).posting)
	lines, moved, days := make([]Line, len(postings.rows)), make([]ledger.Posting, len(postings.rows)), make([]ledger.Date, len(postings.rows))
	return beside(p, postings, func(s *postingSide) ledger.Seq { return s.seq }, func(r *prepared, rows []postingSide) {
		n := len(rows)
		if n > len(lines) { // an entry is there twice: it has no place in what was counted
			lines, moved, days = make([]Line, n), make([]ledger.Posting, n), make([]ledger.Date, n)
		}
		slices.SortFunc(rows, func(a, b postingSide) int { return ledger.ComparePostings(a.Posting, b.Posting) })
		r.Lines, r.Postings, r.postedOn = lines[:n:n], moved[:n:n], days[:n:n]
		lines, moved, days = lines[n:], moved[n:], days[n:]
		for i, s := range rows {
			r.Lines[i], r.Postings[i], r.postedOn[i] = Line{Posting: s.Posting, Balance: s.balance}, s.Posting, s.on
			a := g.accounts[s.Account]
			if r.oddPosting = r.oddPosting || a == nil || a.MayOwe != s.mayOwe || s.on != r.Effective; a != nil {
				r.Lines[i].Owner, r.Lines[i].Purpose = a.Owner, a.Purpose
			}
		}
	}, func(rows []postingSide) {
		p.loose = append(p.loose, rows...)
		p.strays = append(p.strays, Finding{rows[0].seq, oddPosting})
	})
}

const oddPosting = "has a posting with the date or the nature of another, or is missing"

// gatherSides puts the rows of the other tables beside entries; of those that stand beside none their number tells.
func (g *ground) gatherSides(p *page, rows pageRows, read func(string, []byte) *wire) error {
	usual, last := 1<<g.shape.pageBits, func(n int) int { return n - 1 } // of rows that should be one
	for _, err := range []error{
		beside(p, collect(read("claim", rows.claims), usual, (*wire).claim), func(s *claimSide) ledger.Seq { return s.Seq },
			func(r *prepared, s []claimSide) { r.claim = &s[last(len(s))] }, func([]claimSide) {}),
		beside(p, collect(read("hold", rows.holds), 0, (*wire).hold), func(s *holdSide) ledger.Seq { return s.Seq },
			func(r *prepared, s []holdSide) { r.hold = &s[last(len(s))] }, func([]holdSide) {}),
		beside(p, collect(read("settlement", rows.settlements), 0, (*wire).settlement), func(s *settlementSide) ledger.Seq { return s.Seq },
			func(r *prepared, s []settlementSide) { r.settlement = &s[last(len(s))] }, func([]settlementSide) {}),
		beside(p, collect(read("choice", rows.choices), 0, (*wire).choice), func(s *choiceSide) ledger.Seq { return s.Seq },
			func(r *prepared, s []choiceSide) { r.choice = &s[last(len(s))] }, func([]choiceSide) {}),
		beside(p, collect(read("gift", rows.gifts), 0, (*wire).gift), func(s *giftSide) ledger.Seq { return s.Seq },
			func(r *prepared, s []giftSide) { r.gift = &s[last(len(s))] }, func([]giftSide) {}),
		beside(p, collect(read("carry", p.carries), 0, (*wire).carry), func(s *carrySide) ledger.Seq { return s.Seq },
			func(r *prepared, s []carrySide) {
				slices.SortStableFunc(s, func(a, b carrySide) int { return cmp.Compare(a.Unit, b.Unit) })
				r.carries = s
			}, func([]carrySide) {}),
		beside(p, collect(read("answer", p.answers), usual, (*wire).answer), (*answerSide).entry,
			func(r *prepared, s []answerSide) { r.answers = s },
			func(s []answerSide) {
				p.strays = append(p.strays, Finding{max(s[0].entry(), -1), "is the answer to a key, and is not in the book"})
			}),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

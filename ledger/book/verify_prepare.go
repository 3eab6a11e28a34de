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
	rooms    chan *pageRoom
}

func (g *ground) idTexts() *idTexts { return &idTexts{g.owners, map[uuid.UUID]string{}} }

// prepared is an entry with what stands beside it and with all that can be told of it without the entries before it.
// The walk says what was found, so that it is said in order.
type prepared struct {
	Record
	postedOn    []ledger.Date // as the rows of its postings say, in the order of its lines
	touched     []*running    // the accounts of its lines; nil for one that does not exist
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
	p.room = g.room()
	rows := &p.room.rows
	rows.clear()
	if p.number >= 0 && p.number < g.shape.beyond() { // below and beyond are no entries, and no answer is to one
		if err := reader.read(ctx, p.number, rows); err != nil {
			return err
		}
	}
	if err := g.gather(p, ids); err != nil {
		return err
	}
	hashes := take(&p.room.leaves, len(p.entries))
	g.prepareHours(p)
	var leaf []byte
	bound := make([]byte, 0, bindingBytes)
	for i := range p.entries {
		r := &p.entries[i]
		leaf = translog.Fields(r.Entry).Append(leaf[:0]) // of what the entry says, not of what is kept
		hashes[i], r.leafDiffers, r.invalid = translog.LeafHash(leaf), !bytes.Equal(leaf, r.Leaf), r.Check()
		g.prepareDecision(r)
		r.unbound = g.unboundFrom(r, g.openedWith(r), bound)
	}
	return p.tree.grow(p, hashes)
}

// gather puts what is read of a page beside its entries.
func (g *ground) gather(p *page, ids *idTexts) error {
	room := p.room
	read := func(table string, rows []byte) *wire { return &wire{rest: rows, table: table, ids: ids} }
	entries := collect(read("entry", room.rows.entries), &room.entries, func(w *wire, r *prepared) { w.entry(&r.Record) })
	tellOdd(p, entries, func(r *prepared) ledger.Seq { return r.Seq })
	sortBySeq(entries, func(r *prepared) ledger.Seq { return r.Seq })
	if p.entries = entries.rows; entries.err != nil {
		return entries.err
	}
	if err := g.gatherLines(p, &wire{rest: room.rows.postings, bare: true}); err != nil {
		return err
	}
	if err := g.gatherSides(p, read); err != nil {
		return err
	}
	rolled := collect(read("rollup", p.rollups), &room.rollups, (*wire).rollup)
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

// collect reads rows into a room.
func collect[T any](w *wire, room *[]T, read func(*wire, *T)) (c collected[T]) {
	rows := (*room)[:0]
	for w.next() {
		var none T
		rows = append(rows, none)
		last := len(rows) - 1
		if read(w, &rows[last]); w.odd {
			c.odd = append(c.odd, last)
		}
	}
	*room = rows
	c.table, c.rows, c.err = w.table, rows, w.err
	return c
}

// tellOdd must come before the rows are sorted.
func tellOdd[T any](p *page, c collected[T], seq func(*T) ledger.Seq) {
	for _, i := range c.odd {
		p.strays = append(p.strays, Finding{max(seq(&c.rows[i]), -1), "has a row in " + c.table + oddColumn})
	}
}

const oddColumn = " with a column that is NULL, or of a type or value that it cannot be"

// sortBySeq puts rows into the order of their entries, in which an index mostly gives them. The rows are large, so their
// places are sorted, and then each is moved once.
func sortBySeq[T any](c collected[T], seq func(*T) ledger.Seq) {
	sorted := true
	for i := 1; i < len(c.rows) && sorted; i++ {
		sorted = seq(&c.rows[i-1]) <= seq(&c.rows[i])
	}
	if sorted {
		return
	}
	places := make([]int, len(c.rows))
	for i := range places {
		places[i] = i
	}
	slices.SortFunc(places, func(a, b int) int { return cmp.Or(cmp.Compare(seq(&c.rows[a]), seq(&c.rows[b])), cmp.Compare(a, b)) })
	before := slices.Clone(c.rows)
	for i, place := range places {
		c.rows[i] = before[place]
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

// gatherLines puts the postings with the accounts that they touch into entries.
func (g *ground) gatherLines(p *page, w *wire) error {
	postings := collect(w, &p.room.postings, (*wire).posting)
	n := len(postings.rows)
	lines, moved, days, accounts := take(&p.room.lines, n), take(&p.room.moved, n), take(&p.room.days, n), take(&p.room.accounts, n)
	return beside(p, postings, func(s *postingSide) ledger.Seq { return s.seq }, func(r *prepared, rows []postingSide) {
		n := len(rows)
		if n > len(lines) { // an entry is there twice: it has no place in what was counted
			lines, moved, days, accounts = make([]Line, n), make([]ledger.Posting, n), make([]ledger.Date, n), make([]*running, n)
		}
		slices.SortFunc(rows, func(a, b postingSide) int { return ledger.ComparePostings(a.Posting, b.Posting) })
		r.Lines, r.Postings, r.postedOn, r.touched = lines[:n:n], moved[:n:n], days[:n:n], accounts[:n:n]
		lines, moved, days, accounts = lines[n:], moved[n:], days[n:], accounts[n:]
		for i, s := range rows {
			r.Lines[i], r.Postings[i], r.postedOn[i] = Line{Posting: s.Posting, Balance: s.balance}, s.Posting, s.on
			a := g.accounts[s.Account]
			r.touched[i] = a
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
func (g *ground) gatherSides(p *page, read func(string, []byte) *wire) error {
	room, rows, last := p.room, &p.room.rows, func(n int) int { return n - 1 } // of rows that should be one
	for _, err := range []error{
		beside(p, collect(read("claim", rows.claims), &room.claims, (*wire).claim), func(s *claimSide) ledger.Seq { return s.Seq },
			func(r *prepared, s []claimSide) { r.claim = &s[last(len(s))] }, func([]claimSide) {}),
		beside(p, collect(read("hold", rows.holds), &room.holds, (*wire).hold), func(s *holdSide) ledger.Seq { return s.Seq },
			func(r *prepared, s []holdSide) { r.hold = &s[last(len(s))] }, func([]holdSide) {}),
		beside(p, collect(read("settlement", rows.settlements), &room.settlements, (*wire).settlement), func(s *settlementSide) ledger.Seq { return s.Seq },
			func(r *prepared, s []settlementSide) { r.settlement = &s[last(len(s))] }, func([]settlementSide) {}),
		beside(p, collect(read("choice", rows.choices), &room.choices, (*wire).choice), func(s *choiceSide) ledger.Seq { return s.Seq },
			func(r *prepared, s []choiceSide) { r.choice = &s[last(len(s))] }, func([]choiceSide) {}),
		beside(p, collect(read("gift", rows.gifts), &room.gifts, (*wire).gift), func(s *giftSide) ledger.Seq { return s.Seq },
			func(r *prepared, s []giftSide) { r.gift = &s[last(len(s))] }, func([]giftSide) {}),
		beside(p, collect(read("carry", p.carries), &room.carries, (*wire).carry), func(s *carrySide) ledger.Seq { return s.Seq },
			func(r *prepared, s []carrySide) {
				slices.SortStableFunc(s, func(a, b carrySide) int { return cmp.Compare(a.Unit, b.Unit) })
				r.carries = s
			}, func([]carrySide) {}),
		beside(p, collect(read("answer", p.answers), &room.answers, (*wire).answer), (*answerSide).entry,
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

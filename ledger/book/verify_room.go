package book

import (
	"timebank/ledger"
	"timebank/policy"
)

// pageRoom is the memory that a page takes, one page after the other: it is most of what verifying asks for, and whenever as much
// was thrown away as is kept, the collector goes through all that is kept. So nothing that is kept of an entry, or told
// of it, may be a part of it.
type pageRoom struct {
	rows        pageRows
	entries     []prepared
	hours       []hoursAgain
	steps       []policy.Step // recorded and decided again, of claims that have few
	postings    []postingSide
	lines       []Line
	moved       []ledger.Posting
	days        []ledger.Date
	accounts    []*running
	claims      []claimSide
	holds       []holdSide
	settlements []settlementSide
	choices     []choiceSide
	gifts       []giftSide
	carries     []carrySide
	answers     []answerSide
	rollups     []rollupSide
	hashes      []hashSide
	leaves      []ledger.Hash
}

// take gives n of a room, each of them zero.
func take[T any](room *[]T, n int) []T {
	taken := takeUsed(room, n)
	clear(taken)
	return taken
}

// takeUsed gives n of a room as they were left.
func takeUsed[T any](room *[]T, n int) []T {
	if cap(*room) < n {
		*room = make([]T, n+n/8)
	}
	return (*room)[:n:n]
}

// roomsMax is how many rooms wait for a page: each worker has one, and twice as many pages may be prepared and not walked.
const roomsMax = 16

// room gives a page room, for as long as it is not released.
func (g *ground) room() *pageRoom {
	select {
	case room := <-g.rooms:
		return room
	default:
		return new(pageRoom)
	}
}

// release gives the room of a page to another. The page has no rows any more.
func (g *ground) release(p *page) {
	room := p.room
	p.room, p.entries, p.rolled, p.tree.stored = nil, nil, nil, nil
	select {
	case g.rooms <- room:
	default:
	}
}

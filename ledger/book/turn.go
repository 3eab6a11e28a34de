package book

import (
	"context"
	"time"

	"timebank/ledger"
)

// command is one wish to write. Its methods are called by the writer alone, in this order; and in this order again when
// it must be decided again.
type command interface {
	// want says what must be looked up before deciding; it is called again when what it found first
	// (an entry, a redemption) tells what else is needed.
	want(w *world, n *wants)
	// decide is pure: it reads the world and gives what to record, and perhaps a refusal.
	decide(w *world) (decision, error)
}

// lone is a command that looks at much of the book, such as all that a team did in half a year. It is
// decided in a batch of its own, so that what it reads is all there is.
type lone interface {
	command
	// look reads what the command needs, and may want more.
	look(ctx context.Context, q selecter, w *world, n *wants) error
}

// decision is what a command comes to: entries to record, of which the last answers the command; or a
// refusal, which is remembered (a refusal may still record that holds have ended).
type decision struct {
	effects []effect
	id      string // of what was made or settled
}

// pending is a command that waits for its turn.
type pending struct {
	ctx    context.Context
	by     ledger.Actor
	key    Key
	dryRun bool
	cmd    command
	done   chan turnResult
}

type turnResult struct {
	receipt Receipt
	err     error
	replay  *answer // when the key was answered before: the caller loads the record
}

// waitMax bounds the wait for a turn, the turn included: whoever waited so long asks again under the same
// key, and is told what became of it.
const waitMax = 30 * time.Second

// submit queues commands, each with a channel for its result; many at once wait in a queue of their own.
func (b *Book) submit(ctx context.Context, ps []*pending) error {
	queue := b.queue
	if len(ps) > 1 {
		queue = b.bulk
	}
	for _, p := range ps {
		p.ctx, p.done = ctx, make(chan turnResult, 1)
	}
	if len(queue)+len(ps) > queueMax {
		return ErrBusy
	}
	for _, p := range ps {
		select {
		case queue <- p:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// await gives the result of a submitted command. When ctx ends first the outcome is unknown to this
// caller: asking again under the same key tells.
func (b *Book) await(ctx context.Context, p *pending) turnResult {
	select {
	case r := <-p.done:
		return r
	case <-ctx.Done():
		return turnResult{err: ctx.Err()}
	}
}

// do submits one command and waits for it.
func (b *Book) do(ctx context.Context, by ledger.Actor, key Key, cmd command) (Receipt, error) {
	if err := checkKey(key); err != nil {
		return Receipt{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, waitMax)
	defer cancel()
	p := &pending{by: by, key: key, cmd: cmd}
	if err := b.submit(ctx, []*pending{p}); err != nil {
		return Receipt{}, err
	}
	results := []turnResult{b.await(ctx, p)}
	b.replayAll(ctx, results)
	return results[0].receipt, results[0].err
}

func checkKey(key Key) error {
	return ledger.CheckTexts(ledger.Text{
		Pointer: "/Idempotency-Key", Value: key.Text, BytesMax: ledger.KeyBytesMax, Required: true})
}

// takeTurns gathers what waits into batches and commits them, until ctx ends. What waits then is told so.
func (b *Book) takeTurns(ctx context.Context) error {
	defer func() {
		b.land(ctx)
		for _, p := range append(b.drain(b.queue, nil, queueMax), b.drain(b.bulk, nil, queueMax)...) {
			p.done <- turnResult{err: ctx.Err()}
		}
	}()
	for ctx.Err() == nil {
		batch := b.gather()
		if len(batch) == 0 {
			select {
			case <-ctx.Done():
				return nil
			case <-b.flying.end():
				b.land(ctx)
				continue
			case p := <-b.queue:
				batch = b.linger(p)
			case p := <-b.bulk:
				batch = b.takeBulk([]*pending{p})
			}
		}
		b.turn(ctx, batch)
	}
	return nil
}

// gather takes what waits already. Those who ask one by one come first, and then those who sent many at once
// have a turn, so that neither waits for more than two turns of the other.
func (b *Book) gather() (batch []*pending) {
	if b.singlesLast {
		batch = b.takeBulk(nil)
	}
	if b.singlesLast = len(batch) == 0; !b.singlesLast {
		return batch
	}
	select {
	case p := <-b.queue:
		return b.linger(p)
	default:
		b.singlesLast = false
		return b.takeBulk(nil)
	}
}

// linger takes the commands that wait one by one. Where many ask at once it lingers for those who were just
// answered and ask again: a fuller batch costs hardly more than a half-empty one. After a batch of one it does not
// linger, so a lone caller is answered at once.
func (b *Book) linger(first *pending) []*pending {
	most := b.share()
	batch := b.drain(b.queue, []*pending{first}, most)
	if !b.mayFly(batch) { // the others would only wait for it
		most = batchMax
		batch = b.drain(b.queue, batch, most)
	}
	for step := 0; !b.full(batch, most) && (step < lingerSteps || b.flying.up()); step++ {
		time.Sleep(lingerStep)
		batch = b.drain(b.queue, batch, most)
	}
	b.lastBatch, b.bulkTurns = len(batch), 0
	return batch
}

// share is the most of those who ask one by one that one batch takes: all but an eighth, and eight in any case. All in one batch
// would wait for PostgreSQL together, and then let PostgreSQL wait. How many ask is the most that did lately: those who were
// just answered are about to ask again. Taking half of them at most made waits less even: who came when a half was full already waited
// for a third turn.
func (b *Book) share() int {
	asking := 1 + len(b.queue)
	if b.bulkTurns == 0 && b.flying.up() {
		asking += len(b.flying.batch)
	}
	b.asking = max(asking, b.asking-(b.asking+askingFades-1)/askingFades)
	return min(batchMax, max(lingerFrom, b.asking-(b.asking+leftForNext-1)/leftForNext))
}

// full reports whether there is nothing to linger for. While a batch is being recorded another could not be, so
// as many as the last had are worth waiting for.
func (b *Book) full(batch []*pending, most int) bool {
	return b.lastBatch < lingerFrom || len(batch) == most || len(batch) >= 2*b.lastBatch ||
		b.flying.up() && len(batch) >= b.lastBatch
}

// takeBulk takes commands that came at once: few while others ask one by one, since these wait for its end.
func (b *Book) takeBulk(batch []*pending) []*pending {
	most := bulkMax
	if b.bulkTurns < bulkTurnsBeside {
		most = bulkBeside
	}
	if batch = b.drain(b.bulk, batch, most); len(batch) > 0 {
		b.bulkTurns++
	}
	return batch
}

// drain adds what waits to a batch, up to a bound.
func (b *Book) drain(queue chan *pending, batch []*pending, most int) []*pending {
	for len(batch) < most {
		select {
		case p := <-queue:
			batch = append(batch, p)
		default:
			return batch
		}
	}
	return batch
}

const (
	// lingerFrom is the size of a batch from which on it pays to wait for the next to fill.
	lingerFrom  = 8
	lingerStep  = 250 * time.Microsecond
	lingerSteps = 4 // a millisecond at most: with two, holds waited longer than the fuller batch was worth
	// leftForNext is of how many who ask one is left for the next batch.
	leftForNext = 8
	// askingFades is in how many turns those who ask no more are forgotten, about.
	askingFades = 16

	// bulkMax bounds a batch of those that came at once. A turn has a fixed cost of some milliseconds, and they
	// wait for many turns; but the first who comes alone waits for two of them.
	bulkMax = 2 * batchMax
	// bulkBeside bounds it for as many turns after one who came alone.
	bulkBeside      = 8
	bulkTurnsBeside = 32 // a tenth of a second
)

// turn commits a batch and answers each caller; a lone command is a batch of its own.
func (b *Book) turn(ctx context.Context, batch []*pending) {
	begun := 0
	for i, p := range batch {
		if _, ok := p.cmd.(lone); ok {
			b.turnOf(ctx, batch[begun:i])
			b.turnOf(ctx, batch[i:i+1])
			begun = i + 1
		}
	}
	b.turnOf(ctx, batch[begun:])
}

// turnOf commits a batch and answers each caller. Hours may still be on their way to the database when it
// returns: the batch after them is decided meanwhile.
func (b *Book) turnOf(ctx context.Context, batch []*pending) {
	live := batch[:0]
	for _, p := range batch {
		if p.ctx.Err() != nil { // nobody waits for it any more, and nothing was begun
			p.done <- turnResult{err: p.ctx.Err()}
			continue
		}
		live = append(live, p)
	}
	if len(live) == 0 {
		return
	}
	b.busy.Store(len(live) >= lingerFrom)
	if !b.mayFly(live) { // it must find in the database what is being recorded
		b.land(ctx)
		b.turnNow(ctx, live)
		return
	}
	ahead := b.decideAhead(ctx, live)
	b.land(ctx)
	if ahead != nil && ahead.w.known == b.known { // the batch before it was recorded
		b.fly(ctx, nil, ahead)
		return
	}
	tx, d, err := b.decideLocked(ctx, live)
	if err != nil {
		b.failed(ctx, live, err)
		return
	}
	b.fly(ctx, tx, d)
}

// turnNow commits a batch and answers each caller. A batch that fails in the database is tried again one
// command at a time, so that a command fails alone.
func (b *Book) turnNow(ctx context.Context, batch []*pending) {
	d, err := b.commit(ctx, batch)
	if err != nil {
		b.failed(ctx, batch, err)
		return
	}
	d.answer()
}

// failed tries a batch again that could not be recorded, one command at a time.
func (b *Book) failed(ctx context.Context, batch []*pending, err error) {
	if len(batch) == 1 {
		batch[0].done <- turnResult{err: err}
		return
	}
	for _, p := range batch {
		b.turnNow(ctx, []*pending{p})
	}
}

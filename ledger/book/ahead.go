package book

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
)

// What comes often is decided ahead of its turn: on what is known, without the lock. One statement then takes the turn,
// and records if the book still ends where it was decided for. Should another process have recorded something in between,
// nothing was recorded, and the batch is decided again under the lock.
//
// While a batch of hours is being recorded, which is PostgreSQL's work, the next is looked up and decided, which is
// ours, in the world as the batch before leaves it. Should that batch fail, the next is decided again.

// flight is a decided batch that is being recorded by a goroutine of its own.
type flight struct {
	*decided
	landed chan struct{}
	err    error // once it has landed
}

// errOvertaken says that the book is not the one for which a batch was decided.
var errOvertaken = errors.New("another process recorded something meanwhile")

// mayFly reports whether the next batch may be decided while this one is recorded, and this one while one before is:
// what hours change, follow tells to other hours. Beside those who ask one by one a large batch must not: who
// came alone would wait for two of them.
func (b *Book) mayFly(batch []*pending) bool {
	if b.bulkTurns > 0 && b.bulkTurns <= bulkTurnsBeside {
		return false
	}
	return all(batch, func(c command) bool {
		_, hours := c.(*postHours)
		return hours
	})
}

// often reports whether a batch may be decided ahead of its turn: hours and redemptions, whose facts change with entries only
// and with the time, which is the entry's own.
func often(batch []*pending) bool {
	return all(batch, func(c command) bool {
		switch c.(type) {
		case *postHours, *hold, *settle, *cancel:
			return true
		}
		return false
	})
}

func all(batch []*pending, is func(command) bool) bool {
	return !slices.ContainsFunc(batch, func(p *pending) bool { return !is(p.cmd) })
}

// decideAhead decides a batch after the one that is being recorded, if there is one; or gives nil where that cannot be. What
// goes wrong goes wrong again under the lock, and is told there.
func (b *Book) decideAhead(ctx context.Context, batch []*pending) *decided {
	if b.overtaken || b.known == nil || !b.known.small() || !often(batch) {
		return nil
	}
	var before *world
	if b.flying != nil {
		before = b.flying.w
	}
	var d *decided
	err := safely(func() (err error) {
		if d, err = b.decideAfter(ctx, before, batch); err == nil && len(d.inserts.rows) > 0 {
			err = errors.New("a batch of hours or redemptions takes more than one statement")
		}
		return err
	})
	if err != nil {
		if ctx.Err() == nil {
			slog.Warn("deciding ahead", "error", err)
		}
		b.known = nil // the batch may have changed some of it
		return nil
	}
	return d
}

// decideAfter decides a batch in the world as the one before leaves it, if one is being recorded. It reads on another
// connection, and may find there what that one records, or not yet.
func (b *Book) decideAfter(ctx context.Context, before *world, batch []*pending) (*decided, error) {
	w, err := b.lookUp(ctx, b.statements, b.known, batch)
	if err != nil {
		return nil, err
	}
	if before != nil {
		w.follow(before)
	}
	return b.decide(w, batch)
}

// follow adds to what was read what a batch of hours before has done.
func (w *world) follow(before *world) {
	for volunteer, claims := range w.claims {
		w.claims[volunteer] = slices.DeleteFunc(claims, func(c *claimFacts) bool { return c.seq >= before.first })
	}
	for i, e := range before.effects {
		if e.learned != nil {
			e.learned(w, before.records[i].Seq)
		}
	}
	for _, a := range before.newAnswers {
		w.answers[a.answerKey] = a
	}
}

// fly records a decided batch and answers its callers, while the caller goes on. Without a transaction it was decided
// ahead, and takes its turn as it is recorded.
func (b *Book) fly(ctx context.Context, tx *writeTx, d *decided) {
	f := &flight{decided: d, landed: make(chan struct{})}
	b.flying = f
	go func() {
		defer close(f.landed)
		f.err = safely(func() (err error) {
			if tx == nil {
				return d.recordAhead(ctx, b.statements)
			}
			return d.record(ctx, tx)
		})
		if f.err == nil {
			d.answer()
		}
	}()
}

// end is closed when a flight has landed; without one it never is.
func (f *flight) end() chan struct{} {
	if f == nil {
		return nil
	}
	return f.landed
}

// up reports whether a batch is still being recorded.
func (f *flight) up() bool {
	select {
	case <-f.end():
		return false
	default:
		return f != nil
	}
}

// land waits for the batch that is being recorded, if there is one. What failed is tried again.
func (b *Book) land(ctx context.Context) {
	f := b.flying
	if f == nil {
		return
	}
	<-f.landed
	b.flying = nil
	if f.err == nil {
		b.recorded(f.w)
		return
	}
	b.known = nil
	if errors.Is(f.err, errOvertaken) {
		b.turnNow(ctx, f.batch)
		return
	}
	b.failed(ctx, f.batch, f.err)
}

// safely turns a panic, our own mistake, into an error.
func safely(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return f()
}

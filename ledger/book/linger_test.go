package book

import (
	"context"
	"errors"
	"testing"
)

// Of those who ask for hours one by one some are left for the next batch, so that one is decided while the other is
// recorded; what cannot be decided ahead is recorded all at once.
func TestThoseWhoAskOneByOneDoNotMeetInOneBatch(t *testing.T) {
	t.Parallel()
	hours, aHold := func() *pending { return &pending{cmd: &postHours{}} }, &pending{cmd: &hold{}}
	b := &Book{queue: make(chan *pending, queueMax)}
	ask := func(n int) (first *pending) {
		for range n {
			b.queue <- hours()
		}
		return <-b.queue
	}
	take := func(what string, first *pending, want int) []*pending {
		t.Helper()
		batch := b.linger(first)
		if len(batch) != want {
			t.Fatalf("%s: a batch of %d, want %d", what, len(batch), want)
		}
		return batch
	}
	most := take("64 wait", ask(64), 56)
	b.flying = &flight{decided: &decided{batch: most}, landed: make(chan struct{})}
	close(b.flying.landed)
	take("56 were recorded and 8 wait", <-b.queue, 8)
	b.flying = &flight{decided: &decided{batch: most[:24]}, landed: make(chan struct{})}
	take("24 are recorded and 40 wait", ask(40), 40)
	close(b.flying.landed)
	take("of the 24 who were answered 20 ask again", ask(20), 20)
	first := ask(64)
	b.queue <- aHold
	for range 200 {
		b.queue <- hours()
	}
	take("265 wait, a hold among the first", first, batchMax)
}

// Those who ask no more are forgotten down to the last, so that the few who are left do not meet in one batch for good.
func TestTheFewWhoAreLeftDoNotMeetInOneBatch(t *testing.T) {
	t.Parallel()
	b := &Book{queue: make(chan *pending, queueMax)}
	for range 63 {
		b.queue <- &pending{cmd: &postHours{}}
	}
	if got := b.share(); got != 56 {
		t.Fatalf("64 ask: a share of %d, want 56", got)
	}
	b.queue = make(chan *pending, queueMax)
	for range 11 {
		b.queue <- &pending{cmd: &postHours{}}
	}
	for range 100 {
		b.share()
	}
	if got := b.share(); got != 10 {
		t.Errorf("12 ask since: a share of %d, want 10", got)
	}
}

// How many ask is those who wait and those who are being recorded.
func TestThoseWhoAreBeingRecordedAskToo(t *testing.T) {
	t.Parallel()
	b := &Book{queue: make(chan *pending, queueMax)}
	b.flying = &flight{decided: &decided{batch: make([]*pending, 32)}, landed: make(chan struct{})}
	for range 63 {
		b.queue <- &pending{cmd: &postHours{}}
	}
	if got := b.share(); got != 84 {
		t.Errorf("32 are recorded and 64 wait: a share of %d, want 84", got)
	}
}

// What waits when the turns end is told so, and does not wait until its time is over.
func TestWhatWaitsWhenTheTurnsEndIsToldSo(t *testing.T) {
	t.Parallel()
	b := &Book{queue: make(chan *pending, queueMax), bulk: make(chan *pending, queueMax)}
	var all []*pending
	for _, queue := range []chan *pending{b.queue, b.queue, b.bulk} {
		p := &pending{cmd: &postHours{}, done: make(chan turnResult, 1)}
		queue <- p
		all = append(all, p)
	}
	ctx, end := context.WithCancel(t.Context())
	end()
	if err := b.takeTurns(ctx); err != nil {
		t.Fatal(err)
	}
	for i, p := range all {
		select {
		case r := <-p.done:
			if !errors.Is(r.err, context.Canceled) {
				t.Errorf("command %d was told %v", i, r.err)
			}
		default:
			t.Errorf("command %d was told nothing", i)
		}
	}
}

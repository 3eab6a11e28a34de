package book

import "testing"

// Those who ask for hours one by one are recorded by halves, so that one half is decided while the other is
// recorded; what cannot be decided ahead is recorded all at once.
func TestThoseWhoAskOneByOneAreRecordedByHalves(t *testing.T) {
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
	half := take("64 wait", ask(64), 32)
	b.flying = &flight{decided: &decided{batch: half}, landed: make(chan struct{})}
	take("32 are recorded and 32 wait", <-b.queue, 32)
	close(b.flying.landed)
	take("of the 32 who were answered 20 ask again", ask(20), 20)
	first := ask(64)
	b.queue <- aHold
	for range 200 {
		b.queue <- hours()
	}
	take("265 wait, a hold among the first", first, batchMax)
}

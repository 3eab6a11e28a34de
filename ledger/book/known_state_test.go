package book

import (
	"database/sql"
	"slices"
	"testing"
	"time"

	"timebank/ledger"
)

// Another book may have as many entries, and its last of the same time: what is known is of the one whose last entry it saw.
func TestWhatIsKnownIsOfOneBook(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	state := func(next ledger.Seq, salt ...byte) bookState {
		return bookState{Next: next, Last: sql.NullTime{Time: at, Valid: next > 0}, Salt: salt}
	}
	mine := slices.Repeat([]byte{1}, 16)
	other := append(slices.Repeat([]byte{1}, 15), 2)
	for _, test := range []struct {
		what  string
		known bookState
		now   bookState
		holds bool
	}{
		{"the same", state(7, mine...), state(7, mine...), true},
		{"another last entry of the same time", state(7, mine...), state(7, other...), false},
		{"one entry more", state(7, mine...), state(8, mine...), false},
		{"an empty book", state(0), state(0), true},
		{"no longer empty", state(0), state(1, mine...), false},
	} {
		if got := newKnown(test.known).holds(test.now); got != test.holds {
			t.Errorf("%s: holds = %t, want %t", test.what, got, test.holds)
		}
	}
	if (*known)(nil).holds(state(0)) {
		t.Error("nothing known holds")
	}
}

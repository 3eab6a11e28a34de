package book_test

import (
	"strings"
	"testing"

	"timebank/ledger/book/booktest"
)

// History decides again as it did; a superuser who changes one recorded decision is named.
func TestReplayNamesWhatWasDecidedOtherwise(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	elder, org, partner, posted := saved(t, b, 300)
	if _, err := (redemptions{b, t, elder, partner}).hold(60); err != nil {
		t.Fatal(err)
	}
	b.MustPost(t, org, booktest.Served(t, elder, "2026-03-07", 500))
	r, err := b.Replay(t.Context(), nil)
	if err != nil || r.Decided != 3 || r.Err() != nil {
		t.Fatalf("Replay = %+v, %v, want three decisions and nothing found", r, err)
	}
	b.Tamper(t, `UPDATE entry SET details = replace(details, '"out":300', '"out":301') WHERE seq = (SELECT min(seq) FROM claim)`)
	r, err = b.Replay(t.Context(), nil)
	if err != nil || len(r.Findings) != 1 || r.Findings[0].Seq != posted.Seq || !strings.Contains(r.Findings[0].What, "otherwise") {
		t.Errorf("Replay = %+v, %v, want entry %d found", r, err, posted.Seq)
	}
}

package book

import (
	"slices"
	"testing"

	"timebank/ledger"
)

// What the batch before recorded counts once, whether it could be read already or not.
func TestFollowTellsTheBatchBeforeOnce(t *testing.T) {
	const helper = "helper"
	of := func(seq ledger.Seq) *claimFacts { return &claimFacts{seq: seq, volunteer: helper} }
	before := &world{first: 5, records: []*Record{{Entry: ledger.Entry{Seq: 5}}, {Entry: ledger.Entry{Seq: 6}}}}
	learned := func(w *world, seq ledger.Seq) { w.claims[helper] = append(w.claims[helper], of(seq)) }
	before.effects = []effect{{learned: learned}, {learned: learned}}
	for _, read := range [][]ledger.Seq{{2, 4}, {2, 4, 5, 6}} {
		w := &world{claims: map[string][]*claimFacts{}, answers: map[answerKey]answer{}}
		for _, seq := range read {
			w.claims[helper] = append(w.claims[helper], of(seq))
		}
		w.follow(before)
		var seqs []ledger.Seq
		for _, c := range w.claims[helper] {
			seqs = append(seqs, c.seq)
		}
		if !slices.Equal(seqs, []ledger.Seq{2, 4, 5, 6}) {
			t.Errorf("read %d: claims %d, want 2, 4, 5, 6", read, seqs)
		}
	}
}

package main

import (
	"crypto/rand"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"timebank/ledger/translog"
	"timebank/ledger/witness/witnesstest"
)

// As many witnesses as are demanded must have cosigned; others on the checkpoint do not count.
func TestQuorum(t *testing.T) {
	t.Parallel()
	skey, _, err := translog.NewKey(rand.Reader, "timebank.test/log")
	if err != nil {
		t.Fatal(err)
	}
	log, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	one, lineOne := witnesstest.Key(t, "witness.test/one", "http://x")
	_, lineTwo := witnesstest.Key(t, "witness.test/two", "http://x")
	stranger, _ := witnesstest.Key(t, "witness.test/stranger", "http://x")
	signed, err := translog.Sign(translog.Checkpoint{Origin: "timebank.test/log", Size: 1}, log, one, stranger)
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{strings.Fields(lineOne)[1], strings.Fields(lineTwo)[1]}
	for _, x := range []struct {
		keys   []string
		quorum int
		right  bool
	}{{keys, 1, true}, {keys, 2, false}, {keys, 0, false}, {keys[:1], 0, true}, {keys[1:], 1, false}, {nil, 0, true}} {
		w, err := (&settings{witnesses: x.keys, quorum: x.quorum}).readWitnesses()
		if err != nil {
			t.Fatal(err)
		}
		if err := w.check(signed); (err == nil) != x.right {
			t.Errorf("a quorum of %d of %d witnesses: %v", x.quorum, len(x.keys), err)
		}
	}
}

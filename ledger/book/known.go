package book

import (
	"bytes"
	"time"

	"timebank/ledger"
)

// known is what the writer remembers from one batch to the next: facts that only entries change, as of the
// entry before next. The number of entries is its version. Under the writers' lock a batch sees whether
// anybody else recorded something since; then, and whenever a batch fails, everything is forgotten and read
// again. What the database refuses (a wrong running balance, a missing account) it refuses still.
type known struct {
	next          ledger.Seq
	last          time.Time // when the entry before next was recorded
	salt          [16]byte  // of that entry: no other has it
	accounts      map[string][]*account
	organizations map[string]ledger.OrganizationKind
	volunteers    map[string]*volunteerFacts
	choices       map[string][]choiceFacts
	wards         map[string][]WardConsent
	partners      map[string]bool
	spending      *spending
	frontier      map[int64]ledger.Hash
}

// knownMax bounds the owners that are remembered: with some ten accounts each they take about two kilobytes.
// Beyond it remembering begins anew.
// That somebody chose nothing is remembered too, also of ids that a client made up.
const knownMax = 20_000

func newKnown(s bookState) *known {
	k := &known{next: s.Next, last: s.Last.Time, accounts: map[string][]*account{}, organizations: map[string]ledger.OrganizationKind{},
		volunteers: map[string]*volunteerFacts{}, choices: map[string][]choiceFacts{}, wards: map[string][]WardConsent{}, partners: map[string]bool{}, spending: newSpending()}
	copy(k.salt[:], s.Salt)
	return k
}

// holds reports whether what is known is the state of a book that ends there.
func (k *known) holds(s bookState) bool {
	return k != nil && s.endsWith(k.next, k.salt)
}

// endsWith reports whether the book has so many entries, and that one last. Their number and times alone could be
// those of another book: one that was restored, or that another process continued while the clock stood still.
func (s bookState) endsWith(next ledger.Seq, salt [16]byte) bool {
	return s.Next == next && (next == 0 || bytes.Equal(s.Salt, salt[:]))
}

// small reports whether it is still worth its memory.
func (k *known) small() bool {
	return len(k.accounts) <= knownMax && len(k.choices) <= knownMax && len(k.wards) <= knownMax && k.spending.small()
}

// learn takes over what a batch left. Balances are those of the accounts themselves.
func (k *known) learn(w *world) {
	if len(w.records) == 0 {
		return
	}
	for i, r := range w.records {
		switch r.Kind {
		case ledger.KindChoice:
			clear(k.choices)
		case ledger.KindWard:
			clear(k.wards)
		}
		for _, a := range w.effects[i].opens { // who was just registered is often the next to be posted for
			owner := ownerName(a.Owner)
			k.accounts[owner] = append(k.accounts[owner], w.accountByID[a.ID])
		}
	}
	k.next, k.last, k.salt, k.frontier = w.next, w.now, w.records[len(w.records)-1].Salt, w.frontier
}

// missing gives those of a list that are not remembered, and hands what is to found.
func missing[T any](list []string, remembered map[string]T, found func(owner string, x T)) (ask []string) {
	for _, owner := range list {
		if x, ok := remembered[owner]; ok {
			found(owner, x)
		} else {
			ask = append(ask, owner)
		}
	}
	return ask
}

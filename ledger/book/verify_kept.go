package book

import (
	"slices"
	"strings"

	"timebank/ledger"
	"timebank/policy"
)

// keptClaim is what later entries need of a claim.
type keptClaim struct {
	servedClaim
	volunteer string         // for whom the tally counts it
	moved     ledger.Minutes // to the volunteer's record of service
	rules     *policy.Rules  // that decided it; nil where it was not decided again
	servedOn  ledger.Date
	minutes   ledger.Minutes
	earned    policy.Earned
	taken     bool // a correction took it back
}

// keep prepares what is kept of a claim.
func (k *keptClaim) keep(r *prepared) {
	k.volunteer = r.Volunteer
	for i := range r.Lines {
		if l := &r.Lines[i]; l.Owner.Kind == ledger.OwnerVolunteer && l.Purpose == ledger.Served {
			k.moved = l.Minutes
		}
	}
}

// count keeps what the tally counted of a claim, so that a correction takes back the same.
func (k *keptClaim) count(f policy.ClaimFacts, e policy.Earned, rules *policy.Rules) {
	k.servedOn, k.minutes, k.earned, k.rules = f.ServedOn, f.Minutes, e, rules
}

// keptHold is what later entries need of a hold.
type keptHold struct {
	redeemer string // who redeems; empty when that cannot be read
	on       ledger.Date
	counts   ledger.Minutes // against the month: what is held, or when it is settled what was given
	settled  bool
	careAt   int64
	booked   bool
	taken    bool // it was settled
}

// keptBy keeps things by the entry that they are of, in the order of the entries: however far apart these are
// numbered, it takes no more than there are.
type keptBy[T any] struct {
	seqs []ledger.Seq
	all  []*T
}

// put keeps what is of an entry that comes after all before it, or is there twice; then the last counts.
func (k *keptBy[T]) put(seq ledger.Seq, x *T) {
	if last := len(k.seqs) - 1; last >= 0 && k.seqs[last] == seq {
		k.all[last] = x
		return
	}
	k.seqs, k.all = append(k.seqs, seq), append(k.all, x)
}

// of gives what is kept of an entry, or nil.
func (k *keptBy[T]) of(seq ledger.Seq) *T {
	if i, ok := slices.BinarySearch(k.seqs, seq); ok {
		return k.all[i]
	}
	return nil
}

// same gives the text of the two that is there anyway, when they are equal.
func same(read, kept string) string {
	if read == kept {
		return kept
	}
	return read
}

// wordsMax bounds the words of which one copy is kept; a book has some tens of services and four positions.
const wordsMax = 4096

// word gives one copy of a word that many entries have.
func (v *verifier) word(s string) string {
	if w, ok := v.words[s]; ok {
		return w
	}
	if len(v.words) < wordsMax {
		s = strings.Clone(s) // which is a part of the details
		v.words[s] = s
	}
	return s
}

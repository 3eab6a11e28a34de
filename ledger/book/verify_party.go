package book

import (
	"strings"

	"timebank/ledger"
	"timebank/policy"
)

// party is what the entries so far come to on one volunteer, organization or partner.
type party struct {
	id       string
	number   int32 // by which kept claims name it
	tally    policy.Tally
	credit   ledger.Minutes // on the care, held and owed accounts
	held     ledger.Minutes
	spent    ledger.Minutes
	served   []int32 // claims by a volunteer, by where they are kept
	gathered []int32 // and those for an organization
	granted  []flow
	received []flow // into the credit of a volunteer, or taken back by a correction
	choices  []choiceFacts
	gifts    []giftFacts // that a volunteer gave
	wards    []WardConsent
	strikes  []ledger.Date // against a volunteer or a partner
	honours  []honourFacts
	assessed []string // of an organization: first days of periods
	redeemed redeemedKept
}

// parties keeps them by their ids, and by their numbers.
type parties struct {
	byID map[string]*party
	all  []*party
}

// of gives what is kept of one; of one that nothing was kept of, from now on.
func (p *parties) of(id string) *party {
	x := p.byID[id]
	if x == nil {
		x = &party{id: strings.Clone(id), number: int32(len(p.all))} // it may be a part of the details
		p.byID[x.id], p.all = x, append(p.all, x)
	}
	return x
}

// lexicon keeps texts that many entries have once, and numbers them.
type lexicon struct {
	byText map[string]int32
	all    []string
}

func (l *lexicon) number(s string) int32 {
	n, ok := l.byText[s]
	if !ok {
		s, n = strings.Clone(s), int32(len(l.all)) // as above
		l.byText[s], l.all = n, append(l.all, s)
	}
	return n
}

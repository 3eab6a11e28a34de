package book

import (
	"crypto/rand"
	"fmt"
	"time"

	"timebank/ledger"
	"timebank/ledger/translog"
	"timebank/policy"
)

// world is what a batch knows: the facts looked up for its commands, and what its commands have done to
// them so far. While what it came to is recorded, the next batch reads it; of the accounts, which both share, the
// balances are then the next one's.
type world struct {
	now      time.Time
	clock    CareTime // now, by the clock on the wall
	today    ledger.Date
	first    ledger.Seq // the entry with which the batch begins
	salt     [16]byte   // of the entry before that
	next     ledger.Seq
	ruleSets []*policy.Rules
	known    *known

	answers       map[answerKey]answer
	accounts      map[accountKey]*account
	accountByID   map[ledger.AccountID]*account
	organizations map[string]ledger.OrganizationKind
	volunteers    map[string]*volunteerFacts
	partners      map[string]bool
	clients       map[string]bool // id -> revoked
	taken         map[externalID]bool
	claims        map[string][]*claimFacts // by volunteer
	references    map[referenceKey]*claimFacts
	targets       map[ledger.Seq]*target
	holds         map[string]*holdFacts // by id
	spending      *spending
	choices       map[string][]choiceFacts // by owner, in the order made
	carried       map[carryKey]policy.Carry
	drafts        map[ledger.Hash]*draftFacts
	relations     map[pairKey]*relationFacts // the latest of each pair
	gifts         map[string][]giftFacts     // by giver, of this year
	granted       map[string]ledger.Minutes  // from the pool, to givers, of this year
	wards         map[string][]WardConsent   // of each child, in the order given

	records    []*Record
	effects    []effect
	newAnswers []answer
	frontier   map[int64]ledger.Hash // hashes at the right edge of the log
	rulesAdded bool
	broken     error // our own mistake: nothing of the batch may be recorded
}

type (
	answerKey    struct{ client, key string }
	accountKey   struct{ owner, purpose string } // owner: an id, or "bank" or "pool"
	externalID   struct{ kind, id string }
	referenceKey struct{ organization, reference string }
	consentKey   struct{ volunteer, partner string }
)

type answer struct {
	answerKey
	request ledger.Hash
	seq     *ledger.Seq
	id      string
	refusal *ledger.Refusal
	fresh   *Record // set in the batch that made it
}

type account struct {
	ledger.Account
	balance ledger.Minutes
}

type volunteerFacts struct {
	born     ledger.Date
	guardian string
	roles    []ledger.VolunteerRole
}

// claimFacts is a claim as the ledger has it.
type claimFacts struct {
	seq          ledger.Seq
	volunteer    string
	organization string
	servedOn     ledger.Date
	spanFrom     int64
	spanTo       int64
	hasSpan      bool
	fingerprint  ledger.Hash
	minutes      ledger.Minutes
	care, youth  ledger.Minutes
	pooled       ledger.Minutes
	corrected    bool
}

// target is an entry that a command refers to.
type target struct {
	seq          ledger.Seq
	kind         ledger.Kind
	effective    ledger.Date
	rules        ledger.Hash
	organization string
	volunteer    string
	postings     []ledger.Posting
	details      []byte
	corrected    bool
}

type holdFacts struct {
	seq       ledger.Seq
	id        string
	volunteer string
	partner   string
	service   string
	minutes   ledger.Minutes
	consent   ledger.Seq
	endsAt    time.Time
	settled   bool
	given     ledger.Minutes
	on        ledger.Date // the day it was made
	careAt    *CareTime   // when the care is booked for, if it is
}

type consentFacts struct {
	seq        ledger.Seq
	minutesMax ledger.Minutes
	until      ledger.Date
	given      ledger.Minutes // of what was held under it
}

// effect is an entry to record and the rows that go with it.
type effect struct {
	draft        ledger.Draft
	organization string
	volunteer    string
	partner      string
	system       bool // nobody asked for it: a hold ended by its time

	opens   []ledger.Account               // accounts opened with it
	claim   *claimRow                      // a recorded claim
	carried map[carryKey]policy.Carry      // what rounding leaves after it
	decided *policy.Decided                // what the rules decided, where a receipt tells it often
	made    *holdFacts                     // a hold that it is
	settles *holdFacts                     // a hold that it settles
	given   ledger.Minutes                 // of what it settles
	rows    func(seq ledger.Seq) []row     // rows of the rarer tables
	learned func(w *world, seq ledger.Seq) // what later commands of the batch must see
}

// row is one statement of a rarer table.
type row struct {
	query string
	args  []any
}

// ownerName is the owner part of an accountKey.
func ownerName(o ledger.Owner) string {
	if o.ID == "" {
		return string(o.Kind)
	}
	return o.ID
}

// account gives an account of an owner; every owner has all accounts of the chart, so a missing one is
// our own mistake.
func (w *world) account(owner string, purpose ledger.Purpose) *account {
	a, ok := w.accounts[accountKey{owner, string(purpose)}]
	if !ok {
		panic(fmt.Sprintf("account %s of %s was not prefetched", purpose, owner))
	}
	return a
}

func (w *world) bank(purpose ledger.Purpose) *account {
	return w.account(string(ledger.OwnerBank), purpose)
}

func (w *world) putAccount(a *account) {
	w.accounts[accountKey{ownerName(a.Owner), string(a.Purpose)}] = a
	w.accountByID[a.ID] = a
}

// rules gives the rule set in force on a date.
func (w *world) rules(on ledger.Date) (*policy.Rules, error) { return policy.Choose(w.ruleSets, on) }

// counts gives what any rule set of the book counts: which of them decides depends on the day.
func (w *world) counts() (c policy.Counts) {
	for _, r := range w.ruleSets {
		c = c.Or(r.Counts())
	}
	return c
}

// rulesOf gives the rule set with a hash.
func (w *world) rulesOf(h ledger.Hash) (*policy.Rules, error) { return rulesByHash(w.ruleSets, h) }

func rulesByHash(sets []*policy.Rules, h ledger.Hash) (*policy.Rules, error) {
	for _, r := range sets {
		if r.Hash() == h {
			return r, nil
		}
	}
	return nil, fmt.Errorf("rule set %s is not in the book", h)
}

// draft makes the record that an effect would become, with running balances, and changes nothing.
func (w *world) draft(by ledger.Actor, e effect) (*Record, error) {
	d := e.draft
	if !e.system {
		d.By = by.Client
	}
	ledger.SortPostings(d.Postings)
	if err := d.Check(); err != nil {
		return nil, fmt.Errorf("drafting %s: %w", d.Kind, err)
	}
	r := &Record{
		Entry:        ledger.Entry{Draft: d, Seq: w.next, Recorded: w.now},
		Organization: e.organization, Volunteer: e.volunteer, Partner: e.partner,
		Lines: make([]Line, 0, len(d.Postings)),
	}
	for _, p := range d.Postings {
		a, ok := w.accountByID[p.Account]
		if !ok {
			return nil, fmt.Errorf("account %s of a %s was not prefetched", p.Account, d.Kind)
		}
		balance := a.balance + p.Minutes
		if balance < 0 && !a.MayOwe {
			return nil, fmt.Errorf("%s would leave %d minutes on account %s", d.Kind, balance, p.Account)
		}
		r.Lines = append(r.Lines, Line{Posting: p, Owner: a.Owner, Purpose: a.Purpose, Balance: balance})
	}
	return r, nil
}

// apply makes an effect part of the batch: it gets its number, and the commands after it see it. key is the
// one that it answers, or nil.
func (w *world) apply(by ledger.Actor, e effect, key *asked) (*Record, error) {
	for _, a := range e.opens {
		w.putAccount(&account{Account: a})
	}
	r, err := w.draft(by, e)
	if err != nil {
		return nil, err
	}
	if r.Details, err = bindingOf(r, e, key).bind(r.Details); err != nil {
		return nil, err
	}
	if _, err := rand.Read(r.Salt[:]); err != nil {
		return nil, fmt.Errorf("making a salt: %w", err)
	}
	if r.Leaf, err = translog.CheckedLeaf(r.Entry); err != nil { // one that could be read in two ways is never written
		return nil, fmt.Errorf("writing the leaf of %s: %w", r.Kind, err)
	}
	for _, l := range r.Lines {
		w.accountByID[l.Account].balance = l.Balance
	}
	r.LeafHash = translog.LeafHash(r.Leaf)
	w.records, w.effects = append(w.records, r), append(w.effects, e)
	w.next++
	if e.learned != nil {
		e.learned(w, r.Seq)
	}
	return r, nil
}

// creditCare appends what gives care credit to a volunteer from an account: it repays first what the
// volunteer owes since a correction.
func (w *world) creditCare(ps []ledger.Posting, from ledger.AccountID, volunteer string, m ledger.Minutes) []ledger.Posting {
	owed := w.account(volunteer, ledger.CareOwed)
	repaid := min(m, -owed.balance)
	ps = ledger.Move(ps, ledger.Care, from, owed.ID, repaid)
	return ledger.Move(ps, ledger.Care, from, w.account(volunteer, ledger.CarePurpose).ID, m-repaid)
}

package ledger

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"
)

// Seq numbers entries from 0 without gaps, in the order they were recorded; it is also the index of
// the entry's leaf in the log.
type Seq int64

// Kind says what an entry records.
type Kind string

// The kinds of entry. Those above the blank line move minutes; the others are facts without postings.
const (
	KindHours       Kind = "hours"        // a claim of service, and what it earned
	KindCorrection  Kind = "correction"   // reverses the entry it refers to
	KindHold        Kind = "hold"         // care credit set aside for a redemption
	KindConfirm     Kind = "confirm"      // care was given; the rest of the hold is released
	KindCancel      Kind = "cancel"       // the hold is given back
	KindHoldExpired Kind = "hold-expired" // the hold ended by its time and is given back
	KindTransfer    Kind = "transfer"     // care credit given to a relative
	KindDonation    Kind = "donation"     // care credit given to the pool
	KindGrant       Kind = "grant"        // care credit given from the pool to somebody in need
	KindExpiry      Kind = "expiry"       // care credit whose time is over
	KindSupport     Kind = "support"      // the standing of a professional team, assessed for a period

	KindOrganization Kind = "organization"
	KindVolunteer    Kind = "volunteer"
	KindPartner      Kind = "partner"
	KindClient       Kind = "client"         // credentials were issued
	KindClientRevoke Kind = "client-revoked" // credentials ended
	KindConsent      Kind = "consent"        // a volunteer lets a partner hold credit
	KindRulesDraft   Kind = "rules-draft"    // a rule set is proposed
	KindRulesApprove Kind = "rules-approval" // another person approves it
	KindRules        Kind = "rules"          // a rule set takes effect
	KindChoice       Kind = "choice"         // a volunteer or an organization chooses where rules let them
	KindRelation     Kind = "relation"       // two volunteers are relatives, as an organization checked
	KindRelationEnd  Kind = "relation-ended"
	KindWard         Kind = "guardian-consent" // a guardian lets a child take part
	KindApplication  Kind = "application"      // somebody asks the pool for care
	KindHonour       Kind = "honour"           // a certificate or commendation is given
	KindHonourList   Kind = "honour-consent"   // a volunteer lets the list of honour name them
	KindNomination   Kind = "nomination"       // an organization puts somebody forward for a commendation
	KindReferral     Kind = "referral"         // somebody overburdened is pointed to support
	KindClarify      Kind = "clarification"    // an unfounded complaint is put right
	KindRefusal      Kind = "refusal"          // a wish to write was refused, by a rule or by the state of the book
	KindRead         Kind = "read"             // an operator or auditor read personal data
)

// Kinds lists every kind.
var Kinds = []Kind{
	KindHours, KindCorrection, KindHold, KindConfirm, KindCancel, KindHoldExpired,
	KindTransfer, KindDonation, KindGrant, KindExpiry, KindSupport,
	KindOrganization, KindVolunteer, KindPartner, KindClient, KindClientRevoke, KindConsent,
	KindRulesDraft, KindRulesApprove, KindRules, KindChoice, KindRelation, KindRelationEnd, KindWard, KindApplication,
	KindHonour, KindHonourList, KindNomination, KindReferral, KindClarify, KindRefusal, KindRead,
}

// PostingsMax bounds one entry: a claim makes at most six postings, a correction of one as many and
// two more; what a later rule may add stays far below.
const PostingsMax = 32

// Hash is a SHA-256 hash.
type Hash [sha256.Size]byte

// String gives the hash in hexadecimal digits.
func (h Hash) String() string {
	var room [2 * sha256.Size]byte
	return string(hex.AppendEncode(room[:0], h[:]))
}

// IsZero reports whether no hash was set.
func (h Hash) IsZero() bool { return h == Hash{} }

// ParseHash reads what String gives.
func ParseHash(s string) (Hash, error) {
	var h Hash
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(h) || hex.EncodeToString(b) != s {
		return h, fmt.Errorf("%w: %q is not a SHA-256 hash in lower-case hexadecimal digits", ErrInvalid, s)
	}
	copy(h[:], b)
	return h, nil
}

// Posting moves minutes into an account (or out of it, when negative).
type Posting struct {
	Account AccountID
	Unit    Unit
	Minutes Minutes
}

// Draft is an entry that is not recorded yet.
type Draft struct {
	Kind      Kind
	Effective Date   // the civil day it is about
	By        string // the client that asked for it, by its id
	Rules     Hash   // the rule set that decided; zero when none did
	Refers    *Seq   // the entry it corrects or settles
	Postings  []Posting
	Details   []byte // canonical JSON: claim, facts, explanation; the leaf commits to it with a salt
}

// Check is the only door into the ledger: it refuses a draft whose postings do not sum to zero in
// each unit, that has a posting of nothing, touches an account twice, or breaks a bound. A draft without
// postings records a fact.
func (d Draft) Check() error {
	if !slices.Contains(Kinds, d.Kind) {
		return fmt.Errorf("%w: unknown kind of entry %q", ErrInvalid, d.Kind)
	}
	if d.Effective < DateMin || d.Effective > DateMax {
		return fmt.Errorf("%w: effective date %s out of range", ErrInvalid, d.Effective)
	}
	if len(d.Postings) > PostingsMax {
		return fmt.Errorf("%w: %d postings, at most %d", ErrInvalid, len(d.Postings), PostingsMax)
	}
	for _, p := range d.Postings {
		if kinds := movedBy[p.Unit]; kinds != nil && !slices.Contains(kinds, d.Kind) {
			return fmt.Errorf("%w: an entry of kind %s moves %s", ErrInvalid, d.Kind, p.Unit)
		}
	}
	for i, p := range d.Postings {
		if err := p.check(); err != nil {
			return err
		}
		for _, before := range d.Postings[:i] { // few: a map of them would cost more than all else here
			if before.Account == p.Account {
				return fmt.Errorf("%w: account %s is touched twice", ErrInvalid, p.Account)
			}
		}
	}
	for _, u := range Units {
		if sum := d.sum(u); sum != 0 {
			return fmt.Errorf("%w: postings in %s sum to %d, not to zero", ErrInvalid, u, sum)
		}
	}
	return nil
}

func (d Draft) sum(u Unit) (m Minutes) {
	for _, p := range d.Postings {
		if p.Unit == u {
			m += p.Minutes
		}
	}
	return m
}

// movedBy says which kinds of entry alone may move a unit: the record of service, and that of the young,
// is made and taken back, and never given to anybody.
var movedBy = map[Unit][]Kind{
	Service: {KindHours, KindCorrection},
	Youth:   {KindHours, KindCorrection},
	Support: {KindSupport},
}

func (p Posting) check() error {
	switch {
	case p.Account <= 0:
		return fmt.Errorf("%w: posting without an account", ErrInvalid)
	case !slices.Contains(Units, p.Unit):
		return fmt.Errorf("%w: unknown unit %q", ErrInvalid, p.Unit)
	case p.Minutes == 0:
		return fmt.Errorf("%w: posting of no minutes to account %s", ErrInvalid, p.Account)
	case p.Minutes > PostingMinutesMax || p.Minutes < -PostingMinutesMax:
		return fmt.Errorf("%w: posting of %d minutes to account %s", ErrInvalid, p.Minutes, p.Account)
	}
	return nil
}

// Move appends to ps what moves m minutes of a unit from one account to another; a move of nothing
// appends nothing, and an account already touched keeps a single posting.
func Move(ps []Posting, unit Unit, from, to AccountID, m Minutes) []Posting {
	if m == 0 {
		return ps
	}
	return add(add(ps, Posting{from, unit, -m}), Posting{to, unit, m})
}

func add(ps []Posting, p Posting) []Posting {
	for i := range ps {
		if ps[i].Account != p.Account {
			continue
		}
		ps[i].Minutes += p.Minutes
		if ps[i].Minutes == 0 {
			return slices.Delete(ps, i, i+1)
		}
		return ps
	}
	return append(ps, p)
}

// Reverse gives the postings that undo ps.
func Reverse(ps []Posting) []Posting {
	back := slices.Clone(ps)
	for i := range back {
		back[i].Minutes = -back[i].Minutes
	}
	return back
}

// Entry is a recorded draft. It never changes.
type Entry struct {
	Draft
	Seq      Seq
	Recorded time.Time // UTC, whole microseconds, by the database's clock
	Salt     [16]byte  // blinds the commitment to Details
}

// Commitment binds an entry to its details without telling them: SHA-256 of salt and details.
func (e Entry) Commitment() Hash {
	h := sha256.New()
	h.Write(e.Salt[:])
	h.Write(e.Details)
	var sum Hash
	h.Sum(sum[:0])
	return sum
}

// SortPostings puts postings into the one order in which they are recorded and hashed.
func SortPostings(ps []Posting) { slices.SortFunc(ps, ComparePostings) }

// ComparePostings is that order: by unit, in the order of [Units], and then by account.
func ComparePostings(a, b Posting) int {
	if a.Unit == b.Unit {
		return cmp.Compare(a.Account, b.Account)
	}
	return cmp.Or(cmp.Compare(slices.Index(Units, a.Unit), slices.Index(Units, b.Unit)), cmp.Compare(a.Account, b.Account))
}

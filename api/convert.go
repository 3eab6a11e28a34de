package api

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
)

func instant(t time.Time) gen.Instant { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// optional gives nil for an empty text.
func optional[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func seqPointer(s *ledger.Seq) *int64 {
	if s == nil {
		return nil
	}
	n := int64(*s)
	return &n
}

// date reads a date of a request; pointer says where it stood.
func date(pointer, text string) (ledger.Date, error) {
	d, err := ledger.ParseDate(text)
	if err != nil {
		return 0, &ledger.Invalid{Code: "date_malformed", Pointer: pointer, Detail: fmt.Sprintf("%s is not a day of the calendar like 2026-03-05", pointer[1:])}
	}
	return d, nil
}

func optionalDate(pointer string, text *gen.Date) (*ledger.Date, error) {
	if text == nil {
		return nil, nil
	}
	d, err := date(pointer, *text)
	return &d, err
}

func optionalClock(pointer string, text *gen.Clock) (*ledger.Clock, error) {
	if text == nil {
		return nil, nil
	}
	c, err := ledger.ParseClock(*text)
	if err != nil {
		return nil, &ledger.Invalid{Code: "clock_malformed", Pointer: pointer, Detail: pointer[1:] + " is not a time of day like 09:30"}
	}
	return &c, nil
}

func postings(r book.Record) []gen.Posting {
	ps := make([]gen.Posting, len(r.Lines))
	for i := range r.Lines {
		l := &r.Lines[i]
		ps[i] = gen.Posting{Account: l.Account.String(), OwnerKind: gen.OwnerKind(l.Owner.Kind),
			Purpose: string(l.Purpose), Unit: gen.Unit(l.Unit), Minutes: int64(l.Minutes)}
		if l.Owner.ID != "" {
			ps[i].OwnerId = &l.Owner.ID
		}
	}
	return ps
}

// withBalances adds the running balances, which only readers of the whole account may see.
func withBalances(r book.Record, ps []gen.Posting) []gen.Posting {
	for i, l := range r.Lines {
		balance := int64(l.Balance)
		ps[i].Balance = &balance
	}
	return ps
}

func (s *Server) ruleSetName(h ledger.Hash) *gen.RuleSetName {
	if h.IsZero() {
		return nil
	}
	return &gen.RuleSetName{Id: s.book.RuleSetID(h), Hash: h.String()}
}

// entry tells an entry whole. Only who may read an account's balances sees the running ones.
func (s *Server) entry(r book.Record, by ledger.Actor) (gen.Entry, error) {
	g := gen.Entry{Seq: int64(r.Seq), Kind: gen.EntryKind(r.Kind), Effective: r.Effective.String(), RecordedAt: instant(r.Recorded),
		Postings: postings(r), RuleSet: s.ruleSetName(r.Rules), RefersTo: seqPointer(r.Refers), CorrectedBy: seqPointer(r.CorrectedBy),
		By: optional(r.By), OrganizationId: optional(r.Organization), VolunteerId: optional(r.Volunteer), PartnerId: optional(r.Partner),
		DetailsText: string(r.Details), Salt: fmt.Sprintf("%x", r.Salt), Leaf: string(r.Leaf),
		Log: gen.LogPosition{Origin: s.book.Origin(), LeafHash: r.LeafHash.String()}}
	if by.Role == ledger.RoleAuditor {
		withBalances(r, g.Postings)
	} else { // of a gift the giver sees what left the giver; what the receiver owes is the receiver's
		g.Postings = slices.DeleteFunc(g.Postings, func(p gen.Posting) bool {
			return p.OwnerKind == gen.OwnerKind(ledger.OwnerVolunteer) && deref(p.OwnerId) != r.Volunteer
		})
	}
	if err := json.Unmarshal(r.Details, &g.Details, readWhole); err != nil {
		return g, fmt.Errorf("reading the details of entry %d: %w", r.Seq, err)
	}
	return g, nil
}

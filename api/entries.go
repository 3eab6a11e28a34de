package api

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/translog"
)

// ListEntries lists entries that the reader may see. The walk stays at the log size where it began, so
// that it neither skips nor repeats while writes go on.
func (s *Server) ListEntries(ctx context.Context, r gen.ListEntriesRequestObject) (gen.ListEntriesResponseObject, error) {
	q := r.Params
	f := book.EntryFilter{Organization: deref(q.OrganizationId), Volunteer: deref(q.VolunteerId), Partner: deref(q.PartnerId),
		Kind: ledger.Kind(deref(q.Kind)), RecordedFrom: q.RecordedFrom, RecordedTo: q.RecordedTo}
	var err error
	if q.Account != nil {
		if f.Account, err = ledger.ParseAccountID(*q.Account); err != nil {
			return nil, invalid("parameter_malformed", "account is not the number of an account")
		}
	}
	if f.EffectiveFrom, err = optionalDate("/effective_from", q.EffectiveFrom); err != nil {
		return nil, err
	}
	if f.EffectiveTo, err = optionalDate("/effective_to", q.EffectiveTo); err != nil {
		return nil, err
	}
	f.MinutesMin, f.MinutesMax, f.RefersTo = q.MinutesMin, q.MinutesMax, q.RefersTo
	if q.Rules != nil {
		h, err := ledger.ParseHash(*q.Rules)
		if err != nil {
			return nil, invalid("parameter_malformed", "rules is not the hash of a rule set")
		}
		f.Rules = &h
	}
	at, err := s.knownAt(ctx, q.AtLogSize, q.KnownAt)
	if err != nil {
		return nil, err
	}
	entries, err := s.entryPage(ctx, f, q.Cursor, q.Limit, at)
	return list(ctx, entries, entries.NextCursor), err
}

func (s *Server) entryPage(ctx context.Context, f book.EntryFilter, cursor *gen.CursorParam, limit *gen.LimitParam, at *gen.AtLogSizeParam) (gen.EntryList, error) {
	entries := gen.EntryList{Data: []gen.Entry{}}
	size, err := s.book.LogSize(ctx)
	if err != nil {
		return entries, err
	}
	if at != nil {
		if *at > size {
			return entries, sizeUnknown(size)
		}
		size = *at
	}
	by := callOf(ctx).by
	p, err := s.pageOf(by, cursor, limit, size, fmt.Sprintf("entries %+v %v", filterText(f), deref(at)))
	if err != nil {
		return entries, err
	}
	entries.AsOfLogSize = p.logSize
	if p.logSize == 0 { // a filter of 0 would mean all
		return entries, nil
	}
	f.After, f.LogSize, f.Limit = ledger.Seq(p.after), p.logSize, p.limit
	found, err := s.book.Entries(ctx, by, f)
	if err != nil {
		return entries, err
	}
	last := p.after
	for _, r := range found {
		e, err := s.entry(r, by)
		if err != nil {
			return entries, err
		}
		entries.Data, last = append(entries.Data, e), int64(r.Seq)
	}
	entries.NextCursor = s.next(p, len(found), last)
	return entries, nil
}

// filterText is the same for the same filter.
func filterText(f book.EntryFilter) string {
	return fmt.Sprintf("%s %s %s %s %s %v %v %v %v %v %v %v %v", f.Account, f.Organization, f.Volunteer, f.Partner, f.Kind,
		deref(f.EffectiveFrom), deref(f.EffectiveTo), deref(f.RecordedFrom), deref(f.RecordedTo),
		deref(f.Rules), deref(f.MinutesMin), deref(f.MinutesMax), deref(f.RefersTo))
}

// GetEntry reads an entry.
func (s *Server) GetEntry(ctx context.Context, r gen.GetEntryRequestObject) (gen.GetEntryResponseObject, error) {
	e, err := s.readEntry(ctx, r.Seq)
	return gen.GetEntry200JSONResponse(e), err
}

func (s *Server) readEntry(ctx context.Context, seq int64) (gen.Entry, error) {
	by := callOf(ctx).by
	r, err := s.book.Entry(ctx, by, ledger.Seq(seq))
	if err != nil {
		return gen.Entry{}, err
	}
	return s.entry(r, by)
}

// GetExplanation tells why an entry is what it is.
func (s *Server) GetExplanation(ctx context.Context, r gen.GetExplanationRequestObject) (gen.GetExplanationResponseObject, error) {
	e, err := s.book.Explanation(ctx, callOf(ctx).by, ledger.Seq(r.Seq))
	if err != nil {
		return nil, err
	}
	g := gen.GetExplanation200JSONResponse{Seq: int64(e.Seq), RuleSet: gen.RuleSetName{Id: e.RuleSet, Hash: e.Hash.String()},
		Title: gen.Words{En: e.TitleEN, Zh: e.TitleZH}, EffectiveFrom: e.EffectiveFrom.String(), Grade: optional(gen.ExplanationGrade(e.Grade)), Steps: []gen.Step{}, Nearly: []gen.NearRule{}}
	if err := json.Unmarshal(e.Facts, &g.Facts, readWhole); err != nil {
		return nil, fmt.Errorf("reading the facts of entry %d: %w", r.Seq, err)
	}
	for _, step := range e.Steps {
		g.Steps = append(g.Steps, gen.Step{Rule: step.Rule, Effect: step.Effect, Unit: optional(gen.Unit(step.Unit)), In: int64(step.In),
			Out: int64(step.Out), Words: gen.Words{En: step.WordsEN, Zh: step.WordsZH}})
	}
	for _, near := range e.Nearly {
		g.Nearly = append(g.Nearly, gen.NearRule{Rule: near.Rule, Words: gen.Words{En: near.WordsEN, Zh: near.WordsZH}})
	}
	return g, nil
}

// GetProof proves that an entry is in the log.
func (s *Server) GetProof(ctx context.Context, r gen.GetProofRequestObject) (gen.GetProofResponseObject, error) {
	p, err := s.book.Proof(ctx, ledger.Seq(r.Seq))
	if err != nil {
		return nil, err
	}
	text := translog.Proof{Seq: int64(p.Seq), Hashes: p.Hashes, Checkpoint: p.Checkpoint}.Text()
	return plain{200, "text/plain; charset=utf-8", string(text)}, nil
}

// GetCheckpoint gives the last signed checkpoint.
func (s *Server) GetCheckpoint(ctx context.Context, _ gen.GetCheckpointRequestObject) (gen.GetCheckpointResponseObject, error) {
	signed, _, err := s.book.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	return plain{200, "text/plain; charset=utf-8", string(signed)}, nil
}

// CorrectEntry reverses a claim.
func (s *Server) CorrectEntry(ctx context.Context, r gen.CorrectEntryRequestObject) (gen.CorrectEntryResponseObject, error) {
	c := callOf(ctx)
	receipt, err := s.book.CorrectEntry(ctx, c.by, book.Key{Text: r.Params.IdempotencyKey, Request: c.request}, ledger.Seq(r.Seq), r.Body.Reason)
	if err != nil {
		return nil, err
	}
	return recorded(receipt.Replayed, s.receipt(receipt, false)), nil
}

// GetOperation tells what became of a key.
func (s *Server) GetOperation(ctx context.Context, r gen.GetOperationRequestObject) (gen.GetOperationResponseObject, error) {
	o, err := s.book.Operation(ctx, callOf(ctx).by, r.Key)
	if err != nil {
		return nil, err
	}
	g := gen.GetOperation200JSONResponse{Key: o.Key, Status: "recorded", Kind: optional(gen.EntryKind(o.Kind)), Seq: seqPointer(o.Seq),
		Id: optional(o.ID), RecordedAt: instant(o.RecordedAt)}
	if o.Refusal != nil {
		p := refusalProblem(o.Refusal, "")
		g.Status, g.Refusal = "refused", &p
	}
	return g, nil
}

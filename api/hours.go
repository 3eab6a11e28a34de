package api

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
)

// PostHours records one claim.
func (s *Server) PostHours(ctx context.Context, r gen.PostHoursRequestObject) (gen.PostHoursResponseObject, error) {
	c := callOf(ctx)
	body := gen.BatchClaim{Activity: r.Body.Activity, End: r.Body.End, Evidence: r.Body.Evidence, Minutes: r.Body.Minutes, Reference: r.Body.Reference,
		ServedOn: r.Body.ServedOn, Service: r.Body.Service, Class: r.Body.Class, Position: (*gen.BatchClaimPosition)(r.Body.Position), EmergencyLevel: r.Body.EmergencyLevel, Start: r.Body.Start, VolunteerId: r.Body.VolunteerId, VolunteerExternalId: r.Body.VolunteerExternalId}
	claim, err := claimOf(body)
	if err != nil {
		return nil, err
	}
	claims := []ledger.Claim{claim}
	if err := s.nameVolunteers(ctx, c.by, claims, []gen.BatchClaim{body})[0]; err != nil {
		return nil, err
	}
	dryRun := deref(r.Params.DryRun)
	result := s.book.PostHours(ctx, c.by, []book.HoursRequest{{Key: book.Key{Text: r.Params.IdempotencyKey, Request: c.request}, Claim: claims[0], DryRun: dryRun}})[0]
	if result.Err != nil {
		return nil, result.Err
	}
	if dryRun {
		return written{status: http.StatusOK, body: s.receipt(result.Receipt, true)}, nil
	}
	return recorded(result.Receipt.Replayed, s.receipt(result.Receipt, false)), nil
}

// claimOf reads a claim that fits the contract; the calendar and the clock may still refuse it.
func claimOf(g gen.BatchClaim) (ledger.Claim, error) {
	c := ledger.Claim{Volunteer: deref(g.VolunteerId), Activity: g.Activity, Service: deref(g.Service), Minutes: ledger.Minutes(g.Minutes),
		Reference: deref(g.Reference), Class: deref(g.Class), Position: string(deref(g.Position)), Emergency: deref(g.EmergencyLevel)}
	if (g.VolunteerId == nil) == (g.VolunteerExternalId == nil) {
		return c, &ledger.Invalid{Code: "volunteer_missing", Pointer: "/volunteer_id", Detail: "name the volunteer by volunteer_id or by volunteer_external_id"}
	}
	var err error
	if c.ServedOn, err = date("/served_on", g.ServedOn); err != nil {
		return c, err
	}
	if c.Start, err = optionalClock("/start", g.Start); err != nil {
		return c, err
	}
	if c.End, err = optionalClock("/end", g.End); err != nil {
		return c, err
	}
	if g.Evidence == nil {
		return c, nil
	}
	e := g.Evidence
	c.Evidence = ledger.Evidence{Beneficiary: deref(e.BeneficiaryConfirmed), Sheet: deref(e.Sheet), Recorder: deref(e.Recorder), Approver: deref(e.Approver),
		SecondApprover: deref(e.SecondApprover), Authority: deref(e.Authority), Remote: deref(e.Remote), Satisfaction: deref(e.Satisfaction)}
	if c.Evidence.CheckIn, err = optionalClock("/evidence/check_in", e.CheckIn); err != nil {
		return c, err
	}
	c.Evidence.CheckOut, err = optionalClock("/evidence/check_out", e.CheckOut)
	return c, err
}

// nameVolunteers finds the volunteers that claims name by outside ids, with one query for all, and gives
// an error for each claim whose volunteer is unknown.
func (s *Server) nameVolunteers(ctx context.Context, by ledger.Actor, claims []ledger.Claim, bodies []gen.BatchClaim) []error {
	errs := make([]error, len(claims))
	var names []string
	for _, b := range bodies {
		if b.VolunteerExternalId != nil {
			names = append(names, *b.VolunteerExternalId)
		}
	}
	if len(names) == 0 {
		return errs
	}
	ids, err := s.book.VolunteersByExternalID(ctx, by, names)
	for i, b := range bodies {
		switch {
		case b.VolunteerExternalId == nil:
		case err != nil:
			errs[i] = err
		default:
			if claims[i].Volunteer = ids[*b.VolunteerExternalId]; claims[i].Volunteer == "" {
				errs[i] = &ledger.Invalid{Code: "volunteer_unknown", Pointer: "/volunteer_external_id", Detail: "no such volunteer is registered"}
			}
		}
	}
	return errs
}

// PostHoursBatch records claims, each by itself.
func (s *Server) PostHoursBatch(ctx context.Context, r gen.PostHoursBatchRequestObject) (gen.PostHoursBatchResponseObject, error) {
	c := callOf(ctx)
	var body struct {
		Claims []jsontext.Value `json:"claims"`
	}
	if err := decodeInto(c.body, &body); err != nil {
		return nil, err
	}
	if err := c.by.May(ledger.RoleOrganization); err != nil {
		return nil, err
	}
	items := make([]batchItem, len(body.Claims))
	for i, raw := range body.Claims {
		items[i] = s.batchItem(raw, fmt.Sprintf("%s/%d", r.Params.IdempotencyKey, i))
	}
	s.postItems(ctx, c.by, items, deref(r.Params.DryRun))
	result := gen.BatchResult{Items: make([]gen.BatchItem, len(items))}
	for i, item := range items {
		result.Items[i] = s.itemJSON(i, item, deref(r.Params.DryRun))
		switch result.Items[i].Status {
		case "recorded":
			result.Recorded++
		case "repeated":
			result.Repeated++
		case "refused":
			result.Refused++
		default:
			result.Failed++
		}
	}
	return written{status: http.StatusOK, body: result}, nil
}

// batchItem is one claim of many: what was asked, and what became of it.
type batchItem struct {
	body    gen.BatchClaim
	claim   ledger.Claim
	key     book.Key
	err     error
	receipt book.Receipt
}

// batchItem reads one claim by itself.
func (s *Server) batchItem(raw jsontext.Value, key string) (item batchItem) {
	var value any
	if value, item.err = decodeStrict(raw); item.err != nil {
		return item
	}
	if item.err = checkBody(s.claim, value); item.err != nil {
		return item
	}
	if item.err = decodeInto(raw, &item.body); item.err != nil {
		return item
	}
	if item.body.IdempotencyKey != nil {
		key = *item.body.IdempotencyKey
	}
	item.key.Text = key
	if item.err = raw.Canonicalize(); item.err == nil {
		item.key.Request = sha256.Sum256(raw)
		item.claim, item.err = claimOf(item.body)
	}
	return item
}

// postItems posts the items that have no error yet.
func (s *Server) postItems(ctx context.Context, by ledger.Actor, items []batchItem, dryRun bool) {
	claims, bodies := make([]ledger.Claim, len(items)), make([]gen.BatchClaim, len(items))
	for i, item := range items {
		claims[i], bodies[i] = item.claim, item.body
	}
	var requests []book.HoursRequest
	var at []int
	for i, err := range s.nameVolunteers(ctx, by, claims, bodies) {
		if items[i].err == nil {
			items[i].err = err
		}
		if items[i].err == nil {
			requests, at = append(requests, book.HoursRequest{Key: items[i].key, Claim: claims[i], DryRun: dryRun}), append(at, i)
		}
	}
	for j, result := range s.book.PostHours(ctx, by, requests) {
		items[at[j]].receipt, items[at[j]].err = result.Receipt, result.Err
	}
}

// itemJSON tells what became of an item. What failed may be sent again; what was refused was decided.
func (s *Server) itemJSON(i int, item batchItem, dryRun bool) gen.BatchItem {
	g := gen.BatchItem{Index: i}
	if item.err != nil {
		p := problemOf(item.err, "")
		g.Status, g.Problem = "refused", &p
		if p.Status >= http.StatusInternalServerError {
			g.Status = "failed"
		}
		return g
	}
	r := s.receipt(item.receipt, dryRun)
	g.Status, g.Receipt = "recorded", &r
	if item.receipt.Replayed {
		g.Status = "repeated"
	}
	return g
}

// ListHours lists what the organization posted.
func (s *Server) ListHours(ctx context.Context, r gen.ListHoursRequestObject) (gen.ListHoursResponseObject, error) {
	by := callOf(ctx).by
	if err := by.May(ledger.RoleOrganization); err != nil {
		return nil, err
	}
	f := book.EntryFilter{Organization: by.Subject, Kind: ledger.KindHours, Volunteer: deref(r.Params.VolunteerId)}
	var err error
	if f.EffectiveFrom, err = optionalDate("/effective_from", r.Params.EffectiveFrom); err != nil {
		return nil, err
	}
	if f.EffectiveTo, err = optionalDate("/effective_to", r.Params.EffectiveTo); err != nil {
		return nil, err
	}
	at, err := s.knownAt(ctx, r.Params.AtLogSize, r.Params.KnownAt)
	if err != nil {
		return nil, err
	}
	entries, err := s.entryPage(ctx, f, r.Params.Cursor, r.Params.Limit, at)
	return list(ctx, entries, entries.NextCursor), err
}

// GetHours reads one entry that the organization posted.
func (s *Server) GetHours(ctx context.Context, r gen.GetHoursRequestObject) (gen.GetHoursResponseObject, error) {
	if err := callOf(ctx).by.May(ledger.RoleOrganization); err != nil {
		return nil, err
	}
	e, err := s.readEntry(ctx, r.Seq)
	if err == nil && e.Kind != "hours" {
		err = ledger.ErrNotFound
	}
	return gen.GetHours200JSONResponse(e), err
}

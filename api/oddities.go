package api

import (
	"context"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
)

// ListChecks lists the checks for what is odd.
func (s *Server) ListChecks(ctx context.Context, _ gen.ListChecksRequestObject) (gen.ListChecksResponseObject, error) {
	by := callOf(ctx).by
	if err := by.May(ledger.RoleAuditor); err != nil {
		return nil, err
	}
	g := gen.ListChecks200JSONResponse{Data: []gen.Check{}}
	for _, c := range book.Checks {
		g.Data = append(g.Data, gen.Check{Check: c.Name, Words: gen.Words{En: c.WordsEN, Zh: c.WordsZH}, Threshold: c.ThresholdEN,
			Default: c.Threshold, Least: c.Least, Most: c.Most})
	}
	return g, nil
}

// GetOddities runs a check.
func (s *Server) GetOddities(ctx context.Context, r gen.GetOdditiesRequestObject) (gen.GetOdditiesResponseObject, error) {
	q := r.Params
	f := book.OdditiesFilter{Check: r.Check, Threshold: q.Threshold, LogSize: q.AtLogSize, Limit: limitDefault}
	if q.Limit != nil {
		f.Limit = *q.Limit
	}
	var err error
	if f.From, err = optionalDate("/effective_from", q.EffectiveFrom); err != nil {
		return nil, err
	}
	if f.To, err = optionalDate("/effective_to", q.EffectiveTo); err != nil {
		return nil, err
	}
	found, threshold, size, err := s.book.Oddities(ctx, callOf(ctx).by, f)
	if err != nil {
		return nil, err
	}
	g := gen.GetOddities200JSONResponse{Check: f.Check, Threshold: threshold, AsOfLogSize: size, Data: []gen.Oddity{}}
	for _, o := range found {
		g.Data = append(g.Data, gen.Oddity{OrganizationId: optional(o.Organization), VolunteerId: optional(o.Volunteer), Recorder: optional(o.Recorder),
			Period: optional(o.Period), Claims: o.Claims, Minutes: int64(o.Minutes), Against: o.Against, Entries: o.Seqs})
	}
	return g, nil
}

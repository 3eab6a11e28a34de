package api

import (
	"context"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
)

// scansMax is how many may read all claims at once.
const scansMax = 2

// GetTotals adds up claims.
func (s *Server) GetTotals(ctx context.Context, r gen.GetTotalsRequestObject) (gen.GetTotalsResponseObject, error) {
	q := r.Params
	f := book.TotalsFilter{By: book.TotalsBy(q.By), Unit: ledger.Service, LogSize: q.AtLogSize}
	if q.Unit != nil {
		f.Unit = ledger.Unit(*q.Unit)
	}
	var err error
	if f.From, err = optionalDate("/effective_from", q.EffectiveFrom); err != nil {
		return nil, err
	}
	if f.To, err = optionalDate("/effective_to", q.EffectiveTo); err != nil {
		return nil, err
	}
	rows, size, err := s.book.Totals(ctx, callOf(ctx).by, f)
	if err != nil {
		return nil, err
	}
	g := gen.GetTotals200JSONResponse{By: string(f.By), Unit: gen.Unit(f.Unit), AsOfLogSize: size, Rows: []gen.Total{}}
	for _, x := range rows {
		total := gen.Total{Key: x.Key, Name: optional(x.Name), Claims: x.Claims, Minutes: int64(x.Minutes)}
		if f.By == book.ByPlace {
			p := place(x.Place)
			total.Place = &p
		}
		g.Minutes += int64(x.Minutes)
		g.Rows = append(g.Rows, total)
	}
	return g, nil
}

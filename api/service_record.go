package api

import (
	"context"

	"timebank/api/gen"
	"timebank/ledger/book"
	"timebank/policy"
)

// GetServiceRecord sums up what a volunteer really served.
func (s *Server) GetServiceRecord(ctx context.Context, r gen.GetServiceRecordRequestObject) (gen.GetServiceRecordResponseObject, error) {
	v, err := s.book.ServiceRecord(ctx, callOf(ctx).by, r.Id)
	if err != nil {
		return nil, err
	}
	g := gen.GetServiceRecord200JSONResponse{
		VolunteerId: v.Volunteer, AsOfLogSize: v.LogSize, Minutes: int64(v.Minutes), Claims: v.Claims,
		ByGrade: servedParts(v.ByGrade), ByYear: servedParts(v.ByYear), ByService: servedParts(v.ByService), ByOrganization: servedParts(v.ByOrganization),
		MonthsActive: int64(v.MonthsActive), LongestRunMonths: int64(v.LongestRun), Counted: int64(v.Counted), Levels: []gen.LevelReached{},
		Words:   gen.Words{En: v.Rules.LevelWords(v.Counted, policy.English), Zh: v.Rules.LevelWords(v.Counted, policy.Chinese)},
		RuleSet: gen.RuleSetName{Id: v.Rules.ID(), Hash: v.Rules.Hash().String()},
	}
	reached, next := v.Rules.Levels(v.Counted, policy.English)
	reachedZH, nextZH := v.Rules.Levels(v.Counted, policy.Chinese)
	for i, l := range reached {
		g.Levels = append(g.Levels, levelReached(l, reachedZH[i]))
	}
	if next != nil {
		l := levelReached(*next, *nextZH)
		g.NextLevel = &l
	}
	return g, nil
}

func levelReached(en, zh policy.Level) gen.LevelReached {
	return gen.LevelReached{Id: en.ID, Minutes: int64(en.Minutes), Text: gen.Words{En: en.Text, Zh: zh.Text}}
}

func servedParts(list []book.Served) []gen.ServedPart {
	all := make([]gen.ServedPart, len(list))
	for i, p := range list {
		all[i] = gen.ServedPart{Name: p.Name, Minutes: int64(p.Minutes), Claims: p.Claims}
	}
	return all
}

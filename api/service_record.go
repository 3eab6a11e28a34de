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
	f := v.Facts
	g := gen.GetServiceRecord200JSONResponse{
		VolunteerId: v.Volunteer, AsOfLogSize: v.LogSize, Minutes: int64(f.Minutes), Claims: int64(f.Claims), Roles: []gen.VolunteerRole{},
		ByGrade: servedParts(v.ByGrade), ByYear: servedParts(v.ByYear), ByService: servedParts(v.ByService), ByPosition: servedParts(v.ByPosition),
		ByOrganization: servedParts(v.ByOrganization), MonthsActive: int64(f.MonthsActive), LongestRunMonths: int64(f.LongestRun),
		Counted: int64(f.Counted), Emergency: int64(f.Emergency), Corrected: int64(f.Corrected), Rated: int64(f.Rated), Satisfaction: int64(f.Satisfaction),
		Honours: []gen.Honour{}, Clarifications: []gen.Clarification{}, Levels: []gen.LevelReached{}, Notices: []gen.Words{},
		Words:   gen.Words{En: v.Rules.LevelWords(f.Counted, policy.English), Zh: v.Rules.LevelWords(f.Counted, policy.Chinese)},
		RuleSet: gen.RuleSetName{Id: v.Rules.ID(), Hash: v.Rules.Hash().String()},
	}
	for _, role := range v.Roles {
		g.Roles = append(g.Roles, gen.VolunteerRole(role))
	}
	for _, h := range v.Honours {
		g.Honours = append(g.Honours, honour(h))
	}
	for _, c := range v.Clarifications {
		g.Clarifications = append(g.Clarifications, gen.Clarification{Seq: int64(c.Seq), On: c.On.String(), Entry: seqPointer(c.About), By: c.By, Finding: c.Finding})
	}
	zh := v.Rules.Notices(policy.Chinese)
	for i, n := range v.Rules.Notices(policy.English) {
		g.Notices = append(g.Notices, gen.Words{En: n.Text, Zh: zh[i].Text})
	}
	reached, next := v.Rules.Levels(f.Counted, policy.English)
	reachedZH, nextZH := v.Rules.Levels(f.Counted, policy.Chinese)
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
		if p.ID != p.Name {
			all[i].Id = &p.ID
		}
	}
	return all
}

package policy

import (
	"strings"

	"timebank/ledger"
)

// team reads "on 2026-07-01, 60000 minutes, 50000 attested, 12 members, 10 before, 8 stayed, 40 claims".
func (s *Scenario) team(rest string, n int) error {
	on, more, err := onDay(rest)
	if err != nil {
		return err
	}
	f := SupportFacts{OrganizationKind: "professional_team"}
	err = phrases{
		"a school team":    func(int64) { f.OrganizationKind = "school_team" },
		"N minutes":        func(n int64) { f.Minutes = ledger.Minutes(n) },
		"N attested":       func(n int64) { f.Attested = ledger.Minutes(n) },
		"N in emergencies": func(n int64) { f.Emergency = ledger.Minutes(n) },
		"N pledged":        func(n int64) { f.Pledged = ledger.Minutes(n) },
		"N claims":         func(n int64) { f.Claims = int(n) },
		"N taken back":     func(n int64) { f.Corrected = int(n) },
		"N members":        func(n int64) { f.Members = int(n) },
		"N before":         func(n int64) { f.MembersBefore = int(n) },
		"N stayed":         func(n int64) { f.Stayed = int(n) },
		"N rated":          func(n int64) { f.Rated = int(n) },
		"N points":         func(n int64) { f.Satisfaction = int(n) },
	}.read(more)
	s.acts = append(s.acts, act{line: n, on: on, team: true, do: func(r *Rules, _ *standing) (string, []Step, error) {
		g := f
		if per := r.SupportPer(); per != "" {
			last := per.Start(on) - 1 // the period that is over
			g.From, g.To = per.Start(last).String(), last.String()
		}
		d, err := r.Support(g)
		if d.Level == "" {
			return "no support", d.Steps, err
		}
		return "support " + d.Level + ": " + strings.Join(d.Supports, ", "), d.Steps, err
	}})
	return err
}

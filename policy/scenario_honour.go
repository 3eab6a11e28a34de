package policy

import (
	"errors"
	"strings"

	"timebank/ledger"
)

// recordPhrases tell a service record.
func recordPhrases(f *RecordFacts) phrases {
	return phrases{
		"N minutes":                func(n int64) { f.Minutes, f.Counted = ledger.Minutes(n), ledger.Minutes(n) },
		"N of them count":          func(n int64) { f.Counted = ledger.Minutes(n) },
		"N in emergencies":         func(n int64) { f.Emergency = ledger.Minutes(n) },
		"N claims":                 func(n int64) { f.Claims = int(n) },
		"N taken back":             func(n int64) { f.Corrected = int(n) },
		"N months active":          func(n int64) { f.MonthsActive = int(n) },
		"N months without a break": func(n int64) { f.LongestRun = int(n) },
		"N rated":                  func(n int64) { f.Rated = int(n) },
		"N points":                 func(n int64) { f.Satisfaction = int(n) },
		"N as organizer":           func(n int64) { f.Organizers = int(n) },
	}
}

// honoured reads "with certificate-100 on 2026-03-05, 6000 minutes, nominated, given before, by the operator".
func (s *Scenario) honoured(rest string, n int) error {
	return s.aboutHonour(rest, n, "with ", "honoured", (*Rules).Honour)
}

// nominated reads "for merit on 2026-03-05, 6000 minutes".
func (s *Scenario) nominated(rest string, n int) error {
	return s.aboutHonour(rest, n, "for ", "nominated", (*Rules).Nominate)
}

func (s *Scenario) aboutHonour(rest string, n int, word, done string, decide func(*Rules, HonourFacts) ([]Step, error)) error {
	rest, ok := strings.CutPrefix(rest, word)
	id, day, _ := strings.Cut(rest, " ")
	if !ok {
		return errors.New("say \"honoured with ID on DATE\" or \"nominated for ID on DATE\"")
	}
	on, more, err := onDay(day)
	if err != nil {
		return err
	}
	f := HonourFacts{Honour: id, Giver: ledger.OwnerOrganization, Today: on.String()}
	ph := recordPhrases(&f.RecordFacts)
	ph["nominated"] = func(int64) { f.Nominated = true }
	ph["given before"] = func(int64) { f.GivenBefore = 1 }
	ph["by the operator"] = func(int64) { f.Giver = ledger.OwnerBank }
	err = ph.read(more)
	s.acts = append(s.acts, act{line: n, on: on, do: func(r *Rules, p *standing) (string, []Step, error) {
		g := f
		g.Age, g.Roles = r.Age(p.born, on), p.roles
		steps, err := decide(r, g)
		return done, steps, err
	}})
	return err
}

package policy

import (
	"fmt"
	"strings"

	"timebank/ledger"
)

// applies reads "on 2026-03-05, living alone, poor, needing care": what an organization found.
func (s *Scenario) applies(rest string, n int) error {
	on, more, err := onDay(rest)
	if err != nil {
		return err
	}
	f := ApplicationFacts{Today: on.String()}
	err = phrases{
		"living alone": func(int64) { f.Alone = true },
		"poor":         func(int64) { f.Poor = true },
		"needing care": func(int64) { f.NeedsCare = true },
	}.read(more)
	s.acts = append(s.acts, act{line: n, on: on, do: func(r *Rules, p *standing) (string, []Step, error) {
		g := f
		g.Age = r.Age(p.born, on)
		d, err := r.Apply(g)
		return fmt.Sprintf("in line with priority %d", d.Priority), d.Steps, err
	}})
	return err
}

// gets reads "a grant on 2026-03-05, 600 already granted that month, 90 granted to all, 1000 in the pool".
func (s *Scenario) gets(rest string, n int) error {
	rest, ok := strings.CutPrefix(rest, "a grant ")
	if !ok {
		return fmt.Errorf("say \"gets a grant on DATE\", not %q", rest)
	}
	on, more, err := onDay(rest)
	if err != nil {
		return err
	}
	f := GrantFacts{Priority: 1, Pool: scenarioMinutesMax, Today: on.String()}
	err = phrases{
		"N already granted that month": func(n int64) { f.GrantedToThem = ledger.Minutes(n) },
		"N granted to all":             func(n int64) { f.GrantedToAll = ledger.Minutes(n) },
		"N in the pool":                func(n int64) { f.Pool = ledger.Minutes(n) },
	}.read(more)
	s.acts = append(s.acts, act{line: n, on: on, do: func(r *Rules, _ *standing) (string, []Step, error) {
		d, err := r.Grant(f)
		return fmt.Sprintf("granted %d", int64(d.Minutes)), d.Steps, err
	}})
	return err
}

// credit reads "ends on 2026-03-05, 600 received on 2023-03-05, 100 spent, 60 held, 900 available".
func (s *Scenario) credit(rest string, n int) error {
	rest, ok := strings.CutPrefix(rest, "ends ")
	if !ok {
		return fmt.Errorf("say \"credit ends on DATE, N received on DATE, …\", not %q", rest)
	}
	on, more, err := onDay(rest)
	if err != nil {
		return err
	}
	f := ExpiryFacts{Available: scenarioMinutesMax, Today: on.String()}
	earned := map[ledger.Date]ledger.Minutes{}
	ph := phrases{
		"N spent":     func(n int64) { f.Spent = ledger.Minutes(n) },
		"N held":      func(n int64) { f.Held = ledger.Minutes(n) },
		"N available": func(n int64) { f.Available = ledger.Minutes(n) },
	}
	more, err = receivedOn(more, earned)
	if err == nil {
		err = ph.read(more)
	}
	s.acts = append(s.acts, act{line: n, on: on, do: func(r *Rules, _ *standing) (string, []Step, error) {
		g := f
		cutoff, ends := r.ExpiryCutoff(on)
		if ends {
			g.Cutoff = cutoff.String()
		}
		for day, m := range earned {
			if ends && day <= cutoff {
				g.Received += m
			}
		}
		d, err := r.Expire(g)
		return fmt.Sprintf("expired %d", int64(d.Minutes)), d.Steps, err
	}})
	return err
}

// receivedOn takes "600 received on 2023-03-05" out of a line, wherever it stands.
func receivedOn(rest string, into map[ledger.Date]ledger.Minutes) (string, error) {
	var others []string
	for part := range strings.SplitSeq(rest, ",") {
		words := strings.Fields(part)
		if len(words) != 4 || words[1] != "received" || words[2] != "on" {
			others = append(others, part)
			continue
		}
		minutes, err := minutesUpTo(words[0], scenarioMinutesMax)
		if err != nil {
			return "", err
		}
		day, err := ledger.ParseDate(words[3])
		if err != nil {
			return "", err
		}
		into[day] += minutes
	}
	return strings.Join(others, ","), nil
}

package policy

import (
	"errors"
	"strings"

	"timebank/ledger"
)

// hasServed reads "5999 minutes": what counts for levels.
func (s *Scenario) hasServed(rest string, n int) error {
	words := strings.Fields(rest)
	if len(words) != 3 || words[0] != "served" || words[2] != "minutes" {
		return errors.New("say \"has served N minutes\"")
	}
	minutes, err := minutesUpTo(words[1], scenarioMinutesMax)
	if err != nil {
		return err
	}
	s.acts = append(s.acts, act{line: n, do: func(r *Rules, _ *standing) (string, []Step, error) {
		reached, _ := r.Levels(minutes, English)
		if len(reached) == 0 {
			return "no level", nil, nil
		}
		var steps []Step
		for _, l := range reached {
			steps = append(steps, Step{Rule: l.ID, Effect: Marked, Unit: ledger.Service, In: minutes, Out: minutes})
		}
		return "level " + reached[len(reached)-1].ID, steps, nil
	}})
	return nil
}

package policy

import (
	"errors"
	"fmt"
	"strings"

	"timebank/ledger"
)

// transfers reads "600 minutes on 2026-03-05 to a parent born 1940-01-01, 3000 already given that year".
func (s *Scenario) transfers(rest string, n int) error {
	return s.gives(rest, n, "transferred", (*Rules).Transfer)
}

// donates reads "600 minutes on 2026-03-05".
func (s *Scenario) donates(rest string, n int) error {
	return s.gives(rest, n, "donated", (*Rules).Donate)
}

func (s *Scenario) gives(rest string, n int, done string, decide func(*Rules, GiveFacts) (GiveDecision, error)) error {
	minutes, on, more, err := minutesOn(rest, scenarioMinutesMax)
	if err != nil {
		return err
	}
	f := GiveFacts{Minutes: minutes, Available: minutes, Today: on}
	var born ledger.Date
	for part := range strings.SplitSeq(more, ",") {
		words := strings.Fields(part)
		switch {
		case len(words) == 0:
		case len(words) == 5 && words[0] == "to" && words[3] == "born":
			f.Relation = ledger.RelationKind(words[2])
			if born, err = ledger.ParseDate(words[4]); err != nil {
				return err
			}
		case len(words) == 6 && strings.Join(words[1:], " ") == "granted to them that year":
			if f.GrantedInYear, err = minutesUpTo(words[0], scenarioMinutesMax); err != nil {
				return err
			}
		case len(words) == 5 && strings.Join(words[1:], " ") == "already given that year":
			if f.GivenInYear, err = minutesUpTo(words[0], scenarioMinutesMax); err != nil {
				return err
			}
		default:
			return errors.New("say \"to a RELATION born DATE\", \"N already given that year\" or \"N granted to them that year\"")
		}
	}
	s.acts = append(s.acts, act{line: n, on: on, do: func(r *Rules, p *standing) (string, []Step, error) {
		g := f
		g.Age = r.Age(p.born, on)
		if born != 0 {
			g.ReceiverAge = r.Age(born, on)
		}
		d, err := decide(r, g)
		return fmt.Sprintf("%s %d", done, int64(minutes)), d.Steps, err
	}})
	return nil
}

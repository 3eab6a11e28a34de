package policy

import (
	"fmt"
	"strconv"
	"strings"

	"timebank/ledger"
)

// redeems reads "60 minutes on 2026-03-05, service TALK, for a parent born 1940-01-01, 600 already redeemed
// that month, 2 open".
func (s *Scenario) redeems(rest string, n int) error {
	minutes, on, more, err := minutesOn(rest, scenarioMinutesMax)
	if err != nil {
		return err
	}
	f := HoldFacts{Minutes: minutes, Available: minutes, Today: on, Service: "TALK"}
	var born ledger.Date
	var others []string
	for part := range strings.SplitSeq(more, ",") {
		words := strings.Fields(part)
		switch {
		case len(words) == 0:
		case len(words) == 2 && words[0] == "service":
			f.Service = words[1]
		case len(words) == 5 && words[0] == "for" && words[3] == "born":
			f.ForRelative, f.Relation = true, ledger.RelationKind(words[2])
			if born, err = ledger.ParseDate(words[4]); err != nil {
				return err
			}
		case len(words) == 5 && strings.Join(words[1:], " ") == "already redeemed that month":
			if f.RedeemedInMonth, err = minutesUpTo(words[0], scenarioMinutesMax); err != nil {
				return err
			}
		case len(words) == 2 && words[1] == "open":
			if f.OpenHolds, err = strconv.Atoi(words[0]); err != nil {
				return err
			}
		default:
			others = append(others, part)
		}
	}
	if err := bookingPhrases(&f).read(strings.Join(others, ",")); err != nil {
		return err
	}
	s.acts = append(s.acts, act{line: n, on: on, do: redeem(f, born)})
	return nil
}

func bookingPhrases(f *HoldFacts) phrases {
	return phrases{
		"booked N minutes ahead": func(n int64) { f.Booked, f.LeadMinutes = true, n },
		"urgent":                 func(int64) { f.Urgent = true },
		"partner with N strikes": func(n int64) { f.PartnerStrikes = int(n) },
		"N absences":             func(n int64) { f.VolunteerStrikes = int(n) },
	}
}

// cancels reads "on 2026-03-05, partner unable, 200 minutes ahead".
func (s *Scenario) cancels(rest string, n int) error {
	on, more, err := onDay(rest)
	if err != nil {
		return err
	}
	f := CancelFacts{By: ledger.OwnerPartner, Today: on.String()}
	ph := phrases{
		"N minutes ahead":  func(n int64) { f.Booked, f.Notice = true, n },
		"N minutes after":  func(n int64) { f.Booked, f.Notice = true, -n },
		"by the volunteer": func(int64) { f.By = ledger.OwnerVolunteer },
		"by the operator":  func(int64) { f.By = ledger.OwnerBank },
	}
	for _, reason := range CancelReasons {
		ph[strings.ReplaceAll(string(reason), "_", " ")] = func(int64) { f.Reason = reason }
	}
	err = ph.read(more)
	s.acts = append(s.acts, act{line: n, on: on, do: func(r *Rules, _ *standing) (string, []Step, error) {
		d, err := r.Cancel(f)
		text := "cancelled"
		for _, who := range d.Against {
			text += ", a strike against the " + string(who)
		}
		return text, d.Steps, err
	}})
	return err
}

// redeem gives what becomes of a wish to hold credit.
func redeem(f HoldFacts, born ledger.Date) func(*Rules, *standing) (string, []Step, error) {
	return func(r *Rules, p *standing) (string, []Step, error) {
		f := f
		f.Age = r.Age(p.born, f.Today)
		if f.ForRelative {
			f.RelativeAge = r.Age(born, f.Today)
		}
		d, err := r.Hold(f)
		if err != nil {
			return "", nil, err
		}
		const hour = 60 * 60
		if d.Seconds%hour == 0 {
			return fmt.Sprintf("held for %d hours", d.Seconds/hour), d.Steps, nil
		}
		return fmt.Sprintf("held for %d seconds", d.Seconds), d.Steps, nil
	}
}

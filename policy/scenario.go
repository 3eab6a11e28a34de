package policy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"timebank/ledger"
)

// Scenario is a case that people agreed on: somebody's facts, a claim or a redemption, and what must come
// of it. Scenario files are read aloud as they stand:
//
//	scenario: An elder's ten hours in a day
//	  born 1950-05-01
//	  serves 600 minutes on 2026-03-05 with signed sheet
//	  already earned 0 care that day
//	  => grade C, care 480
//
//	scenario: Redeeming a day too early
//	  born 1966-03-06
//	  redeems 60 minutes on 2026-03-05
//	  => refused not_redeemable
type Scenario struct {
	Line  int
	Title string
	born  ledger.Date
	claim *ClaimFacts
	hold  *HoldFacts
	on    ledger.Date
	want  string
}

// ParseScenarios reads a scenario file. Errors name the line.
func ParseScenarios(text string) ([]Scenario, error) {
	var all []Scenario
	var faults []error
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if title, ok := strings.CutPrefix(line, "scenario:"); ok {
			all = append(all, Scenario{Line: n + 1, Title: strings.TrimSpace(title)})
			continue
		}
		if len(all) == 0 {
			faults = append(faults, fmt.Errorf("line %d: a scenario begins with its title, \"scenario: …\"", n+1))
			continue
		}
		if err := all[len(all)-1].read(line); err != nil {
			faults = append(faults, fmt.Errorf("line %d: %w", n+1, err))
		}
	}
	for _, s := range all {
		if s.want == "" || s.born == 0 || s.claim == nil && s.hold == nil {
			faults = append(faults, fmt.Errorf("line %d: a scenario tells when somebody was born, what is served or redeemed, and what comes of it", s.Line))
		}
	}
	return all, errors.Join(faults...)
}

// read reads one line of a scenario.
func (s *Scenario) read(line string) (err error) {
	verb, rest, _ := strings.Cut(line, " ")
	words := strings.Fields(rest)
	switch {
	case verb == "=>":
		s.want = strings.TrimSpace(rest)
		return nil
	case verb == "born" && len(words) == 1:
		s.born, err = ledger.ParseDate(words[0])
		return err
	case verb == "serves" && len(words) >= 4:
		return s.serves(words)
	case verb == "redeems" && len(words) == 4 && words[2] == "on":
		return s.redeems(words)
	case verb == "already" && s.claim != nil && len(words) == 5 && words[0] == "earned":
		return s.earned(words)
	default:
		return fmt.Errorf("%q is not a line of a scenario", line)
	}
}

// serves reads "600 minutes on 2026-03-05 [between N minutes of clock] with …".
func (s *Scenario) serves(words []string) error {
	minutes, err := strconv.ParseInt(words[0], 10, 32)
	if err != nil || words[1] != "minutes" || words[2] != "on" {
		return fmt.Errorf("say \"serves N minutes on DATE …\"")
	}
	if s.on, err = ledger.ParseDate(words[3]); err != nil {
		return err
	}
	f := &ClaimFacts{Minutes: ledger.Minutes(minutes), ServedOn: s.on, Today: s.on, OrganizationKind: "social_organization"}
	for _, part := range strings.Split(strings.Join(words[4:], " "), ",") {
		switch part = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(part), "with ")); {
		case part == "":
		case part == "signed sheet":
			f.SheetOnFile, f.TwoPersons = true, true
		case part == "signed sheet by one person":
			f.SheetOnFile = true
		case part == "sign-in and sign-out":
			f.CheckedInOut, f.TwoPersons = true, true
		case part == "sign-in and sign-out by one person":
			f.CheckedInOut = true
		case part == "the helped person's confirmation":
			f.BeneficiaryConfirmed = true
		case strings.HasSuffix(part, "minutes by the clock"):
			clock, err := strconv.ParseInt(strings.Fields(part)[0], 10, 32)
			if err != nil {
				return fmt.Errorf("%q: say \"N minutes by the clock\"", part)
			}
			f.ClockMinutes = ledger.Minutes(clock)
		default:
			return fmt.Errorf("%q is nothing a claim can come with", part)
		}
	}
	s.claim = f
	return nil
}

func (s *Scenario) redeems(words []string) error {
	minutes, err := strconv.ParseInt(words[0], 10, 32)
	if err != nil || words[1] != "minutes" {
		return fmt.Errorf("say \"redeems N minutes on DATE\"")
	}
	s.on, err = ledger.ParseDate(words[3])
	s.hold = &HoldFacts{Minutes: ledger.Minutes(minutes), Available: ledger.Minutes(minutes), Today: s.on, Service: "TALK"}
	return err
}

func (s *Scenario) earned(words []string) error {
	minutes, err := strconv.ParseInt(words[1], 10, 32)
	if err != nil || words[3] != "that" || words[4] != "day" {
		return fmt.Errorf("say \"already earned N care that day\"")
	}
	switch ledger.Unit(words[2]) {
	case ledger.Care:
		s.claim.CareOnDay = ledger.Minutes(minutes)
	case ledger.Youth:
		s.claim.YouthOnDay = ledger.Minutes(minutes)
	default:
		return fmt.Errorf("a day has care or youth, not %s", words[2])
	}
	return nil
}

// Run decides the scenario by a rule set; it is an error when something else comes of it than the scenario
// says.
func (s Scenario) Run(r *Rules) error {
	have, err := s.decide(r)
	if err != nil {
		return fmt.Errorf("line %d: %s: %w", s.Line, s.Title, err)
	}
	if have != s.want {
		return fmt.Errorf("line %d: %s: it came to %q, not to %q", s.Line, s.Title, have, s.want)
	}
	return nil
}

func (s Scenario) decide(r *Rules) (string, error) {
	age := r.Age(s.born, s.on)
	var refusal *ledger.Refusal
	if s.hold != nil {
		f := *s.hold
		f.Age = age
		_, err := r.Hold(f)
		if errors.As(err, &refusal) {
			return "refused " + refusal.Code, nil
		}
		return "held", err
	}
	f := *s.claim
	f.Age = age
	d, err := r.Decide(f)
	if errors.As(err, &refusal) {
		return "refused " + refusal.Code, nil
	}
	if err != nil {
		return "", err
	}
	out := "grade " + string(d.Grade)
	for _, e := range d.Earned {
		out += fmt.Sprintf(", %s %d", e.Unit, e.Minutes)
	}
	return out, nil
}

package policy

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"timebank/ledger"
)

// scenarioMinutesMax bounds what a scenario says was earned or is redeemed: a lifetime of service.
const scenarioMinutesMax = ledger.PostingMinutesMax

// ParseScenarios reads a scenario file. The error joins all faults, each naming the line.
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
		if err := all[len(all)-1].read(line, n+1); err != nil {
			faults = append(faults, fmt.Errorf("line %d: %w", n+1, err))
		}
	}
	for _, s := range all {
		if err := s.complete(); err != nil {
			faults = append(faults, err)
		}
	}
	return all, errors.Join(faults...)
}

func (s Scenario) complete() error {
	switch {
	case s.Title == "":
		return fmt.Errorf("line %d: a scenario has a title", s.Line)
	case len(s.acts) == 0:
		return fmt.Errorf("line %d: a scenario tells what is served or redeemed", s.Line)
	case !s.person.hasBorn && !s.acts[0].team:
		return fmt.Errorf("line %d: a scenario tells when somebody was born", s.Line)
	}
	for _, a := range s.acts {
		if a.want == "" {
			return fmt.Errorf("line %d: a scenario tells what comes of it, \"=> …\"", a.line)
		}
	}
	return nil
}

// verbs are the lines a scenario may have, by their first word.
var verbs map[string]func(s *Scenario, rest string, line int) error

func init() { // in init, since the verbs and Scenario know each other
	verbs = map[string]func(s *Scenario, rest string, line int) error{
		"born":      (*Scenario).bornOn,
		"is":        (*Scenario).is,
		"already":   (*Scenario).already,
		"has":       (*Scenario).hasServed,
		"chose":     (*Scenario).chose,
		"chooses":   (*Scenario).chooses,
		"serves":    (*Scenario).serves,
		"redeems":   (*Scenario).redeems,
		"transfers": (*Scenario).transfers,
		"donates":   (*Scenario).donates,
		"cancels":   (*Scenario).cancels,
		"applies":   (*Scenario).applies,
		"gets":      (*Scenario).gets,
		"credit":    (*Scenario).credit,
		"honoured":  (*Scenario).honoured,
		"nominated": (*Scenario).nominated,
		"team":      (*Scenario).team,
		"watched":   (*Scenario).watched,
		"referred":  (*Scenario).referred,
		"=>":        (*Scenario).wants,
		"because":   (*Scenario).reasons,
	}
}

// read reads one line of a scenario.
func (s *Scenario) read(line string, n int) error {
	first, rest, _ := strings.Cut(line, " ")
	verb, ok := verbs[first]
	if !ok {
		return fmt.Errorf("%q is not a line of a scenario", line)
	}
	return verb(s, strings.TrimSpace(rest), n)
}

// bornOn reads "1950-05-01".
func (s *Scenario) bornOn(rest string, _ int) error {
	if s.person.hasBorn || len(s.acts) > 0 {
		return errors.New("somebody is born once, before anything else")
	}
	born, err := ledger.ParseDate(rest)
	s.person.born, s.person.hasBorn = born, err == nil
	return err
}

// is reads "professional, community_worker".
func (s *Scenario) is(rest string, _ int) error {
	for part := range strings.SplitSeq(rest, ",") {
		role := ledger.VolunteerRole(strings.TrimSpace(part))
		if !slices.Contains(ledger.VolunteerRoles, role) {
			return fmt.Errorf("%q is no role of a volunteer; there are %v", role, ledger.VolunteerRoles)
		}
		s.person.roles = append(s.person.roles, role)
	}
	return nil
}

// already reads "earned 450 care that day" (or month, or year), "served 450 that day", "stored 89000".
func (s *Scenario) already(rest string, _ int) error {
	words := strings.Fields(rest)
	if len(words) < 2 {
		return errors.New("say \"already earned N care that day\", \"already served N that day\" or \"already stored N\"")
	}
	minutes, err := minutesUpTo(words[1], scenarioMinutesMax)
	if err != nil {
		return err
	}
	p := &s.person.before
	told := map[string]*ledger.Minutes{
		"earned care that day": &p.CareOnDay, "earned youth that day": &p.YouthOnDay,
		"earned care that month": &p.CareInMonth, "earned youth that month": &p.YouthInMonth,
		"earned care that year": &p.CareInYear, "earned youth that year": &p.YouthInYear,
		"served that day": &p.MinutesOnDay, "stored": &p.CareStored,
	}[strings.Join(slices.Delete(words, 1, 2), " ")]
	if told == nil {
		return fmt.Errorf("%q is nothing that somebody has already", rest)
	}
	*told = minutes
	return nil
}

// chose reads "donate, credit": options in force.
func (s *Scenario) chose(rest string, _ int) error {
	for part := range strings.SplitSeq(rest, ",") {
		s.person.chosen = append(s.person.chosen, strings.TrimSpace(part))
	}
	return nil
}

func minutesUpTo(text string, most ledger.Minutes) (ledger.Minutes, error) {
	m, err := ledger.ParseMinutes(text)
	if err == nil && m > most {
		return 0, fmt.Errorf("%d minutes are more than %d", m, most)
	}
	return m, err
}

// minutesOn reads "60 minutes on 2026-03-05" and gives what follows.
func minutesOn(rest string, most ledger.Minutes) (m ledger.Minutes, on ledger.Date, more string, err error) {
	words := strings.SplitN(rest, " ", 5)
	if len(words) < 4 || words[1] != "minutes" && words[1] != "minute" || words[2] != "on" {
		return 0, 0, "", errors.New("say \"N minutes on DATE\"")
	}
	if m, err = minutesUpTo(words[0], most); err != nil {
		return 0, 0, "", err
	}
	if m == 0 {
		return 0, 0, "", errors.New("0 minutes are nothing")
	}
	if len(words) == 5 {
		more = words[4]
	}
	on, err = ledger.ParseDate(strings.TrimSuffix(words[3], ","))
	return m, on, more, err
}

// serves reads "600 minutes on 2026-03-05 with signed sheet, 600 minutes by the clock".
func (s *Scenario) serves(rest string, n int) error {
	minutes, on, more, err := minutesOn(rest, ledger.ClaimMinutesMax)
	if err != nil {
		return err
	}
	f := &ClaimFacts{Minutes: minutes, ServedOn: on, Today: on, OrganizationKind: "social_organization"}
	s.acts = append(s.acts, act{line: n, on: on, do: serve(f)})
	for part := range strings.SplitSeq(more, ",") {
		if err := f.with(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(part), "with "))); err != nil {
			return err
		}
	}
	if f.Today < f.ServedOn {
		return fmt.Errorf("what was served on %s cannot be posted before", f.ServedOn)
	}
	return nil
}

// shown is what an organization can show for a claim, as scenarios say it. Two persons answer for sheets
// and lists of signatures, unless it is said that there was only one.
var shown = map[string]func(*ClaimFacts){
	"signed sheet":                       func(f *ClaimFacts) { f.SheetOnFile, f.TwoPersons = true, true },
	"signed sheet by one person":         func(f *ClaimFacts) { f.SheetOnFile = true },
	"sign-in and sign-out":               func(f *ClaimFacts) { f.CheckedInOut, f.TwoPersons = true, true },
	"sign-in and sign-out by one person": func(f *ClaimFacts) { f.CheckedInOut = true },
	"the helped person's confirmation":   func(f *ClaimFacts) { f.BeneficiaryConfirmed = true },
	"a second approver":                  func(f *ClaimFacts) { f.SecondApprover = true },
	"the authority's approval":           func(f *ClaimFacts) { f.SecondApprover, f.AuthorityApproved = true, true },
	"attested from afar":                 func(f *ClaimFacts) { f.Remote = true },
	"the guardian's consent":             func(f *ClaimFacts) { f.GuardianConsent = true },
}

// with adds to a claim what comes with it.
func (f *ClaimFacts) with(part string) (err error) {
	if part == "" {
		return nil
	}
	if show, ok := shown[part]; ok {
		show(f)
		return nil
	}
	if text, ok := strings.CutSuffix(part, " minutes by the clock"); ok {
		f.ClockMinutes, err = minutesUpTo(text, ledger.ClaimMinutesMax)
		return err
	}
	if text, ok := strings.CutPrefix(part, "in an emergency of level "); ok {
		f.Emergency, err = strconv.Atoi(text)
		return err
	}
	verb, rest, _ := strings.Cut(part, " ")
	switch {
	case verb == "posted" && strings.HasPrefix(rest, "on "):
		f.Today, err = ledger.ParseDate(rest[len("on "):])
		return err
	case verb == "service":
		f.Service = rest
		return nil
	case verb == "class":
		f.Class = rest
		return nil
	case verb == "for" && slices.Contains(ledger.OrganizationKinds, ledger.OrganizationKind(rest)):
		f.OrganizationKind = ledger.OrganizationKind(rest)
		return nil
	}
	return fmt.Errorf("%q is nothing a claim can come with", part)
}

// wants reads what must come of the last act.
func (s *Scenario) wants(rest string, _ int) error {
	if len(s.acts) == 0 || s.acts[len(s.acts)-1].want != "" || rest == "" {
		return errors.New("\"=> …\" follows what is served or redeemed, once")
	}
	s.acts[len(s.acts)-1].want = strings.Join(strings.Fields(rest), " ")
	return nil
}

// reasons reads which rules must have taken part in the last act.
func (s *Scenario) reasons(rest string, _ int) error {
	if len(s.acts) == 0 || s.acts[len(s.acts)-1].because != nil {
		return errors.New("\"because …\" follows what is served or redeemed, once")
	}
	because := []string{}
	for part := range strings.SplitSeq(rest, ",") {
		if part = strings.TrimSpace(part); part != "" && part != "nothing" {
			because = append(because, part)
		}
	}
	s.acts[len(s.acts)-1].because = because
	return nil
}

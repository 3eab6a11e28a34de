package policy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"timebank/ledger"
)

// Simulation decides recorded history as if a draft had been in force, claim by claim in the order of
// recording, and compares. What the draft counts of the past (of a day, a month, what is stored) is what
// the draft itself would have given. It belongs to one goroutine.
type Simulation struct {
	draft    *Rules
	from, to ledger.Date // days of service that the draft decides; what lies outside stays as recorded
	cuts     []int       // ages at which an hour begins to earn otherwise
	claims   map[ledger.Seq]simulated
	people   map[string]*simulatedPerson
	groups   map[Group]*Sums
	refusals map[string]int64
}

// simulated is what a claim came to, kept for its correction.
type simulated struct {
	volunteer  string
	by         *Rules
	facts      ClaimFacts // as the draft saw them
	was, would Earned
	refused    bool
	groups     []Group
}

type simulatedPerson struct {
	age        int // at the last claim
	was, would Sum
	stored     ledger.Minutes // as recorded
	short      ledger.Minutes // what they spent and would not have had
	tally      Tally          // by the draft
}

// person gives what is counted of somebody, from now on.
func (s *Simulation) person(volunteer string) *simulatedPerson {
	p := s.people[volunteer]
	if p == nil {
		p = &simulatedPerson{}
		s.people[volunteer] = p
	}
	return p
}

// Sum is minutes, by what they became.
type Sum struct {
	Care   ledger.Minutes `json:"care"`
	Pooled ledger.Minutes `json:"pooled"`
	Youth  ledger.Minutes `json:"youth"`
}

func (s *Sum) add(e Earned, sign ledger.Minutes) {
	s.Care, s.Pooled, s.Youth = s.Care+sign*e.Care, s.Pooled+sign*e.Pooled, s.Youth+sign*e.Youth
}

// Group is one of the ways to look at claims: by "age", "organization", "role" or "place".
type Group struct {
	By   string `json:"by"`
	Name string `json:"name"`
}

// Sums are what the claims of a group come to.
type Sums struct {
	Group   Group          `json:"group"`
	Claims  int64          `json:"claims"`
	Refused int64          `json:"refused"` // by the draft
	Served  ledger.Minutes `json:"served"`
	Was     Sum            `json:"was"`   // as recorded
	Would   Sum            `json:"would"` // by the draft
}

// Simulate begins a simulation of a draft for the days of service from one to another.
func Simulate(draft *Rules, recorded []*Rules, from, to ledger.Date) (*Simulation, error) {
	s := &Simulation{draft: draft, from: from, to: to, claims: map[ledger.Seq]simulated{},
		people: map[string]*simulatedPerson{}, groups: map[Group]*Sums{}, refusals: map[string]int64{}}
	for age := 1; age <= lintAgeMax; age++ {
		for _, r := range append([]*Rules{draft}, recorded...) {
			before, err1 := r.hourAt(age - 1)
			at, err2 := r.hourAt(age)
			if err := errors.Join(err1, err2); err != nil {
				return nil, err
			}
			if before != at && !slices.Contains(s.cuts, age) {
				s.cuts = append(s.cuts, age)
			}
		}
	}
	return s, nil
}

// hourAt tells what an hour that is shown in every way earns at an age, or which rule refuses it.
func (r *Rules) hourAt(age int) (string, error) {
	d, err := r.Decide(shownHour(age, r.from))
	var refusal *ledger.Refusal
	if errors.As(err, &refusal) {
		return refusal.Rule, nil
	}
	return fmt.Sprint(d.Earned), err
}

// Claimed is a recorded claim with where it was served and the set that decided it.
type Claimed struct {
	Seq       ledger.Seq
	Volunteer string
	Place     ledger.Place
	By        *Rules
	Facts     ClaimFacts // as recorded
}

// SimulatedClaim tells what a claim was and would be.
type SimulatedClaim struct {
	Was, Would Earned
	Refused    string // the draft's rule that refuses it, or ""
	Rules      []string
}

// Claim decides a claim by the draft.
func (s *Simulation) Claim(c Claimed) (SimulatedClaim, error) {
	recorded, err := c.By.Decide(c.Facts)
	if err != nil {
		return SimulatedClaim{}, fmt.Errorf("deciding entry %d as it was decided: %w", c.Seq, err)
	}
	out := SimulatedClaim{Was: recorded.Earned, Would: recorded.Earned, Rules: rulesOf(recorded.Steps)}
	by, f, tally := c.By, c.Facts, &s.person(c.Volunteer).tally
	f.Past = tally.Past(by, f.ServedOn)
	if f.ServedOn >= s.from && f.ServedOn <= s.to {
		by = s.draft
		f.Past = tally.Past(by, f.ServedOn)
		d, err := by.Decide(f)
		var refusal *ledger.Refusal
		switch {
		case errors.As(err, &refusal):
			out.Refused, out.Would, out.Rules = refusal.Rule, Earned{}, []string{refusal.Rule}
			s.refusals[refusal.Rule]++
		case err != nil:
			return SimulatedClaim{}, fmt.Errorf("deciding entry %d by %s: %w", c.Seq, by.id, err)
		default:
			out.Would, out.Rules = d.Earned, rulesOf(d.Steps)
		}
	}
	kept := simulated{c.Volunteer, by, f, out.Was, out.Would, out.Refused != "", s.groupsOf(c)}
	s.count(kept, 1)
	if out.Refused == "" {
		tally.Serve(by, f, out.Would)
	}
	s.claims[c.Seq] = kept
	return out, nil
}

func (s *Simulation) groupsOf(c Claimed) []Group {
	from := 0
	to := "and over"
	for _, cut := range slices.Sorted(slices.Values(s.cuts)) {
		if c.Facts.Age < cut {
			to = fmt.Sprintf("to %d", cut-1)
			break
		}
		from = cut
	}
	groups := []Group{{"age", fmt.Sprintf("%d %s", from, to)}, {"organization", string(c.Facts.OrganizationKind)}}
	for _, r := range c.Facts.Roles {
		groups = append(groups, Group{"role", string(r)})
	}
	path := ""
	for _, level := range []string{c.Place.District, c.Place.Street, c.Place.Community, c.Place.Grid} {
		if level != "" {
			path += "/" + level
			groups = append(groups, Group{"place", path})
		}
	}
	return append(groups, Group{"all", "all"})
}

func (s *Simulation) count(k simulated, sign int64) {
	p := s.person(k.volunteer)
	p.age = k.facts.Age
	p.was.add(k.was, ledger.Minutes(sign))
	p.would.add(k.would, ledger.Minutes(sign))
	p.stored += ledger.Minutes(sign) * k.was.Care
	for _, g := range k.groups {
		sums := s.groups[g]
		if sums == nil {
			sums = &Sums{Group: g}
			s.groups[g] = sums
		}
		sums.Claims += sign
		sums.Served += ledger.Minutes(sign) * k.facts.Minutes
		sums.Was.add(k.was, ledger.Minutes(sign))
		sums.Would.add(k.would, ledger.Minutes(sign))
		if k.refused {
			sums.Refused += sign
		}
	}
}

// Correct takes a claim back, in both.
func (s *Simulation) Correct(seq ledger.Seq) {
	k, ok := s.claims[seq]
	if !ok {
		return
	}
	s.count(k, -1)
	if !k.refused {
		s.person(k.volunteer).tally.Undo(k.by, k.facts, k.would)
	}
	delete(s.claims, seq)
}

// Move takes as recorded that credit came to somebody, or went when negative, in another way than by a
// claim. What somebody spent and by the draft would not have had is counted as short.
func (s *Simulation) Move(volunteer string, m ledger.Minutes) {
	p := s.person(volunteer)
	p.stored += m
	before := p.tally.stored
	p.tally.Move(m)
	if after := before + m; m < 0 && after < 0 {
		p.short += min(-m, -after)
	}
}

// Report is what a simulation found.
type Report struct {
	Groups     []Sums           `json:"groups"`
	Refusals   map[string]int64 `json:"refusals"` // claims by the draft's rule that refuses them
	Gain       Swing            `json:"gain"`
	Lose       Swing            `json:"lose"`
	Unchanged  int64            `json:"unchanged"` // volunteers
	Largest    []Swung          `json:"largest"`   // changes, by volunteer
	Redeemable struct {
		Was   ledger.Minutes `json:"was"`
		Would ledger.Minutes `json:"would"`
	} `json:"redeemable"` // stored credit of those whose age, at their last claim, lets them redeem it
	Short ledger.Minutes `json:"short"` // spent as recorded, and not there by the draft
}

// Swing is how many volunteers gain or lose credit or record, and how much together.
type Swing struct {
	Volunteers int64 `json:"volunteers"`
	Sum        Sum   `json:"sum"`
}

// Swung is what changes for one volunteer.
type Swung struct {
	Volunteer string `json:"volunteer"`
	Was       Sum    `json:"was"`
	Would     Sum    `json:"would"`
}

const largestMax = 20

// Report sums up.
func (s *Simulation) Report() Report {
	r := Report{Refusals: s.refusals}
	for _, sums := range s.groups {
		r.Groups = append(r.Groups, *sums)
	}
	order := []string{"all", "age", "organization", "role", "place"}
	slices.SortFunc(r.Groups, func(a, b Sums) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Group.By), slices.Index(order, b.Group.By)), cmp.Compare(a.Group.Name, b.Group.Name))
	})
	for id, p := range s.people {
		s.swing(&r, id, p)
	}
	slices.SortFunc(r.Largest, func(a, b Swung) int {
		return cmp.Or(-cmp.Compare(a.size(), b.size()), cmp.Compare(a.Volunteer, b.Volunteer))
	})
	r.Largest = r.Largest[:min(len(r.Largest), largestMax)]
	return r
}

func (w Swung) size() ledger.Minutes {
	care, youth := w.Would.Care-w.Was.Care, w.Would.Youth-w.Was.Youth
	return max(care, -care) + max(youth, -youth)
}

func (s *Simulation) swing(r *Report, id string, p *simulatedPerson) {
	r.Short += p.short
	if s.draft.Redeemable(p.age) {
		r.Redeemable.Was += max(0, p.stored)
		r.Redeemable.Would += max(0, p.tally.stored)
	}
	change := Sum{p.would.Care - p.was.Care, p.would.Pooled - p.was.Pooled, p.would.Youth - p.was.Youth}
	switch own := change.Care + change.Youth; {
	case own > 0:
		r.Gain.add(change)
	case own < 0:
		r.Lose.add(change)
	default: // at most the pool's part changes
		r.Unchanged++
	}
	if change.Care == 0 && change.Youth == 0 {
		return
	}
	r.Largest = append(r.Largest, Swung{id, p.was, p.would})
}

func (w *Swing) add(s Sum) {
	w.Volunteers++
	w.Sum.Care, w.Sum.Pooled, w.Sum.Youth = w.Sum.Care+s.Care, w.Sum.Pooled+s.Pooled, w.Sum.Youth+s.Youth
}

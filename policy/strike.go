package policy

import (
	"cel.dev/cel-go/cel"

	"timebank/ledger"
)

// strike is what counts against whoever breaks an agreement on care: it takes nothing away by itself;
// conditions on what comes later may ask how many there were.
type strike struct {
	id      string
	against ledger.OwnerKind
	when    condition
}

type strikeDoc struct {
	ID      word `yaml:"id"`
	Against word `yaml:"against"`
	When    word `yaml:"when"`
	Text    text `yaml:"text"`
	Source  word `yaml:"source"`
}

// CancelReason says why an agreed redemption is cancelled.
type CancelReason string

// CancelReasons lists why care does not come about.
var CancelReasons = []CancelReason{"volunteer_asked", "volunteer_absent", "partner_unable", "partner_absent"}

// CancelFacts are what is known when a redemption is cancelled.
type CancelFacts struct {
	By     ledger.OwnerKind `json:"by"` // volunteer, partner, or bank for the operator
	Reason CancelReason     `json:"reason"`
	Booked bool             `json:"booked"` // for a time
	Notice int64            `json:"notice"` // minutes to that time; negative after it
	Today  string           `json:"today"`
}

var cancelFields = []field[CancelFacts]{
	name("by", func(f *CancelFacts) ledger.OwnerKind { return f.By }),
	name("reason", func(f *CancelFacts) CancelReason { return f.Reason }),
	yes("booked", func(f *CancelFacts) bool { return f.Booked }),
	{fact{"notice", cel.IntType}, func(f *CancelFacts) any { return f.Notice }},
}

func (p *parser) strikes(r *Rules, docs []strikeDoc) {
	c := p.compiler(factsOf(cancelFields))
	for _, d := range docs {
		p.rule(r, d.ID, d.Text, d.Source)
		s := strike{d.ID.value, ledger.OwnerKind(d.Against.value), p.condition(c, d.When, d.ID)}
		if s.against != ledger.OwnerVolunteer && s.against != ledger.OwnerPartner {
			p.fault(lineOf(d.Against, d.ID), "strike %s: it is against the volunteer or the partner, not %q", s.id, d.Against.value)
		}
		r.strikes = append(r.strikes, s)
	}
}

// CancelDecision is against whom a cancelling counts.
type CancelDecision struct {
	Against []ledger.OwnerKind // each once
	Steps   []Step
}

// Cancel says against whom a cancelling counts. Nobody is kept from cancelling.
func (r *Rules) Cancel(f CancelFacts) (CancelDecision, error) {
	var d CancelDecision
	for _, s := range r.strikes {
		ok, err := s.when.holds(view[CancelFacts]{&f, cancelFields})
		if err != nil {
			return CancelDecision{}, err
		}
		if !ok {
			continue
		}
		d.Steps = append(d.Steps, Step{Rule: s.id, Effect: Marked})
		if len(d.Against) == 0 || d.Against[0] != s.against && len(d.Against) == 1 {
			d.Against = append(d.Against, s.against)
		}
	}
	return d, nil
}

package policy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"timebank/ledger"
)

// Decided is the part of an entry's details that every decided entry has, whatever else it says: what
// was known, and what each rule did about it.
type Decided struct {
	Facts jsontext.Value `json:"facts"`
	Grade ledger.Grade   `json:"grade"` // of a claim
	Steps []Step         `json:"steps"`
}

// ReadDecided reads that part.
func ReadDecided(details []byte) (Decided, error) {
	var d Decided
	err := json.Unmarshal(details, &d)
	return d, err
}

// replays decides the entries of a kind again, from their facts alone.
var replays = map[ledger.Kind]func(r *Rules, facts []byte) (Decided, error){
	ledger.KindHours: func(r *Rules, facts []byte) (Decided, error) {
		var f ClaimFacts
		if err := json.Unmarshal(facts, &f); err != nil {
			return Decided{}, err
		}
		d, err := r.Decide(f)
		return Decided{Grade: d.Grade, Steps: d.Steps}, err
	},
	ledger.KindHold: func(r *Rules, facts []byte) (Decided, error) {
		var f HoldFacts
		if err := json.Unmarshal(facts, &f); err != nil {
			return Decided{}, err
		}
		d, err := r.Hold(f)
		return Decided{Steps: d.Steps}, err
	},
	ledger.KindCancel: replayOf(func(r *Rules, f CancelFacts) ([]Step, error) {
		d, err := r.Cancel(f)
		return d.Steps, err
	}),
	ledger.KindApplication: replayOf(func(r *Rules, f ApplicationFacts) ([]Step, error) {
		d, err := r.Apply(f)
		return d.Steps, err
	}),
	ledger.KindGrant: replayOf(func(r *Rules, f GrantFacts) ([]Step, error) {
		d, err := r.Grant(f)
		return d.Steps, err
	}),
	ledger.KindExpiry: replayOf(func(r *Rules, f ExpiryFacts) ([]Step, error) {
		d, err := r.Expire(f)
		return d.Steps, err
	}),
	ledger.KindSupport: replayOf(func(r *Rules, f SupportFacts) ([]Step, error) {
		d, err := r.Support(f)
		return d.Steps, err
	}),
	ledger.KindHonour:     replayOf((*Rules).Honour),
	ledger.KindNomination: replayOf((*Rules).Nominate),
	ledger.KindReferral:   replayOf((*Rules).Refer),
	ledger.KindTransfer:   replayGift((*Rules).Transfer),
	ledger.KindDonation:   replayGift((*Rules).Donate),
	ledger.KindChoice: func(r *Rules, facts []byte) (Decided, error) {
		var f ChoiceFacts
		if err := json.Unmarshal(facts, &f); err != nil {
			return Decided{}, err
		}
		d, err := r.Choose(f)
		return Decided{Steps: d.Steps}, err
	},
}

func replayGift(decide func(*Rules, GiveFacts) (GiveDecision, error)) func(*Rules, []byte) (Decided, error) {
	return func(r *Rules, facts []byte) (Decided, error) {
		var f GiveFacts
		if err := json.Unmarshal(facts, &f); err != nil {
			return Decided{}, err
		}
		d, err := decide(r, f)
		return Decided{Steps: d.Steps}, err
	}
}

// Decides reports whether rules decide entries of a kind; their details then read as [Decided].
func Decides(kind ledger.Kind) bool { return replays[kind] != nil }

// ErrDecidedOtherwise says that deciding an entry again gives something else than it records.
var ErrDecidedOtherwise = errors.New("decided again, it comes out otherwise")

// Replay decides an entry again from the facts in its details. It gives ErrDecidedOtherwise when a step
// or the grade differs, and the refusal when the rules now say no.
func (r *Rules) Replay(kind ledger.Kind, details []byte) error {
	replay := replays[kind]
	if replay == nil {
		return fmt.Errorf("no rule decides an entry of kind %s", kind)
	}
	recorded, err := ReadDecided(details)
	if err != nil {
		return fmt.Errorf("reading details: %w", err)
	}
	again, err := replay(r, recorded.Facts)
	if err != nil {
		return err
	}
	if again.Grade != recorded.Grade || !slices.Equal(again.Steps, recorded.Steps) {
		return ErrDecidedOtherwise
	}
	return nil
}

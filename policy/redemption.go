package policy

import "timebank/ledger"

// HoldDecision says how long a hold lasts, and why it is allowed.
type HoldDecision struct {
	Seconds int64
	Steps   []Step
}

// Hold says whether care credit may be held. The error is a *ledger.Refusal when a rule says no.
func (r *Rules) Hold(f HoldFacts) (HoldDecision, error) {
	d := HoldDecision{Seconds: r.holdSeconds}
	view := holdView{&f}
	for _, c := range append([]check{r.redeemable}, r.require...) {
		ok, err := c.when.holds(view)
		if err != nil {
			return HoldDecision{}, err
		}
		if !ok {
			return HoldDecision{}, c.refusal()
		}
		d.Steps = append(d.Steps, Step{Rule: c.id, Effect: Allowed, Unit: ledger.Care, In: f.Minutes, Out: f.Minutes})
	}
	return d, nil
}

// Redeemable reports whether somebody of this age may redeem care credit.
func (r *Rules) Redeemable(age int) bool {
	ok, err := r.redeemable.when.holds(holdView{&HoldFacts{Age: age}})
	return err == nil && ok
}

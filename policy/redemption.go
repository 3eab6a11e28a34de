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
	view := holdView{&f, r.service(f.Service)}
	whose := r.redeemable
	if f.ForRelative {
		whose = r.forRelative
	}
	if whose.id == "" {
		return HoldDecision{}, &ledger.Refusal{Code: "not_redeemable", Detail: "no rule in force lets credit be redeemed for a relative / 现行规则不允许为亲属兑换"}
	}
	for _, c := range append([]check{whose}, r.require...) {
		ok, err := c.when.holds(view)
		if err != nil {
			return HoldDecision{}, err
		}
		if !ok {
			return HoldDecision{}, c.refusal()
		}
		d.Steps = append(d.Steps, Step{Rule: c.id, Effect: Allowed, Unit: ledger.Care, In: f.Minutes, Out: f.Minutes})
	}
	for _, l := range r.redeemLimits {
		if f.RedeemedInMonth+f.Minutes > l.most {
			return HoldDecision{}, &ledger.Refusal{Code: l.code, Rule: l.id, Detail: l.text.EN.value + " / " + l.text.ZH.value}
		}
		d.Steps = append(d.Steps, Step{Rule: l.id, Effect: Allowed, Unit: ledger.Care, In: f.Minutes, Out: f.Minutes, Before: f.RedeemedInMonth})
	}
	return d, nil
}

// Redeemable reports whether somebody of this age may redeem care credit for themselves.
func (r *Rules) Redeemable(age int) bool {
	ok, err := r.redeemable.when.holds(holdView{&HoldFacts{Age: age}, nil})
	return err == nil && ok
}

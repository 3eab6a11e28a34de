package book

import (
	"slices"

	"timebank/ledger"
	"timebank/policy"
)

// hoursAgain is a claim read and decided again.
type hoursAgain struct {
	details  claimDetails
	sameRow  bool
	rules    *policy.Rules // nil where the book has none that decided it
	inForce  bool          // they were in force on the day
	decision policy.Decision
	refused  error
}

// prepareDecision reads an entry's details and decides it again from the facts in them.
func (g *ground) prepareDecision(r *prepared) {
	switch r.Kind {
	case ledger.KindHours:
		g.hoursAgain(r)
		return
	case ledger.KindHold:
		r.held = new(holdDetails)
		var plainly bool
		if plainly, r.unreadable = readHold(r.Details, r.held); plainly {
			r.replayed = g.holdAgain(r)
			return
		}
	case ledger.KindConfirm, ledger.KindCancel, ledger.KindHoldExpired:
		r.settled = new(settlementDetails)
		r.unreadable = readSettlement(r.Details, r.settled)
	}
	if rules, ok := g.rules[r.Rules]; ok && policy.Decides(r.Kind) {
		r.replayed = rules.Replay(r.Kind, r.Details)
	}
}

// holdAgain does what Replay does, for a hold of which the facts and steps are read already.
func (g *ground) holdAgain(r *prepared) error {
	rules, ok := g.rules[r.Rules]
	if !ok {
		return nil
	}
	again, err := rules.Hold(r.held.Facts)
	if err == nil && !slices.Equal(again.Steps, r.held.Steps) {
		err = policy.ErrDecidedOtherwise
	}
	return err
}

// prepareHours makes room for all claims of a page.
func (g *ground) prepareHours(p *page) {
	claims := 0
	for i := range p.entries {
		if p.entries[i].Kind == ledger.KindHours {
			claims++
		}
	}
	again, steps := take(&p.room.hours, claims), takeUsed(&p.room.steps, 2*stepsUsual*claims)
	for i := range p.entries {
		if r := &p.entries[i]; r.Kind == ledger.KindHours {
			claims--
			r.hours = &again[claims]
			r.hours.details.Steps, r.hours.decision.Steps, steps = steps[:0:stepsUsual], steps[stepsUsual:stepsUsual:2*stepsUsual], steps[2*stepsUsual:]
		}
	}
}

func (g *ground) hoursAgain(r *prepared) {
	h := r.hours
	if r.unreadable = readClaim(r.Details, &h.details); r.unreadable != nil {
		return
	}
	h.sameRow = r.claim != nil && sameClaim(*r.claim, h.details.row(r.Seq))
	if h.rules = g.rules[r.Rules]; h.rules == nil {
		return
	}
	chosen, err := policy.Choose(g.sets, r.Effective)
	h.inForce = err == nil && chosen.Hash() == r.Rules
	h.decision, h.refused = h.rules.DecideIn(h.decision.Steps, &h.details.Facts)
}

// explains reports whether a decision is the one that details record.
func (h *hoursAgain) explains() bool {
	return h.decision.Grade == h.details.Grade && slices.Equal(h.decision.Steps, h.details.Steps)
}

package book

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"timebank/ledger"
	"timebank/policy"
)

// CareTime is a minute on the wall clock of the book's place: minutes since 1970-01-01 00:00.
type CareTime int64

const dayMinutes = 24 * 60

// At gives the minute of a day and a time of day.
func At(day ledger.Date, clock ledger.Clock) CareTime {
	return CareTime(int64(day)*dayMinutes + int64(clock))
}

// careTime gives the minute that t shows in its own location; seconds are dropped.
func careTime(t time.Time) CareTime {
	return At(ledger.DateOf(t), ledger.Clock(t.Hour()*60+t.Minute()))
}

// String gives the time as "2026-03-05T14:30", or nothing for nil.
func (c *CareTime) String() string {
	if c == nil {
		return ""
	}
	return ledger.Date(*c/dayMinutes).String() + "T" + ledger.Clock(*c%dayMinutes).String()
}

// column gives the time as its column holds it, or -1, which is before any.
func (c *CareTime) column() int64 {
	if c == nil {
		return -1
	}
	return int64(*c)
}

func careTimeOf(n sql.NullInt64) *CareTime {
	if !n.Valid {
		return nil
	}
	c := CareTime(n.Int64)
	return &c
}

// bookedAheadMax bounds how far ahead care is booked.
const bookedAheadMax = 366 * dayMinutes

// booked adds to the facts for when the care is, and how often agreements were broken.
func (c *hold) booked(w *world, f *policy.HoldFacts) error {
	f.PartnerStrikes, f.VolunteerStrikes = w.spending.strikes[c.partner], w.spending.strikes[c.redemption.Volunteer]
	if c.redemption.CareAt == nil {
		return nil
	}
	f.Booked, f.Urgent, f.LeadMinutes = true, c.redemption.Urgent, int64(*c.redemption.CareAt-w.clock)
	if f.LeadMinutes < 0 || f.LeadMinutes > bookedAheadMax {
		return &ledger.Invalid{Code: "date_out_of_range", Pointer: "/care_at", Detail: "care is booked from now on, up to 366 days ahead"}
	}
	return nil
}

// Cancel gives a hold back to the volunteer, and says why. The partner may, at any time; the volunteer or
// the guardian, when it is booked and its time has not come; the operator, who heard both, when somebody
// did not come.
func (b *Book) Cancel(ctx context.Context, by ledger.Actor, key Key, id string, reason policy.CancelReason) (Receipt, error) {
	if err := by.May(ledger.RolePartner, ledger.RoleVolunteer, ledger.RoleOperator); err != nil {
		return Receipt{}, err
	}
	if checkID("/id", id) != nil {
		return Receipt{}, ledger.ErrNotFound
	}
	if !slices.Contains(cancelReasons[by.Role], reason) {
		return Receipt{}, &ledger.Invalid{Code: "reason_not_yours", Pointer: "/reason",
			Detail: fmt.Sprintf("the reason is one of %v, not %q", cancelReasons[by.Role], reason)}
	}
	return b.do(ctx, by, key, &cancel{by: by, id: id, reason: reason})
}

// cancelReasons tells who may say what.
var cancelReasons = map[ledger.Role][]policy.CancelReason{
	ledger.RolePartner:   {"volunteer_asked", "volunteer_absent", "partner_unable"},
	ledger.RoleVolunteer: {"volunteer_asked"},
	ledger.RoleOperator:  {"volunteer_absent", "partner_absent"},
}

type cancel struct {
	by     ledger.Actor
	id     string
	reason policy.CancelReason
}

func (c *cancel) want(w *world, n *wants) { wantHold(w, n, c.id) }

func (c *cancel) decide(w *world) (decision, error) {
	h := w.holds[c.id]
	if h == nil || !c.concerns(w, h) {
		return decision{}, ledger.ErrNotFound
	}
	switch {
	case h.settled:
		return decision{}, &ledger.Refusal{Code: "hold_settled", Entry: h.seq, Detail: "the redemption was confirmed, cancelled or ended before"}
	case !h.endsAt.After(w.now):
		return decision{effects: []effect{w.release(h, ledger.KindHoldExpired)}},
			&ledger.Refusal{Code: "hold_expired", Entry: h.seq, Detail: "the hold ended on " + instant(h.endsAt)}
	case c.by.Role == ledger.RoleVolunteer && (h.careAt == nil || *h.careAt <= w.clock):
		return decision{}, &ledger.Refusal{Code: "cancel_too_late", Entry: h.seq, Detail: "a volunteer cancels what is booked for a time, before that time; the partner or the operator may later"}
	}
	rules, err := w.rules(w.today)
	if err != nil {
		return decision{}, err
	}
	f := policy.CancelFacts{By: callers[c.by.Role], Reason: c.reason, Today: w.today.String()}
	if h.careAt != nil {
		f.Booked, f.Notice = true, int64(*h.careAt-w.clock)
	}
	d, err := rules.Cancel(f)
	if err != nil {
		return decision{}, err
	}
	e, err := w.cancelled(h, rules, f, d)
	return decision{effects: []effect{e}, id: h.id}, err
}

// callers names who cancels, in the words of rules.
var callers = map[ledger.Role]ledger.OwnerKind{
	ledger.RolePartner: ledger.OwnerPartner, ledger.RoleVolunteer: ledger.OwnerVolunteer, ledger.RoleOperator: ledger.OwnerBank,
}

func (c *cancel) concerns(w *world, h *holdFacts) bool {
	switch c.by.Role {
	case ledger.RolePartner:
		return h.partner == c.by.Subject
	case ledger.RoleVolunteer:
		v := w.volunteers[h.volunteer]
		return h.volunteer == c.by.Subject || v != nil && v.guardian == c.by.Subject
	default:
		return true
	}
}

// cancelDetails tell a cancelling: what a settlement tells, and why.
type cancelDetails struct {
	settlementDetails
	Against []ledger.OwnerKind `json:"against,omitempty"`
	Facts   policy.CancelFacts `json:"facts"`
	Steps   []policy.Step      `json:"steps"`
}

func (w *world) cancelled(h *holdFacts, rules *policy.Rules, f policy.CancelFacts, d policy.CancelDecision) (effect, error) {
	e := w.release(h, ledger.KindCancel)
	details, err := encode(cancelDetails{settlementDetails{h.id, h.volunteer, h.partner, h.minutes, 0}, d.Against, f, d.Steps})
	if err != nil {
		return effect{}, err
	}
	e.draft.Details, e.draft.Rules = details, rules.Hash()
	released := e.learned
	e.learned = func(w *world, seq ledger.Seq) {
		released(w, seq)
		for _, who := range d.Against {
			w.spending.strike(map[ledger.OwnerKind]string{ledger.OwnerVolunteer: h.volunteer, ledger.OwnerPartner: h.partner}[who])
		}
	}
	return e, nil
}

// strikeDays is how long a strike counts.
const strikeDays = 365

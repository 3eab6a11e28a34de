package book

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"time"

	"timebank/ledger"
)

// The states of a redemption.
const (
	StatusHeld      = "held"
	StatusConfirmed = "confirmed"
	StatusCancelled = "cancelled"
	StatusExpired   = "expired" // ended by its time, recorded or not
)

// RedemptionState is a redemption as it stands now, by the database's clock.
type RedemptionState struct {
	ID, Volunteer, Partner, Service string
	Held, Given                     ledger.Minutes
	Status                          string
	CareAt                          *CareTime // nil when it was booked for no time
	EndsAt                          time.Time
	HoldSeq                         ledger.Seq
	SettledSeq                      *ledger.Seq
}

// RedemptionFilter chooses redemptions; what is zero does not narrow.
type RedemptionFilter struct {
	ID        string
	Volunteer string
	After     ledger.Seq // holds after this one; -1 from the start
	Limit     int
}

// redemption gives the redemption that an effect made or settled as its entry left it; nil for other effects.
func (e effect) redemption(r *Record) *RedemptionState {
	h := cmp.Or(e.made, e.settles)
	if h == nil {
		return nil
	}
	state := &RedemptionState{ID: h.id, Volunteer: h.volunteer, Partner: h.partner, Service: h.service, Held: h.minutes, Given: e.given,
		Status: settledStatus[r.Kind], CareAt: h.careAt, EndsAt: h.endsAt, HoldSeq: h.seq}
	if e.settles != nil {
		state.SettledSeq = &r.Seq
	}
	return state
}

var settledStatus = map[ledger.Kind]string{
	ledger.KindHold: "held", ledger.KindConfirm: "confirmed", ledger.KindCancel: "cancelled", ledger.KindHoldExpired: "expired",
}

// Redemption reads one redemption: the partner, the volunteer, the guardian and auditors may.
func (b *Book) Redemption(ctx context.Context, by ledger.Actor, id string) (RedemptionState, error) {
	if checkID("/id", id) != nil {
		return RedemptionState{}, ledger.ErrNotFound
	}
	return only(b.Redemptions(ctx, by, RedemptionFilter{ID: id, After: -1, Limit: 1}))
}

// Redemptions lists redemptions in the order of their holds.
func (b *Book) Redemptions(ctx context.Context, by ledger.Actor, f RedemptionFilter) ([]RedemptionState, error) {
	if err := by.May(ledger.RolePartner, ledger.RoleVolunteer, ledger.RoleAuditor); err != nil {
		return nil, err
	}
	const query = `
		SELECT h.id, h.volunteer, h.partner, h.service, h.minutes, h.ends_at, h.care_at, h.seq, s.seq AS settled, coalesce(s.given, 0) AS given,
		       CASE x.kind WHEN 'confirm' THEN 'confirmed' WHEN 'cancel' THEN 'cancelled' WHEN 'hold-expired' THEN 'expired'
		            ELSE CASE WHEN h.ends_at <= clock_timestamp() THEN 'expired' ELSE 'held' END END AS status
		FROM hold h JOIN entry e ON e.seq = h.seq LEFT JOIN settlement s ON s.hold = h.seq LEFT JOIN entry x ON x.seq = s.seq
		WHERE ` + visible + ` AND ($3 = '' OR h.id = nullif($3, '')::uuid) AND ($4 = '' OR h.volunteer = nullif($4, '')::uuid) AND h.seq > $5
		ORDER BY h.seq LIMIT $6`
	type stateRow struct {
		ID        string         `db:"id"`
		Volunteer string         `db:"volunteer"`
		Partner   string         `db:"partner"`
		Service   string         `db:"service"`
		Minutes   ledger.Minutes `db:"minutes"`
		EndsAt    time.Time      `db:"ends_at"`
		CareAt    sql.NullInt64  `db:"care_at"`
		Seq       ledger.Seq     `db:"seq"`
		Settled   sql.NullInt64  `db:"settled"`
		Given     ledger.Minutes `db:"given"`
		Status    string         `db:"status"`
	}
	rows, err := selectAll[stateRow](ctx, b.db, query, string(by.Role), by.Subject, f.ID, f.Volunteer, f.After, min(f.Limit, PageMax))
	if err != nil {
		return nil, fmt.Errorf("reading redemptions: %w", err)
	}
	found := make([]RedemptionState, len(rows))
	for i, r := range rows {
		found[i] = RedemptionState{r.ID, r.Volunteer, r.Partner, r.Service, r.Minutes, r.Given, r.Status, careTimeOf(r.CareAt), r.EndsAt.UTC(), r.Seq, seqOf(r.Settled)}
	}
	return found, nil
}

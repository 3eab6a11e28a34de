package book

import (
	"time"

	"timebank/ledger"
	"timebank/policy"
)

// Key is an idempotency key with the canonical hash of the request it stands for.
type Key struct {
	Text    string
	Request ledger.Hash
}

// KeyReused says that a key came before with another request.
type KeyReused struct{ Key string }

func (e *KeyReused) Error() string {
	return "the idempotency key was used before with another request"
}

// Is makes errors.Is(err, ledger.ErrConflict) true.
func (e *KeyReused) Is(target error) bool { return target == ledger.ErrConflict }

// Organization is who posts hours.
type Organization struct {
	ID, Name, ExternalID string
	Kind                 ledger.OrganizationKind
	Place                ledger.Place
	Seq                  ledger.Seq
	RegisteredAt         time.Time
}

// Volunteer is who helps. Name and birth date are sealed at rest.
type Volunteer struct {
	ID, Name, ExternalID string
	Born                 ledger.Date
	Guardian             string // id of the volunteer who is the guardian, or empty
	Roles                []ledger.VolunteerRole
	Seq                  ledger.Seq
	RegisteredAt         time.Time
}

// Partner is who gives care in return.
type Partner struct {
	ID, Name, ExternalID string
	Seq                  ledger.Seq
	RegisteredAt         time.Time
}

// Client holds credentials and acts for its subject in a role.
type Client struct {
	ID           string
	Role         ledger.Role
	Subject      string // id of the organization, partner or volunteer; empty for operator and auditor
	Label        string
	Revoked      bool
	Seq          ledger.Seq
	RegisteredAt time.Time
}

// Consent lets a partner hold a volunteer's care credit: at most MinutesMax in all its holds together,
// until a day, inclusive. A later consent replaces an earlier one; one of 0 minutes ends it.
type Consent struct {
	Volunteer, Partner string
	MinutesMax         ledger.Minutes
	Until              ledger.Date
}

// Redemption is a partner's wish to give a volunteer care for credit.
type Redemption struct {
	Volunteer string
	Service   string // what care, by its code in the catalogue
	For       string // the relative it is for; empty when it is for the volunteer
	Minutes   ledger.Minutes
	CareAt    *CareTime // when it is booked for; nil when it is for no agreed time
	Urgent    bool      // booked at short notice
}

// HoursRequest is one claim to record.
type HoursRequest struct {
	Key    Key
	Claim  ledger.Claim
	DryRun bool // decide and answer, but record nothing and use no key
}

// HoursResult is what became of one claim: a receipt, or why not.
type HoursResult struct {
	Receipt Receipt
	Err     error
}

// Line is a posting with what stands beside it.
type Line = ledger.Posted

// Record is an entry as kept.
type Record = ledger.Record

// Receipt answers a write: what was recorded, or what had been recorded under the same key before.
type Receipt struct {
	Record
	ID       string // of the organization, volunteer, partner, client or redemption it is about
	Replayed bool

	Redemption *RedemptionState // that was made or settled; nil when replayed, since more may have become of it

	decided *policy.Decided // what the rules decided just now; nil when it is to be read from the details
}

// AsOf asks for the past: the balances by the entries effective on or before a date, as known when the
// log had a size. Each is optional; without both it is now.
type AsOf struct {
	Effective *ledger.Date
	LogSize   *int64
}

// ListFilter pages through a registry in the order of registration.
type ListFilter struct {
	AfterSeq   ledger.Seq // entries after this one; -1 from the start
	ExternalID string
	Limit      int
}

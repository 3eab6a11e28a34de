package ledger

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
)

// Unit is what an account counts. All are minutes; they are never mixed in one sum.
type Unit string

// The units of the ledger.
const (
	Service Unit = "service" // minutes really served: the lifetime record
	Care    Unit = "care"    // elder-care credit: a claim on care
	Youth   Unit = "youth"   // service record of a young volunteer
	Support Unit = "support" // standing of a professional team
)

// Units lists all units in the order of the books.
var Units = []Unit{Service, Care, Youth, Support}

// OwnerKind says who owns an account.
type OwnerKind string

// The owners of accounts.
const (
	OwnerBank         OwnerKind = "bank"
	OwnerPool         OwnerKind = "pool"
	OwnerOrganization OwnerKind = "organization"
	OwnerVolunteer    OwnerKind = "volunteer"
	OwnerPartner      OwnerKind = "partner"
)

// Owner is somebody who has accounts. The bank and the pool have no id.
type Owner struct {
	Kind OwnerKind
	ID   string
}

// Purpose says what an account of an owner is for.
type Purpose string

// The purposes of accounts.
const (
	Served         Purpose = "served"
	CarePurpose    Purpose = "care"
	CareHeld       Purpose = "care-held"
	CareOwed       Purpose = "care-owed"
	YouthRecord    Purpose = "youth"
	TeamSupport    Purpose = "support"
	CareIssued     Purpose = "care-issued"
	CareSettled    Purpose = "care-settled"
	CareExpired    Purpose = "care-expired"
	CareWrittenOff Purpose = "care-written-off"
	YouthIssued    Purpose = "youth-issued"
	SupportIssued  Purpose = "support-issued"
)

// Line is one line of the chart of accounts: which account each owner of a kind has.
type Line struct {
	Owner   OwnerKind
	Purpose Purpose
	Unit    Unit
	MayOwe  bool // a contra account: its balance may be negative
}

// Chart is the chart of accounts. An owner gets all accounts of its kind when it is registered.
var Chart = []Line{
	{OwnerOrganization, Served, Service, true},
	{OwnerOrganization, TeamSupport, Support, false},
	{OwnerVolunteer, Served, Service, false},
	{OwnerVolunteer, CarePurpose, Care, false},
	{OwnerVolunteer, CareHeld, Care, false},
	{OwnerVolunteer, CareOwed, Care, true}, // what a correction could not take back; next earnings repay it
	{OwnerVolunteer, YouthRecord, Youth, false},
	{OwnerPartner, CarePurpose, Care, false},
	{OwnerPool, CarePurpose, Care, false},
	{OwnerBank, CareIssued, Care, true},
	{OwnerBank, CareSettled, Care, false},
	{OwnerBank, CareExpired, Care, false},
	{OwnerBank, CareWrittenOff, Care, true},
	{OwnerBank, YouthIssued, Youth, true},
	{OwnerBank, SupportIssued, Support, true},
}

// AccountID is the random number by which the log knows an account. It tells nothing of its owner.
type AccountID int64

// String gives the number as 16 hexadecimal digits.
func (a AccountID) String() string {
	var room [16]byte
	return string(a.Append(room[:0]))
}

// Append appends what String gives.
func (a AccountID) Append(b []byte) []byte {
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(a))
	return hex.AppendEncode(b, number[:])
}

// ParseAccountID reads what String gives.
func ParseAccountID(s string) (AccountID, error) {
	n, err := strconv.ParseUint(s, 16, 63)
	if err != nil || AccountID(n).String() != s || n == 0 {
		return 0, fmt.Errorf("%w: %q is not an account number of 16 hexadecimal digits", ErrInvalid, s)
	}
	return AccountID(n), nil
}

// Account holds one unit for one owner.
type Account struct {
	ID      AccountID
	Owner   Owner
	Purpose Purpose
	Unit    Unit
	MayOwe  bool
}

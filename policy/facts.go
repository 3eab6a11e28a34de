package policy

import (
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/interpreter"

	"timebank/ledger"
)

// ClaimFacts decide what a claim becomes. They are recorded with the entry, as JSON in this order.
type ClaimFacts struct {
	Age                  int                     `json:"age"` // full years on the day of service
	Roles                []ledger.VolunteerRole  `json:"roles,omitempty"`
	OrganizationKind     ledger.OrganizationKind `json:"organization_kind"`
	Service              string                  `json:"service,omitempty"`
	Minutes              ledger.Minutes          `json:"minutes"`
	ClockMinutes         ledger.Minutes          `json:"clock_minutes"` // span of the clock times, 0 when there are none
	ServedOn             ledger.Date             `json:"served_on"`
	Today                ledger.Date             `json:"today"`
	CheckedInOut         bool                    `json:"checked_in_out"`
	BeneficiaryConfirmed bool                    `json:"beneficiary_confirmed"`
	SheetOnFile          bool                    `json:"sheet_on_file"`
	TwoPersons           bool                    `json:"two_persons"` // recorder and approver are named and differ
	CareOnDay            ledger.Minutes          `json:"care_on_day"` // earned already by other claims for that day
	YouthOnDay           ledger.Minutes          `json:"youth_on_day"`
}

// HoldFacts decide whether care credit may be held for a redemption.
type HoldFacts struct {
	Age       int            `json:"age"` // full years today
	Minutes   ledger.Minutes `json:"minutes"`
	Available ledger.Minutes `json:"available"`
	Today     ledger.Date    `json:"today"`
	Service   string         `json:"service"`
}

// EvidenceFacts tells what a claim's evidence comes to.
func EvidenceFacts(e ledger.Evidence) (checkedInOut, beneficiary, sheet, twoPersons bool) {
	return e.CheckIn != nil && e.CheckOut != nil, e.Beneficiary, e.Sheet != "",
		e.Recorder != "" && e.Approver != "" && e.Recorder != e.Approver
}

// fact is a name that conditions may use, with its type.
type fact struct {
	name string
	typ  *cel.Type
}

// The facts of a claim, as conditions name them; docs/policy.md tells what each means. How much is
// claimed decides only whether a claim is refused: were a grade or an earning to depend on it, a claim
// could gain by being split.
var (
	gradeNames = []fact{
		{"age", cel.IntType}, {"roles", cel.ListType(cel.StringType)}, {"organization_kind", cel.StringType},
		{"service", cel.StringType}, {"served_on", cel.StringType}, {"today", cel.StringType}, {"days_late", cel.IntType},
		{"checked_in_out", cel.BoolType}, {"beneficiary_confirmed", cel.BoolType}, {"sheet_on_file", cel.BoolType},
		{"two_persons", cel.BoolType},
	}
	earnNames   = append(slices.Clone(gradeNames), fact{"grade", cel.StringType})
	refuseNames = append(slices.Clone(earnNames), fact{"minutes", cel.IntType}, fact{"clock_minutes", cel.IntType})
)

var holdNames = []fact{
	{"age", cel.IntType}, {"minutes", cel.IntType}, {"available", cel.IntType}, {"today", cel.StringType}, {"service", cel.StringType},
}

var ageNames = []fact{{"age", cel.IntType}}

// claimView lets CEL read the facts of a claim without a map of them.
type claimView struct {
	f     *ClaimFacts
	grade ledger.Grade
}

// Parent is part of CEL's interface: there is no outer scope.
func (claimView) Parent() interpreter.Activation { return nil }

// ResolveName gives the fact of a name.
func (v claimView) ResolveName(name string) (any, bool) {
	switch name {
	case "age":
		return int64(v.f.Age), true
	case "roles":
		roles := make([]string, len(v.f.Roles))
		for i, r := range v.f.Roles {
			roles[i] = string(r)
		}
		return roles, true
	case "organization_kind":
		return string(v.f.OrganizationKind), true
	case "service":
		return v.f.Service, true
	case "minutes":
		return int64(v.f.Minutes), true
	case "clock_minutes":
		return int64(v.f.ClockMinutes), true
	case "served_on":
		return v.f.ServedOn.String(), true
	case "today":
		return v.f.Today.String(), true
	case "days_late":
		return int64(v.f.Today - v.f.ServedOn), true
	case "checked_in_out":
		return v.f.CheckedInOut, true
	case "beneficiary_confirmed":
		return v.f.BeneficiaryConfirmed, true
	case "sheet_on_file":
		return v.f.SheetOnFile, true
	case "two_persons":
		return v.f.TwoPersons, true
	case "grade":
		return string(v.grade), true
	}
	return nil, false
}

type holdView struct{ f *HoldFacts }

// Parent is part of CEL's interface: there is no outer scope.
func (holdView) Parent() interpreter.Activation { return nil }

// ResolveName gives the fact of a name.
func (v holdView) ResolveName(name string) (any, bool) {
	switch name {
	case "age":
		return int64(v.f.Age), true
	case "minutes":
		return int64(v.f.Minutes), true
	case "available":
		return int64(v.f.Available), true
	case "today":
		return v.f.Today.String(), true
	case "service":
		return v.f.Service, true
	}
	return nil, false
}

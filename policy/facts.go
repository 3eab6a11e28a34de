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
	Class                string                  `json:"class,omitempty"`    // of activity; empty is ordinary volunteering
	Emergency            int                     `json:"emergency,omitzero"` // level of the emergency served in, 1 the gravest to 4; 0 none
	Minutes              ledger.Minutes          `json:"minutes"`
	ClockMinutes         ledger.Minutes          `json:"clock_minutes"` // span of the clock times, 0 when there are none
	ServedOn             ledger.Date             `json:"served_on"`
	Today                ledger.Date             `json:"today"`
	CheckedInOut         bool                    `json:"checked_in_out"`
	BeneficiaryConfirmed bool                    `json:"beneficiary_confirmed"`
	SheetOnFile          bool                    `json:"sheet_on_file"`
	TwoPersons           bool                    `json:"two_persons"`                 // recorder and approver are named and differ
	SecondApprover       bool                    `json:"second_approver,omitzero"`    // another person, of the organization above, approved too
	AuthorityApproved    bool                    `json:"authority_approved,omitzero"` // and another, of the authority
	Remote               bool                    `json:"remote,omitzero"`             // attested from afar: by telephone or picture
	GuardianConsent      bool                    `json:"guardian_consent,omitzero"`   // a guardian's consent held on the day of service
	Chosen               []string                `json:"chosen,omitempty"`            // options in force that day, of the volunteer and the organization
	Past
}

// HoldFacts decide whether care credit may be held for a redemption.
type HoldFacts struct {
	Age       int            `json:"age"` // full years today
	Minutes   ledger.Minutes `json:"minutes"`
	Available ledger.Minutes `json:"available"`
	Today     ledger.Date    `json:"today"`
	Service   string         `json:"service"`

	ForRelative     bool                `json:"for_relative,omitzero"` // the care is for a relative, not for whose credit it is
	Relation        ledger.RelationKind `json:"relation,omitempty"`    // what that relative is to them, as registered
	RelativeAge     int                 `json:"relative_age,omitzero"`
	RedeemedInMonth ledger.Minutes      `json:"redeemed_in_month,omitzero"` // held or given before, in the calendar month
	OpenHolds       int                 `json:"open_holds,omitzero"`

	Booked           bool  `json:"booked,omitzero"`       // for a time
	LeadMinutes      int64 `json:"lead_minutes,omitzero"` // until that time
	Urgent           bool  `json:"urgent,omitzero"`
	PartnerStrikes   int   `json:"partner_strikes,omitzero"` // against this partner, in the 365 days before
	VolunteerStrikes int   `json:"volunteer_strikes,omitzero"`
}

// Show puts into the facts what a claim's evidence comes to. A name that appears twice is one person.
func (f *ClaimFacts) Show(e ledger.Evidence) {
	f.CheckedInOut, f.BeneficiaryConfirmed, f.SheetOnFile = e.CheckIn != nil && e.CheckOut != nil, e.Beneficiary, e.Sheet != ""
	f.Remote = e.Remote
	f.TwoPersons = e.Recorder != "" && e.Approver != "" && e.Recorder != e.Approver
	f.SecondApprover = e.SecondApprover != "" && e.SecondApprover != e.Recorder && e.SecondApprover != e.Approver
	f.AuthorityApproved = e.Authority != "" &&
		e.Authority != e.Recorder && e.Authority != e.Approver && e.Authority != e.SecondApprover
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
		{"service", cel.StringType}, {"class", cel.StringType}, {"emergency", cel.IntType},
		{"served_on", cel.StringType}, {"today", cel.StringType}, {"days_late", cel.IntType}, {"working_days_late", cel.IntType},
		{"checked_in_out", cel.BoolType}, {"beneficiary_confirmed", cel.BoolType}, {"sheet_on_file", cel.BoolType},
		{"two_persons", cel.BoolType}, {"second_approver", cel.BoolType}, {"authority_approved", cel.BoolType},
		{"remote", cel.BoolType}, {"guardian_consent", cel.BoolType}, {"chosen", cel.ListType(cel.StringType)},
	}
	earnNames   = append(slices.Clone(gradeNames), fact{"grade", cel.StringType})
	refuseNames = append(slices.Clone(earnNames), fact{"minutes", cel.IntType}, fact{"clock_minutes", cel.IntType},
		fact{"minutes_on_day", cel.IntType})
)

var holdNames = []fact{
	{"age", cel.IntType}, {"minutes", cel.IntType}, {"available", cel.IntType}, {"today", cel.StringType}, {"service", cel.StringType},
	{"for_relative", cel.BoolType}, {"relation", cel.StringType}, {"relative_age", cel.IntType}, {"redeemed_in_month", cel.IntType},
	{"open_holds", cel.IntType}, {"booked", cel.BoolType}, {"lead_minutes", cel.IntType}, {"urgent", cel.BoolType},
	{"partner_strikes", cel.IntType}, {"volunteer_strikes", cel.IntType}, {"service_known", cel.BoolType}, {"service_by", cel.StringType},
}

var ageNames = []fact{{"age", cel.IntType}}

// claimView lets CEL read the facts of a claim without a map of them.
type claimView struct {
	f     *ClaimFacts
	grade ledger.Grade
	days  *workdays
}

// Parent is part of CEL's interface: there is no outer scope.
func (claimView) Parent() interpreter.Activation { return nil }

// ResolveName gives the fact of a name.
func (v claimView) ResolveName(name string) (any, bool) {
	switch name {
	case "age":
		return int64(v.f.Age), true
	case "roles":
		return texts(v.f.Roles), true
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
	return v.more(name)
}

func (v claimView) more(name string) (any, bool) {
	switch name {
	case "class":
		return v.f.Class, true
	case "emergency":
		return int64(v.f.Emergency), true
	case "working_days_late":
		return v.days.after(v.f.ServedOn, v.f.Today), true
	case "second_approver":
		return v.f.SecondApprover, true
	case "authority_approved":
		return v.f.AuthorityApproved, true
	case "remote":
		return v.f.Remote, true
	case "guardian_consent":
		return v.f.GuardianConsent, true
	case "chosen":
		return texts(v.f.Chosen), true
	case "minutes_on_day":
		return int64(v.f.MinutesOnDay), true
	}
	return nil, false
}

// texts gives a list as CEL knows it.
func texts[T ~string](list []T) []string {
	all := make([]string, len(list))
	for i, t := range list {
		all[i] = string(t)
	}
	return all
}

// holdView lets CEL read the facts of a hold, with what the catalogue says of the service.
type holdView struct {
	f       *HoldFacts
	service *careService // nil: not in the catalogue
}

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
	case "for_relative":
		return v.f.ForRelative, true
	case "relation":
		return string(v.f.Relation), true
	case "relative_age":
		return int64(v.f.RelativeAge), true
	case "redeemed_in_month":
		return int64(v.f.RedeemedInMonth), true
	case "open_holds":
		return int64(v.f.OpenHolds), true
	case "booked":
		return v.f.Booked, true
	case "lead_minutes":
		return v.f.LeadMinutes, true
	case "urgent":
		return v.f.Urgent, true
	case "partner_strikes":
		return int64(v.f.PartnerStrikes), true
	case "volunteer_strikes":
		return int64(v.f.VolunteerStrikes), true
	case "service_known":
		return v.service != nil, true
	case "service_by":
		if v.service == nil {
			return "", true
		}
		return v.service.by, true
	}
	return nil, false
}

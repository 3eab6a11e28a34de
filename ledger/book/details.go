package book

import (
	"fmt"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
	"timebank/policy"
)

// The details of an entry are canonical JSON: fields in the order of these structs, nothing optional
// left as null. The leaf commits to the very bytes; they are never rewritten.

// claimDetails tells a claim and why it became what it did.
type claimDetails struct {
	Organization string            `json:"organization"`
	Volunteer    string            `json:"volunteer"`
	Activity     string            `json:"activity"`
	Service      string            `json:"service,omitempty"`
	Class        string            `json:"class,omitempty"`
	Position     string            `json:"position,omitempty"`
	Emergency    int               `json:"emergency_level,omitzero"`
	Start        string            `json:"start,omitempty"`
	End          string            `json:"end,omitempty"`
	Reference    string            `json:"reference,omitempty"`
	Evidence     evidenceDetails   `json:"evidence"`
	Facts        policy.ClaimFacts `json:"facts"`
	Grade        ledger.Grade      `json:"grade"`
	Steps        []policy.Step     `json:"steps"`
}

type evidenceDetails struct {
	CheckIn     string `json:"check_in,omitempty"`
	CheckOut    string `json:"check_out,omitempty"`
	Beneficiary bool   `json:"beneficiary_confirmed"`
	Sheet       string `json:"sheet,omitempty"`
	Recorder    string `json:"recorder,omitempty"`
	Approver    string `json:"approver,omitempty"`

	SecondApprover string `json:"second_approver,omitempty"`
	Authority      string `json:"authority,omitempty"`
	Remote         bool   `json:"remote,omitzero"`
	Satisfaction   int    `json:"satisfaction,omitzero"`
}

func hoursDetails(organization string, c ledger.Claim, f policy.ClaimFacts, d policy.Decision) ([]byte, error) {
	return encode(claimDetails{
		Organization: organization, Volunteer: c.Volunteer, Activity: c.Activity, Service: c.Service, Class: c.Class, Position: c.Position, Emergency: c.Emergency,
		Start: clockText(c.Start), End: clockText(c.End), Reference: c.Reference,
		Evidence: evidenceDetails{clockText(c.Evidence.CheckIn), clockText(c.Evidence.CheckOut), c.Evidence.Beneficiary,
			c.Evidence.Sheet, c.Evidence.Recorder, c.Evidence.Approver,
			c.Evidence.SecondApprover, c.Evidence.Authority, c.Evidence.Remote, c.Evidence.Satisfaction},
		Facts: f, Grade: d.Grade, Steps: d.Steps,
	})
}

func clockText(c *ledger.Clock) string {
	if c == nil {
		return ""
	}
	return c.String()
}

// encode gives the one JSON text of a value.
func encode(v any) ([]byte, error) {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("writing details: %w", err)
	}
	return text, nil
}

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
	text, err := claimDetails{
		Organization: organization, Volunteer: c.Volunteer, Activity: c.Activity, Service: c.Service, Class: c.Class, Position: c.Position, Emergency: c.Emergency,
		Start: clockText(c.Start), End: clockText(c.End), Reference: c.Reference,
		Evidence: evidenceDetails{clockText(c.Evidence.CheckIn), clockText(c.Evidence.CheckOut), c.Evidence.Beneficiary,
			c.Evidence.Sheet, c.Evidence.Recorder, c.Evidence.Approver,
			c.Evidence.SecondApprover, c.Evidence.Authority, c.Evidence.Remote, c.Evidence.Satisfaction},
		Facts: f, Grade: d.Grade, Steps: d.Steps,
	}.json()
	if err != nil {
		return nil, fmt.Errorf("writing details: %w", err)
	}
	return text, nil
}

// json writes the details of a claim as encode does. They are most of what is written of most entries, while
// everybody waits, so it is done without reflection.
func (d claimDetails) json() ([]byte, error) {
	var m ledger.Members
	m.Text("organization", d.Organization)
	m.Text("volunteer", d.Volunteer)
	m.Text("activity", d.Activity)
	m.TextUnlessEmpty("service", d.Service)
	m.TextUnlessEmpty("class", d.Class)
	m.TextUnlessEmpty("position", d.Position)
	m.IntUnlessZero("emergency_level", int64(d.Emergency))
	m.TextUnlessEmpty("start", d.Start)
	m.TextUnlessEmpty("end", d.End)
	m.TextUnlessEmpty("reference", d.Reference)
	m.Object("evidence", d.Evidence.addTo)
	m.Object("facts", d.Facts.AddTo)
	m.Text("grade", string(d.Grade))
	m.Objects("steps", len(d.Steps), func(m *ledger.Members, i int) { d.Steps[i].AddTo(m) })
	return m.JSON()
}

func (d *evidenceDetails) addTo(m *ledger.Members) {
	m.TextUnlessEmpty("check_in", d.CheckIn)
	m.TextUnlessEmpty("check_out", d.CheckOut)
	m.Bool("beneficiary_confirmed", d.Beneficiary)
	m.TextUnlessEmpty("sheet", d.Sheet)
	m.TextUnlessEmpty("recorder", d.Recorder)
	m.TextUnlessEmpty("approver", d.Approver)
	m.TextUnlessEmpty("second_approver", d.SecondApprover)
	m.TextUnlessEmpty("authority", d.Authority)
	m.BoolIfSo("remote", d.Remote)
	m.IntUnlessZero("satisfaction", int64(d.Satisfaction))
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

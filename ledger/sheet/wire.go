package sheet

import (
	"github.com/go-json-experiment/json"

	"timebank/ledger"
)

// wireClaim is a row as POST /v1/hours/batch takes it.
type wireClaim struct {
	Key       string        `json:"idempotency_key"`
	Volunteer string        `json:"volunteer_external_id"`
	Activity  string        `json:"activity"`
	Service   string        `json:"service,omitempty"`
	Class     string        `json:"class,omitempty"`
	ServedOn  string        `json:"served_on"`
	Start     string        `json:"start,omitempty"`
	End       string        `json:"end,omitempty"`
	Minutes   int64         `json:"minutes"`
	Reference string        `json:"reference,omitempty"`
	Evidence  *wireEvidence `json:"evidence,omitempty"`
}

type wireEvidence struct {
	CheckIn     string `json:"check_in,omitempty"`
	CheckOut    string `json:"check_out,omitempty"`
	Beneficiary bool   `json:"beneficiary_confirmed"`
	Sheet       string `json:"sheet,omitempty"`
	Recorder    string `json:"recorder,omitempty"`
	Approver    string `json:"approver,omitempty"`

	SecondApprover string `json:"second_approver,omitempty"`
	Authority      string `json:"authority,omitempty"`
}

// JSON gives a readable row as the API takes it. It is the same whoever sends it, so that a file that is
// uploaded and the same file sent row by row are one import.
func (r Row) JSON() ([]byte, error) {
	c := r.Claim
	w := wireClaim{Key: r.Key, Volunteer: r.Volunteer, Activity: c.Activity, Service: c.Service, Class: c.Class, ServedOn: c.ServedOn.String(),
		Start: clockText(c.Start), End: clockText(c.End), Minutes: int64(c.Minutes), Reference: c.Reference}
	if c.Evidence != (ledger.Evidence{}) {
		w.Evidence = &wireEvidence{clockText(c.Evidence.CheckIn), clockText(c.Evidence.CheckOut), c.Evidence.Beneficiary, c.Evidence.Sheet,
			c.Evidence.Recorder, c.Evidence.Approver, c.Evidence.SecondApprover, c.Evidence.Authority}
	}
	return json.Marshal(w, json.Deterministic(true))
}

func clockText(c *ledger.Clock) string {
	if c == nil {
		return ""
	}
	return c.String()
}

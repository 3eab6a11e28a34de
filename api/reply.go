package api

import (
	"bytes"
	"net/http"

	"github.com/go-json-experiment/json"
)

// written answers a write: 201 for what was recorded, 200 for what had been recorded under the same key,
// or for what a dry run says would be. It stands for the generated answers of every write, which differ
// in nothing but their names.
type written struct {
	status   int
	replayed bool
	body     any
}

func recorded(replayed bool, body any) written {
	if replayed {
		return written{http.StatusOK, true, body}
	}
	return written{http.StatusCreated, false, body}
}

func (r written) write(w http.ResponseWriter) error {
	var text bytes.Buffer
	if err := json.MarshalWrite(&text, r.body); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	if r.replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	w.WriteHeader(r.status)
	_, err := text.WriteTo(w)
	return err
}

// The generated interface of each write has one method, which writes.

func (r written) VisitCreateOrganizationResponse(w http.ResponseWriter) error { return r.write(w) }
func (r written) VisitCreateVolunteerResponse(w http.ResponseWriter) error    { return r.write(w) }
func (r written) VisitCreatePartnerResponse(w http.ResponseWriter) error      { return r.write(w) }
func (r written) VisitCreateClientResponse(w http.ResponseWriter) error       { return r.write(w) }
func (r written) VisitRevokeClientResponse(w http.ResponseWriter) error       { return r.write(w) }
func (r written) VisitCreateConsentResponse(w http.ResponseWriter) error      { return r.write(w) }
func (r written) VisitPostHoursResponse(w http.ResponseWriter) error          { return r.write(w) }
func (r written) VisitPostHoursBatchResponse(w http.ResponseWriter) error     { return r.write(w) }
func (r written) VisitImportHoursResponse(w http.ResponseWriter) error        { return r.write(w) }
func (r written) VisitCorrectEntryResponse(w http.ResponseWriter) error       { return r.write(w) }
func (r written) VisitCreateRedemptionResponse(w http.ResponseWriter) error   { return r.write(w) }
func (r written) VisitConfirmRedemptionResponse(w http.ResponseWriter) error  { return r.write(w) }
func (r written) VisitCancelRedemptionResponse(w http.ResponseWriter) error   { return r.write(w) }
func (r written) VisitActivateRulesResponse(w http.ResponseWriter) error      { return r.write(w) }

// plain answers with text.
type plain struct {
	status    int
	mediaType string
	text      string
}

func (p plain) write(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", p.mediaType)
	w.WriteHeader(p.status)
	_, err := w.Write([]byte(p.text))
	return err
}

func (p plain) VisitGetMetricsResponse(w http.ResponseWriter) error    { return p.write(w) }
func (p plain) VisitGetContractResponse(w http.ResponseWriter) error   { return p.write(w) }
func (p plain) VisitGetCheckpointResponse(w http.ResponseWriter) error { return p.write(w) }
func (p plain) VisitGetProofResponse(w http.ResponseWriter) error      { return p.write(w) }
func (p plain) VisitGetProblemsResponse(w http.ResponseWriter) error   { return p.write(w) }

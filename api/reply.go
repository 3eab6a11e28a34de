package api

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json"

	"timebank/api/gen"
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
	text, err := r.json()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	if r.replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	w.WriteHeader(r.status)
	_, err = w.Write(text)
	return err
}

func (r written) json() ([]byte, error) {
	switch body := r.body.(type) {
	case gen.Receipt:
		return receiptJSON(body)
	case gen.BatchResult:
		return batchJSON(body)
	default:
		return json.Marshal(body)
	}
}

// The generated interface of each write has one method, which writes.

func (r written) VisitCreateOrganizationResponse(w http.ResponseWriter) error    { return r.write(w) }
func (r written) VisitCreateVolunteerResponse(w http.ResponseWriter) error       { return r.write(w) }
func (r written) VisitCreatePartnerResponse(w http.ResponseWriter) error         { return r.write(w) }
func (r written) VisitCreateClientResponse(w http.ResponseWriter) error          { return r.write(w) }
func (r written) VisitRevokeClientResponse(w http.ResponseWriter) error          { return r.write(w) }
func (r written) VisitCreateChoiceResponse(w http.ResponseWriter) error          { return r.write(w) }
func (r written) VisitCreateRelationResponse(w http.ResponseWriter) error        { return r.write(w) }
func (r written) VisitEndRelationResponse(w http.ResponseWriter) error           { return r.write(w) }
func (r written) VisitCreateGuardianConsentResponse(w http.ResponseWriter) error { return r.write(w) }
func (r written) VisitCreateTransferResponse(w http.ResponseWriter) error        { return r.write(w) }
func (r written) VisitCreateDonationResponse(w http.ResponseWriter) error        { return r.write(w) }
func (r written) VisitCreateApplicationResponse(w http.ResponseWriter) error     { return r.write(w) }
func (r written) VisitCreateGrantResponse(w http.ResponseWriter) error           { return r.write(w) }
func (r written) VisitCreateExpiriesResponse(w http.ResponseWriter) error        { return r.write(w) }
func (r written) VisitCreateHonourResponse(w http.ResponseWriter) error          { return r.write(w) }
func (r written) VisitCreateNominationResponse(w http.ResponseWriter) error      { return r.write(w) }
func (r written) VisitCreateHonourConsentResponse(w http.ResponseWriter) error   { return r.write(w) }
func (r written) VisitCreateSupportResponse(w http.ResponseWriter) error         { return r.write(w) }
func (r written) VisitCreateReferralResponse(w http.ResponseWriter) error        { return r.write(w) }
func (r written) VisitCreateClarificationResponse(w http.ResponseWriter) error   { return r.write(w) }
func (r written) VisitCreateConsentResponse(w http.ResponseWriter) error         { return r.write(w) }
func (r written) VisitPostHoursResponse(w http.ResponseWriter) error             { return r.write(w) }
func (r written) VisitPostHoursBatchResponse(w http.ResponseWriter) error        { return r.write(w) }
func (r written) VisitImportHoursResponse(w http.ResponseWriter) error           { return r.write(w) }
func (r written) VisitCorrectEntryResponse(w http.ResponseWriter) error          { return r.write(w) }
func (r written) VisitCreateRedemptionResponse(w http.ResponseWriter) error      { return r.write(w) }
func (r written) VisitConfirmRedemptionResponse(w http.ResponseWriter) error     { return r.write(w) }
func (r written) VisitCancelRedemptionResponse(w http.ResponseWriter) error      { return r.write(w) }
func (r written) VisitDraftRulesResponse(w http.ResponseWriter) error            { return r.write(w) }
func (r written) VisitApproveRulesResponse(w http.ResponseWriter) error          { return r.write(w) }
func (r written) VisitActivateRulesResponse(w http.ResponseWriter) error         { return r.write(w) }

// listed answers with a page. It stands for the generated answers of every list, which have no place
// for the Link header.
type listed struct {
	body any
	next string // path and query of the next page, "" for none
}

// list makes an answer of a page whose next one begins at a cursor.
func list(ctx context.Context, body any, next *string) listed {
	if next == nil {
		return listed{body, ""}
	}
	u := *callOf(ctx).url
	query := u.Query()
	query.Set("cursor", *next)
	return listed{body, u.EscapedPath() + "?" + query.Encode()}
}

func (r listed) write(w http.ResponseWriter) error {
	if r.next != "" {
		w.Header().Set("Link", "<"+r.next+`>; rel="next"`)
	}
	return written{status: http.StatusOK, body: r.body}.write(w)
}

func (r listed) VisitListOrganizationsResponse(w http.ResponseWriter) error { return r.write(w) }
func (r listed) VisitListVolunteersResponse(w http.ResponseWriter) error    { return r.write(w) }
func (r listed) VisitListPartnersResponse(w http.ResponseWriter) error      { return r.write(w) }
func (r listed) VisitListClientsResponse(w http.ResponseWriter) error       { return r.write(w) }
func (r listed) VisitListHoursResponse(w http.ResponseWriter) error         { return r.write(w) }
func (r listed) VisitListEntriesResponse(w http.ResponseWriter) error       { return r.write(w) }
func (r listed) VisitListRedemptionsResponse(w http.ResponseWriter) error   { return r.write(w) }
func (r listed) VisitListHonoursResponse(w http.ResponseWriter) error       { return r.write(w) }
func (r listed) VisitListSupportsResponse(w http.ResponseWriter) error      { return r.write(w) }
func (r listed) VisitListAccountsResponse(w http.ResponseWriter) error      { return r.write(w) }

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

func (p plain) VisitGetMetricsResponse(w http.ResponseWriter) error           { return p.write(w) }
func (p plain) VisitGetContractResponse(w http.ResponseWriter) error          { return p.write(w) }
func (p plain) VisitGetCheckpointResponse(w http.ResponseWriter) error        { return p.write(w) }
func (p plain) VisitGetServiceRecordPageResponse(w http.ResponseWriter) error { return p.write(w) }
func (p plain) VisitGetStatementPageResponse(w http.ResponseWriter) error     { return p.write(w) }
func (p plain) VisitGetPolicyPageResponse(w http.ResponseWriter) error        { return p.write(w) }
func (p plain) VisitGetRuleSetResponse(w http.ResponseWriter) error           { return p.write(w) }
func (p plain) VisitGetProofResponse(w http.ResponseWriter) error             { return p.write(w) }
func (p plain) VisitImportHoursResponse(w http.ResponseWriter) error          { return p.write(w) }
func (p plain) VisitGetProblemsResponse(w http.ResponseWriter) error          { return p.write(w) }

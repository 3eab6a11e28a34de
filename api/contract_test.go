package api

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
)

func document(t *testing.T) *openapi3.T {
	t.Helper()
	_, doc, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestContractIsSound validates the document with all its examples.
func TestContractIsSound(t *testing.T) {
	t.Parallel()
	if err := document(t).Validate(context.Background(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaPatternValidation()); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != string(gen.Contract) {
		t.Error("what is served is not openapi.yaml: run go generate")
	}
}

// TestContractSaysEverything looks for what an operation must tell.
func TestContractSaysEverything(t *testing.T) {
	t.Parallel()
	reading := []string{"CheckRules", "SimulateRules"} // a POST since its question is long: it records nothing
	public := []string{"CreateToken", "GetKeys", "GetHealth", "GetReadiness", "GetMetrics", "GetContract", "GetProblems", "GetCheckpoint",
		"GetProof", "GetPolicy", "ListRuleSets", "GetRuleSet", "GetPolicyPage",
		"GetPool", "ListHonours", "ListSupports", "GetTile1", "GetTile2", "GetTile3", "GetTile4"}
	for path, item := range document(t).Paths.Map() {
		for method, op := range item.Operations() {
			t.Run(op.OperationID, func(t *testing.T) {
				if op.Summary == "" || op.Description == "" || len(op.Tags) != 1 {
					t.Error("summary, description or tag is missing")
				}
				if op.Security == nil {
					t.Fatal("who may ask is not said")
				}
				isPublic := len(*op.Security) == 0
				if isPublic != slices.Contains(public, op.OperationID) {
					t.Errorf("public: %v", isPublic)
				}
				scope := map[string]string{"GET": "read", "POST": "write"}[method]
				if !isPublic && !slices.Contains((*op.Security)[0]["oauth2"], scope) {
					t.Errorf("the scope is not %s", scope)
				}
				if !isPublic && !strings.Contains(op.Description, "Roles: ") {
					t.Error("the roles are not said")
				}
				needsKey := slices.ContainsFunc(op.Parameters, func(p *openapi3.ParameterRef) bool { return p.Value.Name == "Idempotency-Key" && p.Value.Required })
				if records := method == "POST" && !isPublic && !slices.Contains(reading, op.OperationID); needsKey != records {
					t.Errorf("needs an Idempotency-Key: %v", needsKey)
				}
				hasExamples(t, op)
				for _, status := range expectedStatuses(method, path, isPublic) {
					if slices.Contains(reading, op.OperationID) && (status == "409" || status == "422") {
						continue // nothing is refused by a rule, and no key is used
					}
					if op.Responses.Value(status) == nil {
						t.Errorf("status %s is not declared", status)
					}
				}
			})
		}
	}
}

// hasExamples looks for an example of each body that may be answered.
func hasExamples(t *testing.T, op *openapi3.Operation) {
	t.Helper()
	for status, answer := range op.Responses.Map() {
		for mediaType, content := range answer.Value.Content {
			if content.Example == nil && content.Schema.Value.Example == nil {
				t.Errorf("%s %s has no example", status, mediaType)
			}
		}
	}
}

func expectedStatuses(method, path string, public bool) []string {
	statuses := []string{"200", "400", "default"}
	if !public {
		statuses = append(statuses, "401", "403", "503")
	}
	if method == "POST" {
		statuses = append(statuses, "413", "415")
	}
	if method == "POST" && !public {
		statuses = append(statuses, "409", "422")
	}
	if strings.Contains(path, "{") {
		statuses = append(statuses, "404")
	}
	return statuses
}

// TestContractBoundsEverything: every text has a longest, every number a largest, every list a most; every
// object of a request refuses what it does not know.
func TestContractBoundsEverything(t *testing.T) {
	t.Parallel()
	doc := document(t)
	for name, ref := range doc.Components.Schemas {
		bounded(t, name, ref.Value, map[*openapi3.Schema]bool{})
	}
	for name, p := range doc.Components.Parameters {
		bounded(t, name, p.Value.Schema.Value, map[*openapi3.Schema]bool{})
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			for status, answer := range op.Responses.Map() {
				for mediaType, content := range answer.Value.Content {
					bounded(t, fmt.Sprint(op.OperationID, " ", status, " ", mediaType), content.Schema.Value, map[*openapi3.Schema]bool{})
				}
			}
			if op.RequestBody == nil {
				continue
			}
			for mediaType, content := range op.RequestBody.Value.Content {
				s := content.Schema.Value
				if closed := s.AdditionalProperties.Has; mediaType != formType && (closed == nil || *closed) {
					t.Errorf("%s %s: the body takes fields that the contract does not know", method, path)
				}
				if s.Example == nil && mediaType != "multipart/form-data" {
					t.Errorf("%s %s: the body has no example", method, path)
				}
			}
		}
	}
}

func bounded(t *testing.T, at string, s *openapi3.Schema, seen map[*openapi3.Schema]bool) {
	t.Helper()
	if seen[s] {
		return
	}
	seen[s] = true
	switch {
	case s.Type.Is("string") && s.Format != "binary" && s.Format != "date-time" && len(s.Enum) == 0 && s.MaxLength == nil:
		t.Errorf("%s: a text without a longest", at)
	case s.Type.Is("integer") && (s.Max == nil || s.Min == nil) && at != "SeqParam" && at != "AtLogSizeParam":
		t.Errorf("%s: a number without bounds", at)
	case s.Type.Is("number"):
		t.Errorf("%s: a number that is not whole", at)
	case s.Type.Is("array"):
		if s.MaxItems == nil {
			t.Errorf("%s: a list without a most", at)
		}
		bounded(t, at+"[]", s.Items.Value, seen)
	}
	for name, p := range s.Properties {
		bounded(t, at+"."+name, p.Value, seen)
	}
}

// TestContractAgreesWithTheLedger: bounds and lists of the contract are the ledger's own.
func TestContractAgreesWithTheLedger(t *testing.T) {
	t.Parallel()
	schemas := document(t).Components.Schemas
	property := func(schema, name string) *openapi3.Schema { return schemas[schema].Value.Properties[name].Value }
	for _, test := range []struct {
		name string
		got  any
		want any
	}{
		{"minutes of a claim", *property("Claim", "minutes").Max, int64(ledger.ClaimMinutesMax)},
		{"an activity", *property("Claim", "activity").MaxLength, ledger.ActivityBytesMax},
		{"a reference", *property("Claim", "reference").MaxLength, ledger.ReferenceBytesMax},
		{"a name", *property("OrganizationInput", "name").MaxLength, ledger.NameBytesMax},
		{"a reason", *property("CorrectionInput", "reason").MaxLength, ledger.ReasonBytesMax},
		{"staff", *property("Evidence", "recorder").MaxLength, ledger.StaffBytesMax},
		{"a batch", *property("Batch", "claims").MaxItems, book.ItemsMax},
		{"a page", *document(t).Components.Parameters["LimitParam"].Value.Schema.Value.Max, book.PageMax},
		{"a key", *document(t).Components.Parameters["IdempotencyKeyParam"].Value.Schema.Value.MaxLength, ledger.KeyBytesMax},
		{"kinds of organization", schemas["OrganizationKind"].Value.Enum, ledger.OrganizationKinds},
		{"roles of volunteers", schemas["VolunteerRole"].Value.Enum, ledger.VolunteerRoles},
		{"roles", schemas["Role"].Value.Enum, ledger.Roles},
		{"units", schemas["Unit"].Value.Enum, ledger.Units},
		{"grades", schemas["Receipt"].Value.Properties["grade"].Value.Enum, ledger.Grades},
	} {
		if fmt.Sprint(test.got) != fmt.Sprint(test.want) {
			t.Errorf("%s: the contract says %v, the ledger %v", test.name, test.got, test.want)
		}
	}
}

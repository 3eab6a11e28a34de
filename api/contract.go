package api

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"timebank/api/gen"
)

const (
	bodyBytesMax   = 1 << 20
	batchBytesMax  = 4 << 20  // a thousand claims of a few hundred bytes, several times over
	importBytesMax = 64 << 20 // with the multipart frame a little less remains for the sheet
	formBytesMax   = 16 << 10 // credentials

	// batchesMax and importsMax bound the large bodies that are in memory at once.
	batchesMax = 32
	importsMax = 2
)

// operation is what the contract says of a method on a path, looked up once.
type operation struct {
	method    string
	public    bool
	needsKey  bool
	byItem    bool             // its handler reads, checks and hashes each item of the body by itself
	body      *openapi3.Schema // of a JSON body
	mediaType string           // of the body; "" takes none
	bytesMax  int64
	timeout   time.Duration // of the whole answer
	gate      chan struct{} // where only so many may pass at once
	query     map[string]*openapi3.Parameter
	path      []*openapi3.Parameter
}

// contract reads the operations of the embedded document, by method and echo's form of the path.
func contract() (map[string]*operation, *openapi3.T, error) {
	doc, err := gen.GetSpec()
	if err != nil {
		return nil, nil, fmt.Errorf("reading the contract: %w", err)
	}
	// The claims of a batch are checked one by one, so that a bad one fails alone.
	doc.Components.Schemas["Batch"].Value.Properties["claims"].Value.Items = openapi3.NewSchemaRef("", openapi3.NewSchema())
	operations := map[string]*operation{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			name := method + " " + echoPath(path)
			operations[name] = newOperation(name, method, op)
		}
	}
	return operations, doc, nil
}

func echoPath(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

func newOperation(name, method string, op *openapi3.Operation) *operation {
	o := &operation{method: method, public: op.Security != nil && len(*op.Security) == 0, bytesMax: bodyBytesMax,
		timeout: answerTimeout, query: map[string]*openapi3.Parameter{}}
	for _, p := range op.Parameters {
		switch p.Value.In {
		case openapi3.ParameterInQuery:
			o.query[p.Value.Name] = p.Value
		case openapi3.ParameterInPath:
			o.path = append(o.path, p.Value)
		case openapi3.ParameterInHeader:
			o.needsKey = o.needsKey || p.Value.Name == "Idempotency-Key"
		}
	}
	if op.RequestBody != nil {
		for mediaType, content := range op.RequestBody.Value.Content {
			o.mediaType = mediaType
			if mediaType == jsonType {
				o.body = content.Schema.Value
			}
		}
	}
	switch name {
	case "POST /v1/hours/batch":
		o.bytesMax, o.gate, o.byItem = batchBytesMax, make(chan struct{}, batchesMax), true
	case "POST /v1/hours/imports":
		o.bytesMax, o.gate, o.timeout = importBytesMax, make(chan struct{}, importsMax), importTimeout
	case "GET /v1/pool": // for everybody, and it sums up all that the pool ever did
		o.gate = make(chan struct{}, poolReadersMax)
	case "POST /v1/rules/simulations", "GET /v1/rules/replay":
		o.gate, o.timeout = make(chan struct{}, trialsMax), importTimeout
	case "GET /v1/totals", "GET /v1/oddities/:check":
		o.gate, o.timeout = make(chan struct{}, scansMax), importTimeout
	case "GET /v1/export":
		o.gate, o.timeout = make(chan struct{}, exportsMax), importTimeout
	case "POST " + tokenPath:
		o.bytesMax = formBytesMax
	}
	return o
}

// checkQuery refuses unknown, repeated and malformed query parameters.
func (o *operation) checkQuery(values map[string][]string) error {
	for name, given := range values {
		p, ok := o.query[name]
		if !ok {
			return invalid("parameter_unknown", "there is no query parameter "+clip(strconv.Quote(name))+" here")
		}
		if len(given) != 1 {
			return invalid("parameter_malformed", fmt.Sprintf("the query parameter %s is given more than once", name))
		}
		if err := checkParameter(p, given[0]); err != nil {
			return invalid("parameter_malformed", fmt.Sprintf("the query parameter %s is malformed: %s", name, reason(err)))
		}
	}
	for name, p := range o.query {
		if p.Required && len(values[name]) == 0 {
			return invalid("parameter_missing", fmt.Sprintf("the query parameter %s is missing", name))
		}
	}
	return nil
}

func checkParameter(p *openapi3.Parameter, text string) error {
	schema := p.Schema.Value
	switch {
	case schema.Type.Is("integer"):
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return errors.New("it is not a whole number")
		}
		return schema.VisitJSON(n)
	case schema.Type.Is("boolean"):
		if text != "true" && text != "false" {
			return errors.New("it is neither true nor false")
		}
		return nil
	default:
		return schema.VisitJSON(text)
	}
}

func reason(err error) string {
	var se *openapi3.SchemaError
	if errors.As(err, &se) {
		return se.Reason
	}
	return err.Error()
}

// checkBody refuses a body that the contract does not allow, naming every fault with its pointer.
func checkBody(schema *openapi3.Schema, value any) error {
	err := schema.VisitJSON(value, openapi3.MultiErrors())
	if err == nil {
		return nil
	}
	fields := fieldProblems(err)
	if len(fields) == 0 {
		return invalid("request_invalid", "the body does not fit the contract")
	}
	return invalid(fields[0].Code, fields[0].Detail, fields...)
}

// fieldProblemsMax bounds the faults told of one body.
const fieldProblemsMax = 20

func fieldProblems(err error) []gen.FieldProblem {
	var fields []gen.FieldProblem
	var walk func(error)
	walk = func(err error) {
		var many openapi3.MultiError
		var one *openapi3.SchemaError
		switch {
		case len(fields) >= fieldProblemsMax:
		case errors.As(err, &many):
			for _, e := range many {
				walk(e)
			}
		case errors.As(err, &one) && one.SchemaField == "properties":
			for _, p := range unknownFields(one) {
				if len(fields) < fieldProblemsMax && !slices.Contains(fields, p) { // kin-openapi tells the object once for each
					fields = append(fields, p)
				}
			}
		case errors.As(err, &one):
			fields = append(fields, fieldProblem(one))
		}
	}
	walk(err)
	return fields
}

// unknownFields names the members of an object that the contract does not have.
func unknownFields(e *openapi3.SchemaError) []gen.FieldProblem {
	object, _ := e.Value.(map[string]any)
	var fields []gen.FieldProblem
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if _, known := e.Schema.Properties[name]; !known {
			pointer := clip(pointerOf(append(e.JSONPointer(), name)))
			fields = append(fields, gen.FieldProblem{Pointer: pointer, Code: "field_unknown", Detail: pointer + " is not a field of this request"})
		}
	}
	return fields
}

// pointerOf writes an RFC 6901 pointer.
func pointerOf(names []string) string {
	var p strings.Builder
	for _, name := range names {
		p.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	return p.String()
}

// fieldCodes give the code of a fault by the keyword of the contract that it breaks.
var fieldCodes = map[string]string{
	"required": "field_missing", "type": "type_mismatch", "nullable": "type_mismatch",
	"enum": "value_unknown", "pattern": "pattern_mismatch", "minLength": "text_missing", "maxLength": "text_too_long",
	"minimum": "out_of_range", "maximum": "out_of_range", "minItems": "too_few_items", "maxItems": "too_many_items",
}

func fieldProblem(e *openapi3.SchemaError) gen.FieldProblem {
	pointer := pointerOf(e.JSONPointer())
	code, ok := fieldCodes[e.SchemaField]
	if !ok {
		code = "request_invalid"
	}
	name := pointer[strings.LastIndex(pointer, "/")+1:]
	switch {
	case code == "out_of_range" && name == "minutes":
		code = "minutes_out_of_range"
	case code == "pattern_mismatch" && (name == "served_on" || name == "born" || name == "until"):
		code = "date_malformed"
	case code == "pattern_mismatch" && strings.HasSuffix(name, "_id"):
		code = "id_malformed"
	}
	return gen.FieldProblem{Pointer: pointer, Code: code, Detail: clip(fieldDetail(pointer, e))}
}

// fieldDetail says what is wrong with a field. kin-openapi's own words are kept where they name a bound,
// and never where they would quote a pattern that nobody can read.
func fieldDetail(pointer string, e *openapi3.SchemaError) string {
	if pointer == "" {
		pointer = "the body"
	}
	switch {
	case e.SchemaField == "required":
		return pointer + " is missing"
	case e.SchemaField == "nullable":
		return pointer + " is null: leave out what there is not"
	case e.SchemaField == "pattern" && e.Schema.Example != nil:
		return fmt.Sprintf("%s is not of the form of %v", pointer, e.Schema.Example)
	default:
		return pointer + ": " + e.Reason
	}
}

package api

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"timebank/api/gen"
)

const (
	bodyBytesMax   = 1 << 20
	batchBytesMax  = 4 << 20  // a thousand claims of a few hundred bytes, several times over
	importBytesMax = 64 << 20 // with the multipart frame a little less remains for the sheet
)

// operation is what the contract says of a method on a path, looked up once.
type operation struct {
	id        string
	public    bool
	needsKey  bool
	body      *openapi3.Schema // of a JSON body
	mediaType string           // of the body; "" takes none
	bytesMax  int64
	query     map[string]*openapi3.Parameter
	path      []*openapi3.Parameter
}

// contract reads the operations of the embedded document, by method and echo's form of the path.
func contract() (map[string]*operation, *openapi3.T, error) {
	doc, err := gen.GetSpec()
	if err != nil {
		return nil, nil, fmt.Errorf("reading the contract: %w", err)
	}
	operations := map[string]*operation{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			operations[method+" "+echoPath(path)] = newOperation(op)
		}
	}
	return operations, doc, nil
}

func echoPath(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

func newOperation(op *openapi3.Operation) *operation {
	o := &operation{id: op.OperationID, public: op.Security != nil && len(*op.Security) == 0, bytesMax: bodyBytesMax,
		query: map[string]*openapi3.Parameter{}}
	for _, p := range op.Parameters {
		switch p.Value.In {
		case openapi3.ParameterInQuery:
			o.query[p.Value.Name] = p.Value
		case openapi3.ParameterInPath:
			o.path = append(o.path, p.Value)
		case openapi3.ParameterInHeader:
			o.needsKey = true
		}
	}
	if op.RequestBody != nil {
		for mediaType, content := range op.RequestBody.Value.Content {
			o.mediaType = mediaType
			if mediaType == "application/json" {
				o.body = content.Schema.Value
			}
		}
	}
	switch o.id {
	case "postHoursBatch":
		o.bytesMax = batchBytesMax
	case "importHours":
		o.bytesMax = importBytesMax
	}
	return o
}

// checkQuery refuses unknown, repeated and malformed query parameters.
func (o *operation) checkQuery(values map[string][]string) error {
	for name, given := range values {
		p, ok := o.query[name]
		if !ok {
			return invalid("parameter_unknown", fmt.Sprintf("there is no query parameter %.40q here", name))
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
		case errors.As(err, &one):
			fields = append(fields, fieldProblem(one))
		}
	}
	walk(err)
	return fields
}

// fieldCodes give the code of a fault by the keyword of the contract that it breaks.
var fieldCodes = map[string]string{
	"required": "field_missing", "properties": "field_unknown", "additionalProperties": "field_unknown", "type": "type_mismatch",
	"enum": "value_unknown", "pattern": "pattern_mismatch", "minLength": "text_missing", "maxLength": "text_too_long",
	"minimum": "out_of_range", "maximum": "out_of_range", "minItems": "too_few_items", "maxItems": "too_many_items",
}

func fieldProblem(e *openapi3.SchemaError) gen.FieldProblem {
	pointer := "/" + strings.Join(e.JSONPointer(), "/")
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
	return gen.FieldProblem{Pointer: pointer, Code: code, Detail: fmt.Sprintf("%s: %s", pointer, e.Reason)}
}

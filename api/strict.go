package api

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"timebank/ledger"
)

// decodeStrict reads one JSON value: duplicate names, invalid UTF-8 and anything behind the value are
// refused. Numbers are read as whole numbers where they are, since the ledger has no others.
func decodeStrict(text []byte) (any, error) { return decodeValue(text, false) }

// decodeEnvelope reads one JSON value as strictly, but of the items of the lists in it only that they are
// there: whoever reads them by themselves would do it a second time.
func decodeEnvelope(text []byte) (any, error) { return decodeValue(text, true) }

// decodeValue reads token by token: each request passes here, and reflection takes twice as long.
func decodeValue(text []byte, envelope bool) (any, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(text))
	value, err := readValue(d, envelope)
	if err == nil {
		if _, err = d.ReadToken(); errors.Is(err, io.EOF) {
			return value, nil
		}
		if err == nil {
			err = errors.New("something stands behind the value")
		}
	}
	return nil, invalid("json_malformed", "the body is not JSON as it should be: "+jsonReason(err))
}

func readValue(d *jsontext.Decoder, envelope bool) (any, error) {
	switch d.PeekKind() {
	case '{':
		return readObject(d, envelope)
	case '[':
		return readList(d, envelope)
	case '0':
		return readNumber(d)
	}
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case '"':
		return token.String(), nil
	case 't', 'f':
		return token.Bool(), nil
	default:
		return nil, nil //nolint:nilnil // it is null
	}
}

func readObject(d *jsontext.Decoder, envelope bool) (any, error) {
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	object := map[string]any{}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		at := name.String() // before the token's text is written over
		if object[at], err = readValue(d, envelope); err != nil {
			return nil, err
		}
	}
	_, err := d.ReadToken()
	return object, err
}

func readList(d *jsontext.Decoder, envelope bool) (any, error) {
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	list := []any{}
	for d.PeekKind() != ']' {
		var item any = true
		var err error
		if envelope {
			err = d.SkipValue()
		} else {
			item, err = readValue(d, false)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	_, err := d.ReadToken()
	return list, err
}

// readNumber reads a number that is written as a whole number as an int64. A fraction, an exponent, or one out of
// all bounds is given as it is written: no field takes it, and the contract says so.
func readNumber(d *jsontext.Decoder) (any, error) {
	number, err := d.ReadValue()
	if err != nil {
		return nil, err
	}
	if n, err := strconv.ParseInt(string(number), 10, 64); err == nil {
		return n, nil
	}
	return string(number), nil
}

// readWhole reads whole numbers so, where a type is read into; made once, since it remembers what it has found out.
var readWhole = json.WithUnmarshalers(json.UnmarshalFromFunc(wholeNumbers))

// wholeNumbers reads a number that is written as a whole number as an int64.
func wholeNumbers(d *jsontext.Decoder, value *any) error {
	if d.PeekKind() != '0' {
		return errors.ErrUnsupported
	}
	number, err := readNumber(d)
	*value = number
	return err
}

// jsonReason tells what is wrong and where, without the types of our program.
func jsonReason(err error) string {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		return clip(fmt.Sprintf("%v at byte %d", syntax.Err, syntax.ByteOffset))
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) && semantic.Err != nil {
		return clip(fmt.Sprintf("%s: %v", semantic.JSONPointer, semantic.Err))
	}
	return "a value is of another type than it should be"
}

// decodeInto reads text into the type of a request; unknown and case-variant names are refused.
func decodeInto(text []byte, into any) error {
	if err := json.Unmarshal(text, into, json.RejectUnknownMembers(true)); err != nil {
		return invalid("json_malformed", "the body is not JSON as it should be: "+jsonReason(err))
	}
	return nil
}

// requestHash is the same for two requests that mean the same: method, path and canonical body (RFC 8785).
func requestHash(method, path string, body []byte) (ledger.Hash, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s\n", method, path)
	if len(body) > 0 {
		canonical := jsontext.Value(append([]byte(nil), body...))
		if err := canonical.Canonicalize(); err != nil {
			return ledger.Hash{}, invalid("json_malformed", "the body is not JSON as it should be: "+jsonReason(err))
		}
		h.Write(canonical)
	}
	return ledger.Hash(h.Sum(nil)), nil
}

package api

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"timebank/ledger"
)

// decodeStrict reads one JSON value: duplicate names, invalid UTF-8 and anything behind the value are
// refused. Numbers are read as whole numbers where they are, since the ledger has no others.
func decodeStrict(text []byte) (any, error) {
	var value any
	if err := json.Unmarshal(text, &value, json.WithUnmarshalers(json.UnmarshalFromFunc(wholeNumbers))); err != nil {
		return nil, invalid("json_malformed", "the body is not JSON as it should be: "+jsonReason(err))
	}
	return value, nil
}

// decodeEnvelope reads one JSON value as strictly, but of the items of the lists in it only that they are
// there: whoever reads them by themselves would do it a second time.
func decodeEnvelope(text []byte) (any, error) {
	var value any
	if err := json.Unmarshal(text, &value, json.WithUnmarshalers(json.UnmarshalFromFunc(itemsUnread))); err != nil {
		return nil, invalid("json_malformed", "the body is not JSON as it should be: "+jsonReason(err))
	}
	return value, nil
}

// itemsUnread passes over what stands within a list within the value, having seen that it is JSON.
func itemsUnread(d *jsontext.Decoder, value *any) error {
	const listDepth = 2
	if kind, _ := d.StackIndex(d.StackDepth()); d.StackDepth() < listDepth || kind != '[' {
		return wholeNumbers(d, value)
	}
	_, err := d.ReadValue()
	*value = true
	return err
}

// wholeNumbers reads a number that is written as a whole number as an int64.
func wholeNumbers(d *jsontext.Decoder, value *any) error {
	if d.PeekKind() != '0' {
		return errors.ErrUnsupported
	}
	number, err := d.ReadValue()
	if err != nil {
		return err
	}
	if n, err := strconv.ParseInt(string(number), 10, 64); err == nil {
		*value = n
	} else { // a fraction, an exponent, or out of all bounds: no field takes it, and the contract says so
		*value = string(number)
	}
	return nil
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

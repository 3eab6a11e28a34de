package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
)

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// readBody reads and checks a body as the contract has it. An upload is left to its handler, bounded.
func readBody(c echo.Context, op *operation) ([]byte, error) {
	r := c.Request()
	if op.mediaType == "" {
		if r.ContentLength != 0 { // -1 is a body of unknown length
			return nil, invalid("body_unexpected", "this request has no body")
		}
		return nil, nil
	}
	if err := checkMediaType(r, op.mediaType); err != nil {
		return nil, err
	}
	r.Body = http.MaxBytesReader(c.Response(), r.Body, op.bytesMax)
	if op.mediaType != jsonType && op.mediaType != formType {
		return nil, nil
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, bodyError(err, op.bytesMax)
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	if op.mediaType == formType {
		return text, checkForm(string(text))
	}
	decode := decodeStrict
	if op.byItem {
		decode = decodeEnvelope
	}
	value, err := decode(text)
	if err != nil {
		return nil, err
	}
	return text, checkBody(op.body, value)
}

// checkMediaType refuses a body of another type, in another encoding than UTF-8, or compressed: a small
// compressed body can be a huge one.
func checkMediaType(r *http.Request, want string) error {
	mediaType, parameters, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	charset := parameters["charset"]
	if err != nil || mediaType != want || len(r.Header.Values(echo.HeaderContentType)) != 1 ||
		charset != "" && !strings.EqualFold(charset, "utf-8") || len(r.Header.Values(echo.HeaderContentEncoding)) != 0 {
		return &fault{http.StatusUnsupportedMediaType, "media_type_unsupported", "this route takes " + want + " in UTF-8, not compressed", nil}
	}
	if strings.HasPrefix(want, "multipart/") && parameters["boundary"] == "" {
		return invalid("body_unreadable", "the Content-Type names no boundary")
	}
	return nil
}

// checkForm refuses a form that cannot be read or that names something twice (RFC 6749 section 3.2).
func checkForm(text string) error {
	form, err := url.ParseQuery(text)
	if err != nil {
		return invalid("body_unreadable", "the form is not of the form name=value&name=value")
	}
	for name, values := range form {
		if len(values) > 1 {
			return invalid("field_repeated", clip(name)+" is given more than once")
		}
	}
	return nil
}

func bodyError(err error, most int64) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &fault{http.StatusRequestEntityTooLarge, "body_too_large", fmt.Sprintf("at most %d bytes are taken here", most), nil}
	}
	return invalid("body_unreadable", "the body ended before its end")
}

// binder lets the generated code bind bodies, which were checked before, and nothing else: path ids are
// never taken from a body. What a handler reads item by item is left to it.
type binder struct{}

// Bind is echo's.
func (binder) Bind(into any, c echo.Context) error {
	in := callOf(c.Request().Context())
	if in.byItem {
		return nil
	}
	return decodeInto(in.body, into)
}

// detailBytesMax bounds what is said of one fault: it may quote the caller.
const detailBytesMax = 300

// clip shortens a text that may quote the caller.
func clip(text string) string {
	if len(text) > detailBytesMax {
		text = strings.ToValidUTF8(text[:detailBytesMax], "") + "…"
	}
	return text
}

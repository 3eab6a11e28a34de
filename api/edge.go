package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"timebank/ledger"
)

// call is what the edge found out about a request: who asks and what exactly. It is the one value that
// travels in a request's context, and only as far as the handler.
type call struct {
	by      ledger.Actor
	request ledger.Hash
	body    []byte

	basicID, basicSecret string // credentials by HTTP Basic, of whoever asks for a token
}

type callKey struct{}

func callOf(ctx context.Context) call {
	c, _ := ctx.Value(callKey{}).(call) // a public operation has none
	return c
}

// edge checks every request against the contract before a handler sees it: who asks, what type the body
// has and how long it may be, every parameter, every field. Echo's own binding is not used.
func (s *Server) edge(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		op, ok := s.operations[c.Request().Method+" "+c.Path()]
		if !ok { // the router's own answers
			return next(c)
		}
		in, err := s.admit(c, op)
		if err != nil {
			return err
		}
		c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), callKey{}, in)))
		return next(c)
	}
}

func (s *Server) admit(c echo.Context, op *operation) (in call, err error) {
	r := c.Request()
	if !op.public {
		token, ok := strings.CutPrefix(r.Header.Get(echo.HeaderAuthorization), "Bearer ")
		if !ok {
			return in, &fault{http.StatusUnauthorized, "token_missing", "send a token: Authorization: Bearer …", nil}
		}
		if in.by, err = s.auth.Actor(r.Context(), token); err != nil {
			return in, err
		}
	} else if id, secret, ok := r.BasicAuth(); ok {
		in.basicID, in.basicSecret = id, secret
	}
	for _, p := range op.path {
		if checkParameter(p, c.Param(p.Name)) != nil { // what cannot be an id is the id of nothing
			return in, ledger.ErrNotFound
		}
	}
	if err := op.checkQuery(c.QueryParams()); err != nil {
		return in, err
	}
	if keys := r.Header.Values("Idempotency-Key"); op.needsKey && (len(keys) != 1 || keys[0] == "") {
		return in, invalid("idempotency_key_missing", "send one Idempotency-Key: it names this request for ever")
	} else if op.needsKey && len(keys[0]) > ledger.KeyBytesMax {
		return in, invalid("text_too_long", fmt.Sprintf("the Idempotency-Key has %d bytes, at most %d", len(keys[0]), ledger.KeyBytesMax))
	}
	if in.body, err = readBody(c, op); err != nil {
		return in, err
	}
	if op.needsKey {
		in.request, err = requestHash(r.Method, r.URL.Path, in.body)
	}
	return in, err
}

// readBody reads and checks a JSON body. Forms and uploads are left to their handlers, bounded.
func readBody(c echo.Context, op *operation) ([]byte, error) {
	r := c.Request()
	if op.mediaType == "" {
		if r.ContentLength > 0 {
			return nil, invalid("body_unexpected", "this request has no body")
		}
		return nil, nil
	}
	mediaType, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err != nil || mediaType != op.mediaType || r.Header.Get(echo.HeaderContentEncoding) != "" {
		return nil, &fault{http.StatusUnsupportedMediaType, "media_type_unsupported", "this route takes " + op.mediaType + ", not compressed", nil}
	}
	r.Body = http.MaxBytesReader(c.Response(), r.Body, op.bytesMax)
	if op.body == nil {
		return nil, nil
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, bodyError(err, op.bytesMax)
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	value, err := decodeStrict(text)
	if err != nil {
		return nil, err
	}
	return text, checkBody(op.body, value)
}

func bodyError(err error, most int64) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &fault{http.StatusRequestEntityTooLarge, "body_too_large", fmt.Sprintf("at most %d bytes are taken here", most), nil}
	}
	return invalid("body_unreadable", "the body ended before its end")
}

// binder lets the generated code bind bodies, which were checked before, and nothing else: path ids are
// never taken from a body.
type binder struct{}

// Bind is echo's.
func (binder) Bind(into any, c echo.Context) error {
	return decodeInto(callOf(c.Request().Context()).body, into)
}

// identify gives every answer a request id, the caller's when it is a harmless one.
func identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := c.Request().Header.Get(echo.HeaderXRequestID)
		if !harmless(id) {
			id = uuid.NewString()
		}
		h := c.Response().Header()
		h.Set(echo.HeaderXRequestID, id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		return next(c)
	}
}

const requestIDMax = 64

func harmless(id string) bool {
	if id == "" || len(id) > requestIDMax {
		return false
	}
	return !strings.ContainsFunc(id, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_')
	})
}

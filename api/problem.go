package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/labstack/echo/v4"

	"timebank/api/auth"
	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
)

// fault is a problem found at the edge itself, before anything was asked of the book.
type fault struct {
	status int
	code   string
	detail string
	fields []gen.FieldProblem
}

func (f *fault) Error() string { return f.detail }

func invalid(code, detail string, fields ...gen.FieldProblem) error {
	return &fault{http.StatusBadRequest, code, detail, fields}
}

// titles are the kinds of problems, one for each status.
var titles = map[int]string{
	http.StatusBadRequest: "The request is not valid", http.StatusUnauthorized: "The token is not valid", http.StatusForbidden: "Not allowed",
	http.StatusNotFound: "Not found", http.StatusMethodNotAllowed: "Method not allowed", http.StatusConflict: "A rule says no",
	http.StatusRequestEntityTooLarge: "The body is too large", http.StatusUnsupportedMediaType: "Unsupported media type",
	http.StatusUnprocessableEntity: "The idempotency key was used before", http.StatusInternalServerError: "Internal error",
	http.StatusServiceUnavailable: "Busy",
}

// problemOf is the only map from errors to RFC 9457 problems.
func problemOf(err error, requestID string) gen.Problem {
	var (
		f       *fault
		in      *ledger.Invalid
		refusal *ledger.Refusal
		reused  *book.KeyReused
		he      *echo.HTTPError
	)
	switch {
	case errors.As(err, &f):
		p := newProblem(f.status, f.code, f.detail, requestID)
		if len(f.fields) > 0 {
			p.Errors = &f.fields
		}
		return p
	case errors.As(err, &in):
		p := newProblem(http.StatusBadRequest, in.Code, in.Detail, requestID)
		p.Errors = &[]gen.FieldProblem{{Pointer: in.Pointer, Code: in.Code, Detail: in.Detail}}
		return p
	case errors.As(err, &refusal):
		return refusalProblem(refusal, requestID)
	case errors.As(err, &reused):
		return newProblem(http.StatusUnprocessableEntity, "key_reused", reused.Error(), requestID)
	case errors.Is(err, auth.ErrScope):
		return newProblem(http.StatusForbidden, "scope_insufficient", "the token was asked for with a scope that does not cover this", requestID)
	case errors.Is(err, auth.ErrScopeUnknown):
		return newProblem(http.StatusBadRequest, "scope_unknown", auth.ErrScopeUnknown.Error(), requestID)
	case errors.Is(err, auth.ErrToken):
		return newProblem(http.StatusUnauthorized, "token_invalid", "the token is missing, expired, forged, or its client was revoked", requestID)
	case errors.Is(err, auth.ErrClient):
		return newProblem(http.StatusUnauthorized, "client_invalid", auth.ErrClient.Error(), requestID)
	case errors.Is(err, ledger.ErrForbidden):
		return newProblem(http.StatusForbidden, "forbidden", "this client may not do that", requestID)
	case errors.Is(err, ledger.ErrNotFound):
		return newProblem(http.StatusNotFound, "not_found", "there is nothing here", requestID)
	case errors.Is(err, ledger.ErrInvalid):
		return newProblem(http.StatusBadRequest, "request_invalid", err.Error(), requestID)
	case book.Unavailable(err), errors.Is(err, context.Canceled): // nobody reads the answer to the latter
		return newProblem(http.StatusServiceUnavailable, "busy", "the book is busy: try again in a moment, under the same key", requestID)
	case errors.As(err, &he):
		return echoProblem(he, requestID)
	default:
		return newProblem(http.StatusInternalServerError, "internal", "something failed; the request id helps to find out what", requestID)
	}
}

func refusalProblem(r *ledger.Refusal, requestID string) gen.Problem {
	p := newProblem(http.StatusConflict, r.Code, r.Detail, requestID)
	if r.Rule != "" {
		p.Rule = &r.Rule
	}
	if r.Entry != 0 {
		entry := int64(r.Entry)
		p.Entry = &entry
	}
	return p
}

// echoProblem maps what the router itself says.
func echoProblem(he *echo.HTTPError, requestID string) gen.Problem {
	switch he.Code {
	case http.StatusMethodNotAllowed:
		return newProblem(he.Code, "method_not_allowed", "this path does not take that method", requestID)
	case http.StatusNotFound:
		return newProblem(he.Code, "not_found", "there is nothing here", requestID)
	case http.StatusBadRequest:
		return newProblem(he.Code, "parameter_malformed", "a parameter is malformed", requestID)
	default:
		return newProblem(http.StatusInternalServerError, "internal", "something failed; the request id helps to find out what", requestID)
	}
}

func newProblem(status int, code, detail, requestID string) gen.Problem {
	p := gen.Problem{Type: "/docs/problems.md#" + code, Title: titles[status], Status: status, Code: code, Detail: &detail,
		Retryable: status == http.StatusServiceUnavailable}
	if requestID != "" {
		p.RequestId = &requestID
	}
	return p
}

// answerProblem writes an error as a problem. An error that is ours is printed, with the request id that
// the problem shows; its text never leaves the server.
func (s *Server) answerProblem(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	id := c.Response().Header().Get(requestIDHeader)
	p := problemOf(err, id)
	if p.Status >= http.StatusInternalServerError && p.Code == "internal" {
		s.output.Error("answering a request", "request_id", id, "method", c.Request().Method, "route", c.Path(), "error", err)
	}
	h := c.Response().Header()
	switch {
	case p.Status == http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	case p.Code == "client_invalid":
		h.Set("WWW-Authenticate", `Basic realm="timebank"`)
	case p.Code == "token_missing":
		h.Set("WWW-Authenticate", "Bearer")
	case p.Status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	case p.Code == "scope_insufficient":
		h.Set("WWW-Authenticate", `Bearer error="insufficient_scope"`)
	}
	if c.Path() == tokenPath {
		p.Error = optional(gen.ProblemError(oauthError(p)))
	}
	text, err := json.Marshal(p, json.Deterministic(true))
	if err == nil {
		err = c.Blob(p.Status, "application/problem+json", text)
	}
	if err != nil {
		s.output.Error("writing a problem", "request_id", id, "error", err)
	}
}

const tokenPath = "/oauth/token"

// oauthError gives RFC 6749's name of a problem at the token endpoint, for clients that know no other.
func oauthError(p gen.Problem) string {
	switch {
	case p.Code == "client_invalid":
		return "invalid_client"
	case p.Code == "grant_unsupported":
		return "unsupported_grant_type"
	case p.Code == "scope_unknown":
		return "invalid_scope"
	case p.Status < http.StatusInternalServerError:
		return "invalid_request"
	default:
		return ""
	}
}

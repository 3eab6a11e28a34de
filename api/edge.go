package api

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"timebank/api/auth"
	"timebank/ledger"
	"timebank/ledger/book"
)

// call is what the edge found out about a request: who asks and what exactly. It is the one value that
// travels in a request's context, and only as far as the handler.
type call struct {
	by      ledger.Actor
	request ledger.Hash
	url     *url.URL
	body    []byte
	byItem  bool // the handler reads the body

	basicID, basicSecret string // credentials by HTTP Basic, of whoever asks for a token
}

type callKey struct{}

func callOf(ctx context.Context) call {
	c, _ := ctx.Value(callKey{}).(call) // the router's own answers have none
	return c
}

const (
	// inFlightMax bounds the requests that are being answered; what comes beyond it is told to come back,
	// rather than to wait where nobody counts it.
	inFlightMax = 2048
	// answerTimeout bounds one answer: a write waits at most thirty seconds for its turn.
	answerTimeout = 45 * time.Second
	importTimeout = 5 * time.Minute // some ten thousand rows are some tens of turns
)

// edge checks every request against the contract before a handler sees it: who asks, what type the body
// has and how long it may be, every parameter, every field. Echo's own binding is not used.
func (s *Server) edge(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		op, ok := s.operations[c.Request().Method+" "+c.Path()]
		if !ok { // the router's own answers
			return next(c)
		}
		leave, err := enter(s.inFlight)
		if err != nil {
			return err
		}
		defer leave()
		ctx, cancel := context.WithTimeout(c.Request().Context(), op.timeout)
		defer cancel()
		c.SetRequest(c.Request().WithContext(ctx))
		err = s.answer(c, op, next)
		if err != nil && ctx.Err() != nil { // the driver's words for it are many
			err = fmt.Errorf("%w: %w", ctx.Err(), err)
		}
		return err
	}
}

func (s *Server) answer(c echo.Context, op *operation, next echo.HandlerFunc) error {
	in, err := s.admit(c, op)
	if err != nil {
		return err
	}
	leave, err := enter(op.gate) // before the body is read: it is the body that costs
	if err != nil {
		return err
	}
	defer leave()
	r := c.Request()
	if in.body, err = readBody(c, op); err != nil {
		return err
	}
	if op.needsKey && !op.byItem { // an item's key names the item, not the batch it came in
		if in.request, err = requestHash(r.Method, r.URL.Path, in.body); err != nil {
			return err
		}
	}
	c.SetRequest(r.WithContext(context.WithValue(r.Context(), callKey{}, in)))
	return next(c)
}

// enter takes a place at a gate, or says that there is none. Without a gate there always is.
func enter(gate chan struct{}) (leave func(), err error) {
	if gate == nil {
		return func() {}, nil
	}
	select {
	case gate <- struct{}{}:
		return func() { <-gate }, nil
	default:
		return nil, book.ErrBusy
	}
}

// admit checks all of a request but its body.
func (s *Server) admit(c echo.Context, op *operation) (in call, err error) {
	r := c.Request()
	in.url, in.byItem = r.URL, op.byItem
	if op.public {
		in.basicID, in.basicSecret, _ = r.BasicAuth()
	} else if in.by, err = s.actor(r, op); err != nil {
		return in, err
	}
	for _, p := range op.path {
		value, err := url.PathUnescape(c.Param(p.Name))
		if err != nil || checkParameter(p, value) != nil { // what cannot be an id is the id of nothing
			return in, ledger.ErrNotFound
		}
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil { // Echo would pass over the part it cannot read
		return in, invalid("parameter_malformed", "the query is not of the form name=value&name=value")
	}
	if err := op.checkQuery(query); err != nil {
		return in, err
	}
	return in, checkKey(r, op)
}

// actor gives who asks, if the token lets them do this kind of thing.
func (s *Server) actor(r *http.Request, op *operation) (ledger.Actor, error) {
	headers := r.Header.Values(echo.HeaderAuthorization)
	if len(headers) != 1 || len(headers[0]) < len("Bearer ") || !strings.EqualFold(headers[0][:len("Bearer ")], "Bearer ") {
		return ledger.Actor{}, &fault{http.StatusUnauthorized, "token_missing", "send one token: Authorization: Bearer …", nil}
	}
	scope := auth.ScopeWrite
	if op.method == http.MethodGet {
		scope = auth.ScopeRead
	}
	return s.auth.Actor(r.Context(), headers[0][len("Bearer "):], scope)
}

func checkKey(r *http.Request, op *operation) error {
	keys := r.Header.Values("Idempotency-Key")
	switch {
	case !op.needsKey:
		return nil
	case len(keys) != 1 || keys[0] == "":
		return invalid("idempotency_key_missing", "send one Idempotency-Key: it names this request for ever")
	case len(keys[0]) > ledger.KeyBytesMax:
		return invalid("text_too_long", fmt.Sprintf("the Idempotency-Key has %d bytes, at most %d", len(keys[0]), ledger.KeyBytesMax))
	}
	return nil
}

// requestIDHeader names a request, in every answer and in what the server prints.
const requestIDHeader = "Request-Id"

// identify gives every answer a request id, the caller's when it is a harmless one, and the headers that
// keep browsers from doing more with an answer than showing it.
func (s *Server) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := c.Request().Header.Get(requestIDHeader)
		if !harmless(id) {
			id = uuid.NewString()
		}
		h := c.Response().Header()
		h.Set(requestIDHeader, id)
		maps.Copy(h, guarding)
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		return next(c)
	}
}

// guarding are headers of every answer, under their canonical names. Their values are shared by all: whoever sets one anew
// replaces its list.
var guarding = http.Header{
	"X-Content-Type-Options":  {"nosniff"},
	"X-Frame-Options":         {"DENY"},
	"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'"},
	"Referrer-Policy":         {"no-referrer"},
	"Cache-Control":           {"no-store"},
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

// escapedPath has the router see every path as it was sent. Echo would hand out a part of it escaped or
// not, depending on which characters are in it, and a key with a percent sign would be unescaped twice. It changes
// the request that came: Echo's router does not look at another one.
func escapedPath(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		u.RawPath = u.EscapedPath()
		return next(c)
	}
}

// survive turns a panic, our own mistake about one request, into an error of that request.
func survive(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			r := recover()
			if r == http.ErrAbortHandler { //nolint:errorlint,err113 // it is a value, not an error that somebody wraps
				panic(r) // an answer that was begun is cut off, so that nobody takes it for whole
			}
			if r != nil {
				err = fmt.Errorf("answering: panic: %v\n%s", r, debug.Stack())
			}
		}()
		return next(c)
	}
}

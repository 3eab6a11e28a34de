package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/policy"
)

// town is a served book with somebody in each role, and a client that holds every answer against the
// contract.
type town struct {
	*booktest.Book
	server *Server
	http   *httptest.Server
	client *http.Client
	tokens map[string]string // by who asks
	names  map[string]string // ids, by name
}

const issuer = "https://timebank.test"

// newTown serves a book of its own. Chen is old enough to redeem, Li is between, Xiao is young and Chen's
// ward; two organizations know nothing of each other.
func newTown(t testing.TB) *town {
	t.Helper()
	b := booktest.New(t)
	server, err := New(Config{Book: b.Book, Issuer: issuer, Audience: issuer, Key: b.Config.Keys.Token})
	if err != nil {
		t.Fatal(err)
	}
	w := &town{Book: b, server: server, http: httptest.NewServer(server.Handler()), tokens: map[string]string{}, names: map[string]string{}}
	t.Cleanup(w.http.Close)
	w.client = &http.Client{Transport: checked{t, newContractRouter(t), http.DefaultTransport}}
	w.people(t)
	return w
}

func (w *town) people(t testing.TB) {
	t.Helper()
	chen := w.Register(t, book.Volunteer{Name: "陈桂兰", Born: booktest.Date(t, "1950-05-01"), ExternalID: "YZ-1"})
	li := w.Register(t, book.Volunteer{Name: "李建国", Born: booktest.Date(t, "1985-05-01"), ExternalID: "YZ-2"})
	xiao := w.Register(t, book.Volunteer{Name: "肖小雨", Born: booktest.Date(t, "2010-05-01"), Guardian: chen})
	quoted := strconv.Quote(string(policy.Shipped())) // as a JSON string has it, but for the quotes
	w.names["shipped"] = quoted[1 : len(quoted)-1]
	next := strings.NewReplacer("id: shipped-2026", "id: qinghe-2100", `"2000-01-01"`, `"2100-01-01"`).Replace(string(policy.Shipped()))
	rules, err := policy.Parse([]byte(next))
	if err != nil {
		t.Fatal(err)
	}
	quoted = strconv.Quote(next)
	w.names["next"], w.names["next_hash"] = quoted[1:len(quoted)-1], rules.Hash().String()
	w.names["chen"], w.names["li"], w.names["xiao"] = chen, li, xiao
	station, other, partner := w.Organization(t), w.Organization(t), w.Partner(t)
	w.names["station_org"], w.names["other_org"], w.names["home_care"] = station.Subject, other.Subject, partner.Subject
	for name, actor := range map[string]ledger.Actor{
		"station": station, "other": other, "partner": partner, "other_partner": w.Partner(t),
		"operator": w.Actor(t, ledger.RoleOperator, ""), "officer": w.Actor(t, ledger.RolePolicyOfficer, ""),
		"second_officer": w.Actor(t, ledger.RolePolicyOfficer, ""), "auditor": w.Actor(t, ledger.RoleAuditor, ""),
		"chen": w.Actor(t, ledger.RoleVolunteer, chen), "li": w.Actor(t, ledger.RoleVolunteer, li), "xiao": w.Actor(t, ledger.RoleVolunteer, xiao),
	} {
		w.names["client_"+name] = actor.Client
		w.names["secret_"+name] = w.ClientSecret(actor.Client)
		w.names["basic_"+name] = base64.StdEncoding.EncodeToString([]byte(actor.Client + ":" + w.ClientSecret(actor.Client)))
		w.tokens[name] = w.token(t, actor.Client, "")
	}
	wang := w.Register(t, book.Volunteer{Name: "王小燕", Born: booktest.Date(t, "1986-05-01")})
	w.names["ming"] = w.Register(t, book.Volunteer{Name: "王小明", Born: booktest.Date(t, "2016-05-01"), Guardian: wang})
	w.tokens["wang"] = w.token(t, w.Actor(t, ledger.RoleVolunteer, wang).Client, "")
}

// token asks the issuer for a token of a client.
func (w *town) token(t testing.TB, client, scope string) string {
	t.Helper()
	token, err := w.server.auth.Issue(context.Background(), client, w.ClientSecret(client), scope)
	if err != nil {
		t.Fatalf("issuing a token: %v", err)
	}
	return token.Text
}

// ask sends a request as somebody, with headers in pairs, and gives the answer and its body.
func (w *town) ask(t testing.TB, as, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.http.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if as != "" {
		r.Header.Set("Authorization", "Bearer "+w.tokens[as])
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
		if pair[1] == "" {
			r.Header.Del(pair[0])
		}
	}
	return w.send(t, r)
}

func (w *town) send(t testing.TB, r *http.Request) (*http.Response, string) {
	t.Helper()
	answer, err := w.client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("reading the answer of %s %s: %v", r.Method, r.URL.Path, err)
	}
	return answer, string(text)
}

// checked holds every answer against openapi.yaml: the status must be one that the operation declares,
// headers and body as they are declared. What every answer must have is checked too.
type checked struct {
	t      testing.TB
	router routers.Router
	next   http.RoundTripper
}

func newContractRouter(t testing.TB) routers.Router {
	t.Helper()
	_, doc, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = nil
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return router
}

func init() {
	// These are texts to the contract; kin-openapi would parse them into something else.
	for _, mediaType := range []string{"application/yaml", "text/csv", "text/html", "application/jsonl"} {
		openapi3filter.RegisterBodyDecoder(mediaType, openapi3filter.PlainBodyDecoder)
	}
}

func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(text))
	c.check(r, answer, text)
	return answer, nil
}

func (c checked) check(r *http.Request, answer *http.Response, text []byte) {
	c.t.Helper()
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store"} {
		if name == "Cache-Control" && strings.Contains(answer.Header.Get(name), "immutable") && strings.HasPrefix(r.URL.Path, "/v1/tile/") {
			continue // a full tile never changes
		}
		if got := answer.Header.Get(name); got != want {
			c.t.Errorf("%s %s: %s: %q, want %q", r.Method, r.URL, name, got, want)
		}
	}
	if !harmless(answer.Header.Get(requestIDHeader)) {
		c.t.Errorf("%s %s: the answer has no request id", r.Method, r.URL)
	}
	if answer.StatusCode == http.StatusUnauthorized && answer.Header.Get("WWW-Authenticate") == "" {
		c.t.Errorf("%s %s: 401 without WWW-Authenticate", r.Method, r.URL)
	}
	if answer.StatusCode == http.StatusServiceUnavailable && answer.Header.Get("Retry-After") == "" {
		c.t.Errorf("%s %s: 503 without Retry-After", r.Method, r.URL)
	}
	sent := *r
	sent.URL = &url.URL{Path: r.URL.EscapedPath()} // so that an escaped slash does not part the path
	route, params, err := c.router.FindRoute(&sent)
	if err != nil { // the router's own answers
		if answer.StatusCode != http.StatusNotFound && answer.StatusCode != http.StatusMethodNotAllowed {
			c.t.Errorf("%s %s: %d for what the contract does not have", r.Method, r.URL, answer.StatusCode)
		}
		return
	}
	if route.Operation.Responses.Value(strconv.Itoa(answer.StatusCode)) == nil && answer.StatusCode != http.StatusInternalServerError {
		c.t.Errorf("%s %s: status %d is not declared", r.Method, r.URL, answer.StatusCode)
	}
	err = openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route},
		Status:                 answer.StatusCode, Header: answer.Header, Body: io.NopCloser(bytes.NewReader(text)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	var schema *openapi3.SchemaError
	if errors.As(err, &schema) {
		c.t.Errorf("%s %s: %d: the answer is not as the contract has it: %v at %v\n%s", r.Method, r.URL, answer.StatusCode, schema.Reason, schema.JSONPointer(), text)
	} else if err != nil {
		c.t.Errorf("%s %s: %d: the answer is not as the contract has it: %v", r.Method, r.URL, answer.StatusCode, err)
	}
}

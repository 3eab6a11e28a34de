package api

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"timebank/ledger/book/booktest"
)

// raw sends bytes as they are, and gives status and body. What it sends no HTTP library would.
func (w *town) raw(t *testing.T, lines ...string) (int, string) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", w.http.Listener.Addr().String(), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, strings.Join(lines, "\r\n")); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// post gives the lines of a POST as an organization, with more headers.
func (w *town) post(path string, headers ...string) []string {
	return append([]string{"POST " + path + " HTTP/1.1", "Host: timebank", "Connection: close", "Authorization: Bearer " + w.tokens["station"]}, headers...)
}

// TestEchoIsTamed sends what Echo and its neighbours would let through.
func TestEchoIsTamed(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	claim := fmt.Sprintf(`{"volunteer_id":%q,"activity":"x","served_on":"2026-03-01","minutes":60,"evidence":{"second_approver":"w3"}}`, w.names["li"])
	chunked := func(body string) string { return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body) }
	for _, test := range []struct {
		name, code string
		status     int
		lines      []string
	}{
		{"a body in pieces is read like any other", "", 201,
			w.post("/v1/hours", "Idempotency-Key: a", "Content-Type: application/json", "Transfer-Encoding: chunked", "", chunked(claim))},
		{"a body in pieces is no way around having none", "body_unexpected", 400,
			w.post("/v1/grants", "Idempotency-Key: a", "Transfer-Encoding: chunked", "", chunked("{}"))},
		{"a body cut off is not a claim", "body_unreadable", 400,
			w.post("/v1/hours", "Idempotency-Key: b", "Content-Type: application/json", "Transfer-Encoding: chunked", "", "many\r\n{}\r\n\r\n")},
		{"two keys are none", "idempotency_key_missing", 400,
			w.post("/v1/hours", "Idempotency-Key: a", "Idempotency-Key: b", "Content-Type: application/json", "Content-Length: 2", "", "{}")},
		{"an empty key is none", "idempotency_key_missing", 400,
			w.post("/v1/hours", "Idempotency-Key:", "Content-Type: application/json", "Content-Length: 2", "", "{}")},
		{"a key that is not UTF-8 is refused", "text_malformed", 400,
			w.post("/v1/hours", "Idempotency-Key: \xff\xfe", "Content-Type: application/json", fmt.Sprintf("Content-Length: %d", len(claim)), "", claim)},
		{"two tokens are none", "token_missing", 401,
			w.post("/v1/hours", "Authorization: Bearer x", "Idempotency-Key: a", "Content-Type: application/json", "Content-Length: 2", "", "{}")},
		{"two types are none", "media_type_unsupported", 415,
			w.post("/v1/hours", "Idempotency-Key: a", "Content-Type: application/json", "Content-Type: application/xml", "Content-Length: 2", "", "{}")},
		{"no type is none", "media_type_unsupported", 415, w.post("/v1/hours", "Idempotency-Key: a", "Content-Length: 2", "", "{}")},
		{"a body that is not UTF-8 is refused", "json_malformed", 400,
			w.post("/v1/hours", "Idempotency-Key: a", "Content-Type: application/json", "Content-Length: 5", "", "\"\xff\xfe\xfd\"")},
		{"another method in a header is not one", "", 201,
			w.post("/v1/hours", "X-HTTP-Method-Override: DELETE", "Idempotency-Key: c", "Content-Type: application/json",
				fmt.Sprintf("Content-Length: %d", len(claim)+8), "", strings.Replace(claim, `"x"`, `"something"`, 1))},
		{"dots do not lead out of a path", "token_missing", 401, []string{"GET /v1/hours/../../healthz HTTP/1.1", "Host: timebank", "Connection: close", "", ""}},
		{"a body on a GET is refused", "body_unexpected", 400,
			[]string{"GET /healthz HTTP/1.1", "Host: timebank", "Connection: close", "Content-Length: 2", "", "{}"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, text := w.raw(t, test.lines...)
			if status != test.status || test.code != "" && object(t, text)["code"] != test.code {
				t.Errorf("%d %s, want %d %s", status, text, test.status, test.code)
			}
		})
	}
}

// TestPathIDsComeFromThePath: Echo's binder lets a body, a form or a query replace the id of a path.
func TestPathIDsComeFromThePath(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.claims(t, "station", 1)
	_, text := w.ask(t, "station", "GET", "/v1/hours", "")
	seq := object(t, text)["data"].([]any)[0].(map[string]any)["seq"]
	path := fmt.Sprintf("/v1/entries/%v/correct", seq)
	for _, test := range []struct{ name, path, body, code string }{
		{"not a body", path, `{"reason": "x", "seq": 0}`, "field_unknown"},
		{"not a query", path + "?seq=0", `{"reason": "x"}`, "parameter_unknown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer, text := w.ask(t, "station", "POST", test.path, test.body, "Idempotency-Key", "k")
			if answer.StatusCode != 400 || object(t, text)["code"] != test.code {
				t.Errorf("%d %s, want 400 %s", answer.StatusCode, text, test.code)
			}
		})
	}
	answer, text := w.ask(t, "station", "POST", path, `{"reason": "x"}`, "Idempotency-Key", "k")
	if answer.StatusCode != 201 || object(t, text)["refers_to"] != seq {
		t.Errorf("%d %s, want a correction of %v", answer.StatusCode, text, seq)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	for _, test := range []struct {
		path, mediaType string
		most            int
	}{
		{"/v1/hours", "application/json", 1 << 20},
		{"/v1/hours/batch", "application/json", 4 << 20},
		{"/v1/hours/imports", "multipart/form-data; boundary=x", 64 << 20},
		{"/oauth/token", "application/x-www-form-urlencoded", 16 << 10},
	} {
		t.Run(test.path, func(t *testing.T) {
			for name, body := range map[string]io.Reader{"told": strings.NewReader(frame(test.mediaType, test.most+1)),
				"untold": io.MultiReader(strings.NewReader(frame(test.mediaType, test.most+1)))} { // which net/http sends in pieces
				r, err := http.NewRequestWithContext(t.Context(), "POST", w.http.URL+test.path, body)
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Content-Type", test.mediaType)
				r.Header.Set("Idempotency-Key", name)
				if test.path != tokenPath {
					r.Header.Set("Authorization", "Bearer "+w.tokens["station"])
				}
				// Without a connection: a server that ends a large upload early may reset it.
				answer := httptest.NewRecorder()
				w.server.Handler().ServeHTTP(answer, r)
				if answer.Code != http.StatusRequestEntityTooLarge || object(t, answer.Body.String())["code"] != "body_too_large" {
					t.Errorf("a body of %s length: %d %.200s, want 413", name, answer.Code, answer.Body)
				}
			}
		})
	}

	t.Run("a batch of exactly 4 MiB is taken", func(t *testing.T) {
		body := fmt.Sprintf(`{"claims": [{"volunteer_id": %q, "activity": "x", "served_on": "2026-03-01", "minutes": 60, "evidence": {"second_approver": "w3"}}]}`, w.names["li"])
		body += strings.Repeat(" ", batchBytesMax-len(body))
		if answer, text := w.ask(t, "station", "POST", "/v1/hours/batch", body, "Idempotency-Key", "full"); answer.StatusCode != http.StatusOK {
			t.Errorf("%d %.200s, want 200", answer.StatusCode, text)
		}
	})

	t.Run("an upload of 8 MiB is read", func(t *testing.T) {
		answer, text := w.ask(t, "station", "POST", "/v1/hours/imports", frame("multipart/", 8<<20), "Idempotency-Key", "large",
			"Content-Type", "multipart/form-data; boundary=x")
		if answer.StatusCode != http.StatusBadRequest || object(t, text)["code"] != "field_missing" {
			t.Errorf("%d %.200s, want 400: the profile is missing", answer.StatusCode, text)
		}
	})

	t.Run("a small compressed body is not a large one", func(t *testing.T) {
		var small bytes.Buffer
		zip := gzip.NewWriter(&small)
		if _, err := io.WriteString(zip, frame("application/json", 300<<10)); err != nil {
			t.Fatal(err)
		}
		if err := zip.Close(); err != nil {
			t.Fatal(err)
		}
		answer, text := w.ask(t, "station", "POST", "/v1/hours", small.String(), "Idempotency-Key", "k", "Content-Encoding", "gzip")
		if answer.StatusCode != http.StatusUnsupportedMediaType {
			t.Errorf("%d %s, want 415", answer.StatusCode, text)
		}
	})
}

// frame gives a body of a type that is too long by its content and not by its form.
func frame(mediaType string, n int) string {
	switch {
	case strings.HasPrefix(mediaType, "multipart/"):
		return "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n" + strings.Repeat("x", n) + "\r\n--x--\r\n"
	case strings.HasPrefix(mediaType, "application/json"):
		return `{"activity":"` + strings.Repeat("x", n) + `"}`
	default:
		return "grant_type=" + strings.Repeat("x", n)
	}
}

func TestTheProfileOfAnUploadIsBounded(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	body := "--x\r\nContent-Disposition: form-data; name=\"profile\"\r\n\r\n" + strings.Repeat("# long\n", profileBytesMax/6) + "\r\n--x--\r\n"
	answer, text := w.ask(t, "station", "POST", "/v1/hours/imports", body, "Idempotency-Key", "k", "Content-Type", "multipart/form-data; boundary=x")
	if answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s, want 413: a profile cut off would be another profile", answer.StatusCode, text)
	}
}

// TestOverload fills every place and asks once more.
func TestOverload(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	for _, test := range []struct {
		name, path string
		gate       chan struct{}
	}{
		{"of uploads", "/v1/hours/imports", w.server.operations["POST /v1/hours/imports"].gate},
		{"of batches", "/v1/hours/batch", w.server.operations["POST /v1/hours/batch"].gate},
		{"of everything", "/v1/hours", w.server.inFlight},
	} {
		t.Run(test.name, func(t *testing.T) {
			for range cap(test.gate) {
				test.gate <- struct{}{}
			}
			answer, text := w.ask(t, "station", "POST", test.path, "{}", "Idempotency-Key", "k")
			if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") != "1" || object(t, text)["retryable"] != true {
				t.Errorf("%d %s, want 503, retryable after 1 s", answer.StatusCode, text)
			}
			for range cap(test.gate) {
				<-test.gate
			}
			if answer, _ := w.ask(t, "station", "POST", test.path, "{}", "Idempotency-Key", "k"); answer.StatusCode == http.StatusServiceUnavailable {
				t.Error("it is busy though nobody is there")
			}
		})
	}
}

// TestOurOwnMistakes: a panic and an unknown error tell a caller nothing but the request id.
func TestOurOwnMistakes(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	var output bytes.Buffer
	w.server.output = slog.New(slog.NewTextHandler(&output, nil))
	secret := "pq: password of 陈桂兰 is hunter2"
	w.server.echo.GET("/panics", func(echo.Context) error { panic(secret) })
	w.server.echo.GET("/fails", func(echo.Context) error { return errors.New(secret) })
	for _, path := range []string{"/panics", "/fails"} {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set(requestIDHeader, "night-7")
		answer := httptest.NewRecorder()
		w.server.Handler().ServeHTTP(answer, r)
		text := answer.Body.String()
		if answer.Code != 500 || strings.Contains(text, "hunter2") || object(t, text)["request_id"] != "night-7" || object(t, text)["code"] != "internal" {
			t.Errorf("%s: %d %s", path, answer.Code, text)
		}
	}
	if printed := output.String(); strings.Count(printed, "hunter2") != 2 || strings.Count(printed, "request_id=night-7") != 2 {
		t.Errorf("printed: %s, want both failures with the request id", printed)
	}
}

// TestOutput looks at what is printed of a request: nothing of what it asked or said.
func TestOutput(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	var output bytes.Buffer
	w.server.output = slog.New(slog.NewTextHandler(&output, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for _, path := range []string{"/v1/volunteers?external_id=YZ-1", "/v1/volunteers/" + w.names["chen"], "/v1/volunteers?name=陈桂兰"} {
		w.ask(t, "operator", "GET", path, "", requestIDHeader, "seen")
	}
	printed := output.String()
	for _, want := range []string{"request_id=seen", "route=/v1/volunteers/:id", "status=200", "status=400", "client=" + w.names["client_operator"]} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is not printed:\n%s", want, printed)
		}
	}
	for _, personal := range []string{"YZ-1", w.names["chen"], "陈桂兰", w.tokens["operator"], "1950"} {
		if strings.Contains(printed, personal) {
			t.Errorf("%q is printed:\n%s", personal, printed)
		}
	}
}

// TestWhenTheCallerIsGone: a request whose time is over was not our mistake, whatever the driver calls it.
func TestWhenTheCallerIsGone(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ctx, cancel := context.WithCancel(t.Context())
	r := httptest.NewRequest("GET", "/v1/entries", nil).WithContext(ctx)
	r.Header.Set("Authorization", "Bearer "+w.tokens["auditor"])
	if _, err := w.server.auth.Actor(t.Context(), w.tokens["auditor"], "read"); err != nil { // remembers the client
		t.Fatal(err)
	}
	cancel()
	answer := httptest.NewRecorder()
	w.server.Handler().ServeHTTP(answer, r)
	if answer.Code != http.StatusServiceUnavailable {
		t.Errorf("%d %s, want 503", answer.Code, answer.Body)
	}
}

// TestRun serves on a listener and stops when told, letting what was begun end.
func TestRun(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	s, err := New(Config{Book: b.Book, Issuer: issuer, Audience: issuer, Key: b.Config.Keys.Token})
	if err != nil {
		t.Fatal(err)
	}
	begun, goOn := make(chan struct{}), make(chan struct{})
	s.echo.GET("/slow", func(c echo.Context) error {
		close(begun)
		<-goOn
		return c.NoContent(http.StatusNoContent)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended, answered := make(chan error, 1), make(chan error, 1)
	go func() { ended <- s.Run(ctx, listener) }()
	go func() {
		answer, err := http.Get("http://" + listener.Addr().String() + "/slow")
		if err == nil {
			err = answer.Body.Close()
			if answer.StatusCode != http.StatusNoContent {
				err = fmt.Errorf("status %d", answer.StatusCode)
			}
		}
		answered <- err
	}()
	<-begun
	stop()
	close(goOn)
	if err := <-answered; err != nil {
		t.Errorf("what was begun: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run() = %v", err)
	}
	if _, err := http.Get("http://" + listener.Addr().String() + "/healthz"); err == nil {
		t.Error("it still answers")
	}
}

func TestHSTSOnlyBehindTLS(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"https://timebank.test": "max-age=31536000", "http://127.0.0.1:8080": ""} {
		s := &Server{secure: strings.HasPrefix(name, "https://")}
		e, answer := echo.New(), httptest.NewRecorder()
		c := e.NewContext(httptest.NewRequest("GET", "/", nil), answer)
		if err := s.identify(func(echo.Context) error { return nil })(c); err != nil {
			t.Fatal(err)
		}
		if got := answer.Header().Get("Strict-Transport-Security"); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestPersonalDataStaysIn posts for a person and looks for the name where everybody, or an operator's
// eye, may look.
func TestPersonalDataStaysIn(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.claims(t, "station", 1)
	for _, path := range []string{"/metrics", "/v1/policy", "/readyz", "/v1/checkpoint"} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", w.http.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		if err = errors.Join(err, answer.Body.Close()); err != nil {
			t.Fatal(err)
		}
		for _, personal := range []string{"陈桂兰", "1950-05-01", "YZ-1", w.names["chen"]} {
			if bytes.Contains(text, []byte(personal)) {
				t.Errorf("%s tells %s", path, personal)
			}
		}
	}
	answer, text := w.ask(t, "auditor", "GET", "/v1/entries?kind=volunteer", "")
	if answer.StatusCode != 200 || strings.Contains(text, "陈桂兰") || strings.Contains(text, "1950-05-01") {
		t.Errorf("an auditor reads names: %d %s", answer.StatusCode, text)
	}
}

// The router sees each path as it was sent, so that what is escaped in it is unescaped once, by whom it is for.
func TestEscapedPath(t *testing.T) {
	t.Parallel()
	e := echo.New()
	e.Pre(escapedPath)
	e.GET("/items/:key", func(c echo.Context) error { return c.String(http.StatusOK, c.Param("key")) })
	for path, want := range map[string]string{
		"/items/plain":     "plain",
		"/items/a!b~c":     "a!b~c",
		"/items/50%25":     "50%25",
		"/items/%2541":     "%2541",
		"/items/a%2Fb":     "a%2Fb",
		"/items/%E9%99%88": "%E9%99%88",
	} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%s: %d, %q; want %q", path, w.Code, w.Body, want)
		}
	}
}

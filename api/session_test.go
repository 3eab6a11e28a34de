package api

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"timebank/ledger"
)

var showAnswers = flag.Bool("answers", false, "print every answer of the sessions")

// TestSessions plays the conversations of testdata/sessions, each in a town of its own. A file reads:
//
//	# what happens
//	POST /v1/hours as station key shift-1     method and path; who asks; the idempotency key
//	Content-Type: application/json            more headers
//	{"volunteer_id": "${chen}", …}            the body, until the arrow
//	=> 201                                    the status; "=> 200 soon" asks again until it comes
//	Idempotent-Replayed: true                 headers that must be there; "Name: -" must not
//	{"seq": "@seq", "kind": "hours"}          parts of the answer: more members may be there
//
// "@name" keeps a value for ${name}, "…" is any value, ${today-3} a day. A line of an answer that is not
// JSON must be found in it.
func TestSessions(t *testing.T) {
	files, err := filepath.Glob("testdata/sessions/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("finding sessions: %v, %d files", err, len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w := newTown(t)
			for _, e := range readSession(t, string(text)) {
				w.play(t, fmt.Sprintf("%s:%d", file, e.line), e)
			}
			w.CheckBook(t)
		})
	}
}

// exchange is a request and what must be answered.
type exchange struct {
	line                   int
	request                string
	headers, wantHeaders   [][2]string
	body, wantBody, status string
}

var (
	requestLine = regexp.MustCompile(`^(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) /`)
	headerLine  = regexp.MustCompile(`^([A-Z][A-Za-z-]+): (.*)$`)
)

func readSession(t *testing.T, text string) (session []exchange) {
	t.Helper()
	answering := false
	for i, line := range strings.Split(text, "\n") {
		last := len(session) - 1
		header := headerLine.FindStringSubmatch(line)
		switch {
		case strings.HasPrefix(line, "#"):
		case requestLine.MatchString(line):
			session, answering = append(session, exchange{line: i + 1, request: line}), false
		case last < 0:
			if line != "" {
				t.Fatalf("line %d: %q stands before the first request", i+1, line)
			}
		case strings.HasPrefix(line, "=> "):
			session[last].status, answering = line[3:], true
		case !answering && session[last].body == "" && header != nil:
			session[last].headers = append(session[last].headers, [2]string{header[1], header[2]})
		case !answering:
			session[last].body += line + "\n"
		case session[last].wantBody == "" && header != nil:
			session[last].wantHeaders = append(session[last].wantHeaders, [2]string{header[1], header[2]})
		default:
			session[last].wantBody += line + "\n"
		}
	}
	return session
}

func (w *town) play(t *testing.T, at string, e exchange) {
	t.Helper()
	words := strings.Fields(w.fill(t, at, e.request))
	if e.status == "" {
		t.Fatalf("%s: nothing is expected", at)
	}
	headers := make([]string, 0, 2*len(e.headers)+2)
	as := ""
	for i := 2; i+1 < len(words); i += 2 {
		switch words[i] {
		case "as":
			as = words[i+1]
		case "key":
			headers = append(headers, "Idempotency-Key", words[i+1])
		default:
			t.Fatalf("%s: %q is no part of a request", at, words[i])
		}
	}
	if as != "" && w.tokens[as] == "" {
		t.Fatalf("%s: nobody is called %q", at, as)
	}
	for _, h := range e.headers {
		headers = append(headers, h[0], w.fill(t, at, h[1]))
	}
	body := strings.TrimSpace(w.fill(t, at, e.body))
	if contentType := headerOf(e.headers, "Content-Type"); strings.HasPrefix(contentType, "multipart/") {
		body = strings.ReplaceAll(body, "\n", "\r\n") + "\r\n"
	}
	answer, text := w.untilStatus(t, e.status, func() (*http.Response, string) { return w.ask(t, as, words[0], words[1], body, headers...) })
	if *showAnswers {
		t.Logf("%s: %s\n%d %s", at, e.request, answer.StatusCode, text)
	}
	if got, want := strconv.Itoa(answer.StatusCode), strings.Fields(e.status)[0]; got != want {
		t.Fatalf("%s: %s: status %s, want %s\n%s", at, e.request, got, want, text)
	}
	for _, h := range e.wantHeaders {
		if got, want := answer.Header.Get(h[0]), w.fill(t, at, h[1]); got != want && !(want == "-" && got == "") && !(want == "…" && got != "") {
			t.Errorf("%s: %s: header %s is %q, want %q", at, e.request, h[0], got, want)
		}
	}
	w.compare(t, at, e, answer.Header.Get("Content-Type"), text)
}

func headerOf(headers [][2]string, name string) string {
	for _, h := range headers {
		if h[0] == name {
			return h[1]
		}
	}
	return ""
}

// untilStatus asks once, or, where the status is to come soon, until it does.
func (w *town) untilStatus(t *testing.T, status string, ask func() (*http.Response, string)) (*http.Response, string) {
	t.Helper()
	answer, text := ask()
	if want, soon := strings.CutSuffix(status, " soon"); soon {
		for deadline := time.Now().Add(20 * time.Second); strconv.Itoa(answer.StatusCode) != want && time.Now().Before(deadline); {
			time.Sleep(50 * time.Millisecond)
			answer, text = ask()
		}
	}
	return answer, text
}

func (w *town) compare(t *testing.T, at string, e exchange, contentType, text string) {
	t.Helper()
	wanted := strings.TrimSpace(e.wantBody)
	if wanted == "" {
		return
	}
	if !strings.HasSuffix(contentType, "json") {
		for line := range strings.SplitSeq(wanted, "\n") {
			if line = w.fill(t, at, line); !strings.Contains(text, line) {
				t.Errorf("%s: %s: the answer lacks %q:\n%s", at, e.request, line, text)
			}
		}
		return
	}
	want, err := decodeStrict([]byte(wanted))
	if err != nil {
		t.Fatalf("%s: the expected answer: %v\n%s", at, err, wanted)
	}
	got, err := decodeStrict([]byte(text))
	if err != nil {
		t.Fatalf("%s: the answer: %v\n%s", at, err, text)
	}
	if diff := w.match(t, at, "", want, got); diff != "" {
		t.Errorf("%s: %s: %s\n%s", at, e.request, diff, text)
	}
}

// match tells the first difference between the part that is wanted and what came.
func (w *town) match(t *testing.T, at, pointer string, want, got any) string {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %v, want an object", pointer, got)
		}
		for name, part := range want {
			value, ok := object[name]
			switch {
			case part == "-" && ok:
				return fmt.Sprintf("%s/%s is there", pointer, name)
			case part == "-":
			case !ok:
				return fmt.Sprintf("%s/%s is missing", pointer, name)
			default:
				if diff := w.match(t, at, pointer+"/"+name, part, value); diff != "" {
					return diff
				}
			}
		}
		return ""
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Sprintf("%s is %v, want %d items", pointer, got, len(want))
		}
		for i := range want {
			if diff := w.match(t, at, fmt.Sprintf("%s/%d", pointer, i), want[i], list[i]); diff != "" {
				return diff
			}
		}
		return ""
	case string:
		if name, keep := strings.CutPrefix(want, "@"); keep {
			w.names[name] = fmt.Sprint(got)
			if token, ok := strings.CutPrefix(name, "token_"); ok {
				w.tokens[token] = fmt.Sprint(got)
			}
			return ""
		}
		if want == "…" {
			return ""
		}
		return matchScalar(pointer, w.fill(t, at, want), got)
	}
	return matchScalar(pointer, want, got)
}

func matchScalar(pointer string, want, got any) string {
	if fmt.Sprint(want) != fmt.Sprint(got) {
		return fmt.Sprintf("%s is %s, want %s", pointer, fmt.Sprint(got), fmt.Sprint(want))
	}
	return ""
}

var variable = regexp.MustCompile(`\$\{([a-z_0-9]+)([+-][0-9]+)?\}`)

// fill puts in what ${name} stands for.
func (w *town) fill(t *testing.T, at, text string) string {
	t.Helper()
	return variable.ReplaceAllStringFunc(text, func(name string) string {
		parts := variable.FindStringSubmatch(name)
		if parts[1] == "today" {
			now, err := w.Now(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			days, _ := strconv.Atoi(parts[2]) // none is today itself
			return (ledger.DateOf(now.In(w.Zone())) + ledger.Date(days)).String()
		}
		if repeat, ok := strings.CutPrefix(parts[1], "long_"); ok { // a text of so many bytes
			n, _ := strconv.Atoi(repeat)
			return strings.Repeat("x", n)
		}
		value, ok := w.names[parts[1]]
		if !ok {
			t.Fatalf("%s: nothing is called %s", at, name)
		}
		return value
	})
}

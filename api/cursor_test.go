package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"timebank/ledger"
	"timebank/ledger/book/booktest"
)

var testCursors = cursors{[32]byte{1}}

func TestCursor(t *testing.T) {
	t.Parallel()
	by, list := ledger.Actor{Client: "c1"}, "hours"
	sealed := testCursors.seal(position{41, 50}, by, list)
	if got, err := testCursors.open(sealed, by, list); err != nil || got != (position{41, 50}) {
		t.Fatalf("open(seal) = %v, %v", got, err)
	}
	for _, test := range []struct {
		name, sealed, list string
		by                 ledger.Actor
		cursors            cursors
	}{
		{"another client's", sealed, list, ledger.Actor{Client: "c2"}, testCursors},
		{"another list's", sealed, "entries", by, testCursors},
		{"another server's", sealed, list, by, cursors{[32]byte{2}}},
		{"an empty one", "", list, by, testCursors},
		{"one cut short", sealed[:len(sealed)-1], list, by, testCursors},
		{"one with something behind", sealed + "A", list, by, testCursors},
		{"one with a line end in it", sealed[:4] + "\n" + sealed[4:], list, by, testCursors},
		{"one that is no base64", "%%%", list, by, testCursors},
		{"a made-up one", "MS4wLjUw", list, by, testCursors},
	} {
		t.Run(test.name+" is refused", func(t *testing.T) {
			if got, err := test.cursors.open(test.sealed, test.by, test.list); err == nil || got != (position{}) {
				t.Errorf("open(%q) = %v, %v, want it refused", test.sealed, got, err)
			}
		})
	}
}

// FuzzCursor: whatever is sent, what opens is what was sealed.
func FuzzCursor(f *testing.F) {
	by := ledger.Actor{Client: "c1"}
	f.Add(testCursors.seal(position{-1, 0}, by, "hours"))
	f.Add(testCursors.seal(position{1 << 60, 7}, by, "hours"))
	f.Add("MS4wLjUw")
	f.Fuzz(func(t *testing.T, sealed string) {
		p, err := testCursors.open(sealed, by, "hours")
		if err == nil && testCursors.seal(p, by, "hours") != sealed {
			t.Errorf("%q opens as %v and is not its cursor", sealed, p)
		}
	})
}

// TestWalk walks through lists by their cursors while more is recorded: nothing is skipped, repeated, or
// newer than the walk.
func TestWalk(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	station := w.claims(t, "station", 7)
	for _, test := range []struct{ name, as, path string }{
		{"hours", "station", "/v1/hours"},
		{"entries of a kind", "auditor", "/v1/entries?kind=hours"},
		{"entries", "auditor", "/v1/entries"},
		{"volunteers", "operator", "/v1/volunteers"},
		{"clients", "operator", "/v1/clients"},
		{"accounts", "auditor", "/v1/accounts"},
	} {
		t.Run(test.name, func(t *testing.T) {
			whole := w.page(t, test.as, test.path)
			var seen []any
			var began any
			next := withParameter(test.path, "limit", "3")
			for pages := 0; next != ""; pages++ {
				if pages > 100 {
					t.Fatal("the walk does not end")
				}
				answer, text := w.ask(t, test.as, http.MethodGet, next, "")
				if answer.StatusCode != http.StatusOK {
					t.Fatalf("%s: %d %s", next, answer.StatusCode, text)
				}
				page := object(t, text)
				seen = append(seen, page["data"].([]any)...)
				if pages == 0 { // reading the whole is itself an entry, where it is of people
					began = page["as_of_log_size"]
				}
				if page["as_of_log_size"] != began {
					t.Errorf("a page is as of %v, the walk began at %v", page["as_of_log_size"], began)
				}
				next = linkOf(answer)
				if (next != "") != (page["next_cursor"] != nil) {
					t.Errorf("Link says %q, next_cursor %v", next, page["next_cursor"])
				}
				if pages == 0 {
					station += w.claims(t, "station", 1) // while the walk goes on
					w.Volunteer(t, "1990-01-01")
				}
			}
			if diff := cmp.Diff(idsOf(whole["data"].([]any)), idsOf(seen)); diff != "" {
				t.Errorf("the walk differs from one page (-page +walk):\n%s", diff)
			}
		})
	}
	if station < 7 {
		t.Errorf("%d claims were posted", station)
	}
}

func TestCursorIsBound(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.claims(t, "station", 3)
	_, text := w.ask(t, "station", http.MethodGet, "/v1/hours?limit=1", "")
	cursor, ok := object(t, text)["next_cursor"].(string)
	if !ok {
		t.Fatalf("no cursor in %s", text)
	}
	for _, test := range []struct{ name, as, path string }{
		{"to the caller", "other", "/v1/hours?limit=1"},
		{"to the list", "station", "/v1/entries?limit=1"},
		{"to the filter", "station", "/v1/hours?limit=1&volunteer_id=" + w.names["li"]},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer, text := w.ask(t, test.as, http.MethodGet, withParameter(test.path, "cursor", cursor), "")
			if answer.StatusCode != http.StatusBadRequest || object(t, text)["code"] != "cursor_malformed" {
				t.Errorf("%d %s, want 400 cursor_malformed", answer.StatusCode, text)
			}
		})
	}
}

// claims posts claims of a fresh volunteer and gives how many.
func (w *town) claims(t *testing.T, as string, n int) int {
	t.Helper()
	volunteer := w.Volunteer(t, "1980-01-01")
	for day := range n {
		body := fmt.Sprintf(`{"volunteer_id": %q, "activity": "陪聊", "served_on": %q, "minutes": 60, "evidence": {"second_approver": "w3"}}`, volunteer,
			booktest.Date(t, "2026-03-01")+ledger.Date(day))
		answer, text := w.ask(t, as, http.MethodPost, "/v1/hours", body, "Idempotency-Key", fmt.Sprintf("%s %d", volunteer, day))
		if answer.StatusCode != http.StatusCreated {
			t.Fatalf("posting: %d %s", answer.StatusCode, text)
		}
	}
	return n
}

func (w *town) page(t *testing.T, as, path string) map[string]any {
	t.Helper()
	answer, text := w.ask(t, as, http.MethodGet, withParameter(path, "limit", "500"), "")
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s", path, answer.StatusCode, text)
	}
	return object(t, text)
}

func withParameter(path, name, value string) string {
	u, _ := url.Parse(path) // a path of ours
	query := u.Query()
	query.Set(name, value)
	return u.Path + "?" + query.Encode()
}

func linkOf(answer *http.Response) string {
	link, _, found := strings.Cut(strings.TrimPrefix(answer.Header.Get("Link"), "<"), `>; rel="next"`)
	if !found {
		return ""
	}
	return link
}

// idsOf gives what tells things of a list apart.
func idsOf(things []any) (ids []string) {
	for _, thing := range things {
		m := thing.(map[string]any)
		ids = append(ids, fmt.Sprint(m["seq"], m["account"]))
	}
	return ids
}

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	value, err := decodeStrict([]byte(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	m, ok := value.(map[string]any)
	if !ok {
		t.Fatalf("not an object: %s", text)
	}
	return m
}

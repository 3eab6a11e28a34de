package api

import (
	"encoding/json"
	"strings"
	"testing"

	json2 "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"timebank/api/gen"
)

func TestDecodeStrict(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text string }{
		{"nothing", ""},
		{"a space", " "},
		{"two values", "{} {}"},
		{"something behind", "{}x"},
		{"a comma too many", `{"a": 1,}`},
		{"a comment", `{"a": 1} // one`},
		{"the same name twice", `{"a": 1, "a": 2}`},
		{"the same name twice, once escaped", `{"a": 1, "\u0061": 2}`},
		{"the same name twice, deeper", `{"a": [{"b": 1, "b": 1}]}`},
		{"invalid UTF-8", "{\"a\": \"\xff\"}"},
		{"half a surrogate", `{"a": "\ud800"}`},
		{"another encoding", "\xff\xfe{\x00}\x00"},
		{"a byte order mark", "\xef\xbb\xbf{}"},
		{"a zero before a number", `{"a": 012}`},
		{"no number", `{"a": NaN}`},
		{"single quotes", `{'a': 1}`},
		{"a nest without end", strings.Repeat("[", 100_000)},
	} {
		t.Run(test.name+" is refused as an item", func(t *testing.T) {
			if value, err := decodeEnvelope([]byte(`{"claims": [1, ` + test.text + `]}`)); err == nil {
				t.Fatalf("decodeEnvelope with the item %.60q = %v, want it refused", test.text, value)
			}
		})
		t.Run(test.name+" is refused", func(t *testing.T) {
			value, err := decodeStrict([]byte(test.text))
			if err == nil {
				t.Fatalf("decodeStrict(%.60q) = %v, want it refused", test.text, value)
			}
			if p := problemOf(err, ""); p.Code != "json_malformed" || strings.Contains(*p.Detail, "Go ") {
				t.Errorf("the problem is %s: %s", p.Code, *p.Detail)
			}
		})
	}
}

func TestDecodeStrictNumbers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]any{"90": int64(90), "-1": int64(-1), "9223372036854775807": int64(9223372036854775807),
		"9223372036854775808": "9223372036854775808", "90.0": "90.0", "9e1": "9e1"} {
		if got, err := decodeStrict([]byte(text)); err != nil || got != want {
			t.Errorf("decodeStrict(%s) = %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestDecodeEnvelope_passes_over_items(t *testing.T) {
	t.Parallel()
	got, err := decodeEnvelope([]byte(`{"n": 7, "claims": [{"a": [1]}, null, "x"], "in": {"list": [1, 2]}}`))
	want := map[string]any{"n": int64(7), "claims": []any{true, true, true}, "in": map[string]any{"list": []any{true, true}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("decodeEnvelope: %v (-want +got):\n%s", err, diff)
	}
}

// TestDecodeInto shows that what the contract's check let through is read as it was checked.
func TestDecodeInto(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"minutes": 90, "Minutes": 91}`, `{"MINUTES": 90}`, `{"minutes": "90"}`, `{"minutes": 90.5}`} {
		var body gen.ConfirmInput
		if err := decodeInto([]byte(text), &body); err == nil {
			t.Errorf("decodeInto(%s) = %+v, want it refused", text, body)
		}
	}
}

func TestRequestHash(t *testing.T) {
	t.Parallel()
	hash := func(method, path, body string) string {
		h, err := requestHash(method, path, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return h.String()
	}
	one := hash("POST", "/v1/hours", `{"a": 1, "b": "\u00e9"}`)
	for _, same := range []string{`{"b":"é","a":1}`, "{ \"a\" : 1 ,\n\"b\":\"é\" }"} {
		if hash("POST", "/v1/hours", same) != one {
			t.Errorf("%s hashes otherwise, though it means the same", same)
		}
	}
	for _, other := range []string{hash("POST", "/v1/hours", `{"a": 2, "b": "é"}`), hash("POST", "/v1/hours/batch", `{"a": 1, "b": "é"}`),
		hash("PUT", "/v1/hours", `{"a": 1, "b": "é"}`), hash("POST", "/v1/hours", "")} {
		if other == one {
			t.Error("another request hashes the same")
		}
	}
}

// FuzzDecodeStrict: no input makes it panic; what it takes, any JSON library takes; and what it takes has
// one canonical form.
func FuzzDecodeStrict(f *testing.F) {
	for _, text := range []string{`{"a": [1, "x", null, true, 1.5e3]}`, `{"a": 1, "a": 2}`, "\"\xff\"", `[[[[`, `{} {}`, `-0`, `1e999`, `9007199254740993`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, err := decodeStrict(text)
		if err != nil {
			return
		}
		if !json.Valid(text) {
			t.Fatalf("%q is taken and is not JSON", text)
		}
		first, err := requestHash("POST", "/", text)
		if err != nil {
			t.Fatalf("%q is taken and has no canonical form: %v", text, err)
		}
		if again, err := requestHash("POST", "/", text); err != nil || again != first {
			t.Errorf("%q hashes to %s and then to %s (%v)", text, first, again, err)
		}
	})
}

// FuzzDecodeAsByReflection holds what is read token by token against what reflection reads: the same is refused, and the same
// comes out.
func FuzzDecodeAsByReflection(f *testing.F) {
	for _, text := range []string{`{"a": [1, {"b": null, "c": "\u00e9"}, true, -2e5], "d": {}}`, `[[[]]]`, `"x"`, `{"a":1,"a":2}`, `[1,]`, `{} {}`, "\"\xff\"", `9223372036854775808`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var want any
		wantErr := json2.Unmarshal(text, &want, readWhole)
		got, err := decodeStrict(text)
		if (err == nil) != (wantErr == nil) || err == nil && !cmp.Equal(want, got) {
			t.Fatalf("decodeStrict(%q) = %v, %v; by reflection it is %v, %v", text, got, err, want, wantErr)
		}
		if _, err := decodeEnvelope(text); (err == nil) != (wantErr == nil) {
			t.Fatalf("decodeEnvelope(%q): %v; by reflection %v", text, err, wantErr)
		}
	})
}

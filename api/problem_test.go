package api

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"timebank/api/auth"
	"timebank/ledger"
	"timebank/ledger/book"
)

func TestProblemOf(t *testing.T) {
	t.Parallel()
	wrapped := func(err error) error { return fmt.Errorf("recording: %w", err) }
	for _, test := range []struct {
		name, code string
		err        error
		status     int
		retryable  bool
	}{
		{"malformed", "minutes_out_of_range", &ledger.Invalid{Code: "minutes_out_of_range", Pointer: "/minutes"}, 400, false},
		{"a rule's no", "shift_overlaps", &ledger.Refusal{Code: "shift_overlaps"}, 409, false},
		{"a key of another request", "key_reused", &book.KeyReused{}, 422, false},
		{"no token", "token_invalid", auth.ErrToken, 401, false},
		{"no credentials", "client_invalid", auth.ErrClient, 401, false},
		{"too narrow a token", "scope_insufficient", auth.ErrScope, 403, false},
		{"not allowed", "forbidden", ledger.ErrForbidden, 403, false},
		{"not there", "not_found", ledger.ErrNotFound, 404, false},
		{"too much at once", "busy", book.ErrBusy, 503, true},
		{"too late", "busy", context.DeadlineExceeded, 503, true},
		{"unknown", "internal", errors.New("a table is missing"), 500, false},
		{"the router's", "method_not_allowed", echo.ErrMethodNotAllowed, 405, false},
		{"Echo's own failures", "internal", echo.NewHTTPError(507, "a table is missing"), 500, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := problemOf(wrapped(test.err), "r1")
			if p.Code != test.code || p.Status != test.status || p.Retryable != test.retryable || *p.RequestId != "r1" || p.Title == "" ||
				p.Type != "/docs/problems.md#"+test.code {
				t.Errorf("problemOf() = %+v, want %d %s", p, test.status, test.code)
			}
			if strings.Contains(*p.Detail, "table") || strings.Contains(*p.Detail, "recording") {
				t.Errorf("the detail tells of our inside: %s", *p.Detail)
			}
		})
	}
}

// TestDetailsAreBounded: what a caller sends comes back in a problem only in part.
func TestDetailsAreBounded(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	long := strings.Repeat("名", 10_000)
	for name, body := range map[string]string{"an unknown name": fmt.Sprintf(`{%q: 1}`, long), "a name twice": fmt.Sprintf(`{%q: 1, %q: 2}`, long, long),
		"many unknown names": "{" + strings.TrimSuffix(manyNames(5000), ",") + "}"} {
		answer, text := w.ask(t, "station", "POST", "/v1/hours", body, "Idempotency-Key", "k")
		if answer.StatusCode != 400 || len(text) > 20*(2*detailBytesMax+200) {
			t.Errorf("%s: %d, %d bytes", name, answer.StatusCode, len(text))
		}
	}
	if answer, text := w.ask(t, "station", "GET", "/v1/hours?"+strings.Repeat("x", 8000)+"=1", ""); answer.StatusCode != 400 || len(text) > 1000 {
		t.Errorf("an unknown parameter: %d, %d bytes", answer.StatusCode, len(text))
	}
}

func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"x%d": 1,`, i)
	}
	return b.String()
}

// TestEveryCodeHasItsPage reads the program's source for the codes of problems and compares them with the
// sections of docs/problems.md.
func TestEveryCodeHasItsPage(t *testing.T) {
	t.Parallel()
	codes := map[string]string{}
	for _, dir := range []string{"../api", "../ledger", "../policy"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/gen/") {
				return err
			}
			return findCodes(path, codes)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	shipped, err := os.ReadFile("../policy/shipped.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^ +code: ([a-z_]+)$`).FindAllStringSubmatch(string(shipped), -1) {
		codes[m[1]] = "policy/shipped.yaml"
	}
	if len(codes) < 50 {
		t.Fatalf("only %d codes were found: the way of writing them has changed", len(codes))
	}
	page, err := os.ReadFile("../docs/problems.md")
	if err != nil {
		t.Fatal(err)
	}
	var sections []string
	for _, m := range regexp.MustCompile(`(?m)^## ([a-z_]+)$`).FindAllStringSubmatch(string(page), -1) {
		sections = append(sections, m[1])
	}
	slices.Sort(sections)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(codes)), sections); diff != "" {
		t.Errorf("codes and the sections of docs/problems.md differ (-code +section):\n%s", diff)
	}
	for _, code := range sections {
		if !strings.Contains(string(page), "["+code+"](#"+code+")") {
			t.Errorf("the table of docs/problems.md lacks %s", code)
		}
	}
}

var codePattern = regexp.MustCompile(`^[a-z]+(_[a-z0-9]+)+$|^(busy|internal|forbidden)$`)

// findCodes collects the first code-like string of each call and literal that makes a problem.
func findCodes(path string, codes map[string]string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return err
	}
	makers := []string{"invalid", "newProblem", "Invalid", "Refusal", "fault", "refuse", "rowFault"}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if slices.Contains(makers, lastName(n.Fun)) {
				firstCode(path, n.Args, codes)
			}
		case *ast.CompositeLit:
			if slices.Contains(makers, lastName(n.Type)) {
				firstCode(path, n.Elts, codes)
			}
		case *ast.KeyValueExpr:
			if lastName(n.Key) == "Code" {
				firstCode(path, []ast.Expr{n.Value}, codes)
			}
		case *ast.AssignStmt: // line.Outcome, line.Code, … = …, and code = …
			for _, left := range n.Lhs {
				if name := lastName(left); name == "Code" || name == "code" {
					firstCode(path, n.Rhs, codes)
				}
			}
		case *ast.ValueSpec: // the codes of fields, by keyword
			if len(n.Names) == 1 && n.Names[0].Name == "fieldCodes" {
				for _, e := range n.Values[0].(*ast.CompositeLit).Elts {
					firstCode(path, []ast.Expr{e.(*ast.KeyValueExpr).Value}, codes)
				}
			}
		}
		return true
	})
	return nil
}

func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

func firstCode(path string, from []ast.Expr, codes map[string]string) {
	for _, e := range from {
		if pair, ok := e.(*ast.KeyValueExpr); ok {
			e = pair.Value
		}
		literal, ok := e.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			continue
		}
		if text, err := strconv.Unquote(literal.Value); err == nil && codePattern.MatchString(text) {
			codes[text] = path
			return
		}
	}
}

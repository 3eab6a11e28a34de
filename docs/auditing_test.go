package docs_test

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var shell = regexp.MustCompile("(?s)```sh\n(.*?)```")

// elsewhere is where a private PostgreSQL keeps its data when its own user cannot reach the folder.
var elsewhere = regexp.MustCompile(`PostgreSQL's data is in (/var/tmp/timebank-[0-9a-f]+)\n`)

// A stranger pastes the commands of auditing.md one after the other, in a copy of this folder, and all of them do
// what the page says. The demo's port is another here, since tests run beside each other.
func TestAuditingPage(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"hledger", "bean-check", "curl", "make"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") != "" { // which installs them, so that this test runs somewhere
				t.Fatalf("%s is not installed", program)
			}
			t.Skipf("%s is not installed: apt-get install hledger beancount curl make", program)
		}
	}
	page, err := os.ReadFile("auditing.md")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	script.WriteString("set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n")
	for _, block := range shell.FindAllStringSubmatch(string(page), -1) {
		for line := range strings.Lines(block[1]) {
			if rest, ok := strings.CutPrefix(line, "! "); ok { // set -e does not mind a command after !
				line = "if " + strings.TrimSpace(rest) + "; then echo 'it did not fail'; exit 1; fi\n"
			}
			script.WriteString("echo \"+ " + strings.NewReplacer("\\", "", `"`, "", "$", "", "`", "").Replace(strings.TrimSpace(line)) + "\"\n" + line)
		}
	}
	text := strings.ReplaceAll(script.String(), "127.0.0.1:8080", freeAddress(t))
	dir := copyOfProject(t)
	cmd := exec.CommandContext(t.Context(), "bash", "-c", text)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	for _, place := range elsewhere.FindAllStringSubmatch(out.String(), -1) {
		if err := os.RemoveAll(place[1]); err != nil {
			t.Error(err)
		}
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	if n := strings.Count(out.String(), "Successfully fsck'd log with size"); n != 2 {
		t.Errorf("fsck succeeded %d times: %s", n, out.String())
	}
}

// copyOfProject copies what building needs to a folder that PostgreSQL's own user can reach.
func copyOfProject(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "timebank-audit-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"api", "cmd", "ledger", "policy", "migrations", "docs", "go.mod", "go.sum", "openapi.yaml", "Makefile"} {
		from, to := filepath.Join("..", name), filepath.Join(dir, name)
		info, err := os.Stat(from)
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() {
			err = os.CopyFS(to, os.DirFS(from))
		} else {
			var text []byte
			if text, err = os.ReadFile(from); err == nil {
				err = os.WriteFile(to, text, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Every test that the page names is there.
func TestAuditingPageNamesTests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("auditing.md")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	for _, dir := range []string{"../ledger/book", "../ledger/translog", "../cmd/timebank-audit"} {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tests.Write(text)
		}
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z_]+)`").FindAllStringSubmatch(string(page), -1)
	if len(named) < 10 {
		t.Fatalf("the page names %d tests", len(named))
	}
	for _, name := range named {
		if !strings.Contains(tests.String(), "func "+name[1]+"(") {
			t.Errorf("the page names %s, which is not there", name[1])
		}
	}
}

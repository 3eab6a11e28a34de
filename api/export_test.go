package api

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// The ledger streams out in each form, as of a size of the log, and what two other programs make of it is that
// it balances; with one minute changed both say no.
func TestExport(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.claims(t, "station", 7)
	for format, want := range map[string]string{"jsonl": `"leaf":"timebank-leaf/v1`, "csv": "seq,kind,effective,", "hledger": " SERVICE = ", "beancount": " balance Equity:"} {
		answer, text := w.ask(t, "auditor", http.MethodGet, "/v1/export?format="+format, "")
		if answer.StatusCode != http.StatusOK || !strings.Contains(text, want) || answer.Header.Get("Log-Size") == "" {
			t.Errorf("%s: %d, %v: %.300s", format, answer.StatusCode, answer.Header, text)
		}
		w.judge(t, format, text)
	}
	_, part := w.ask(t, "auditor", http.MethodGet, "/v1/export?format=jsonl&from=3&at_log_size=5", "")
	if strings.Count(part, "\n") != 2 || !strings.HasPrefix(part, `{"seq":3,`) {
		t.Errorf("entries 3 and 4 are exported as %q", part)
	}
}

// judge asks the program that reads a format, where it is installed.
func (w *town) judge(t *testing.T, format, text string) {
	t.Helper()
	args := map[string][]string{"hledger": {"hledger", "-f", "-", "check"}, "beancount": {"bean-check", "/dev/stdin"}}[format]
	if args == nil {
		return
	}
	if _, err := exec.LookPath(args[0]); err != nil {
		t.Logf("%s is not installed", args[0])
		return
	}
	check := func(text string) ([]byte, error) {
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Stdin = strings.NewReader(text)
		return cmd.CombinedOutput()
	}
	if out, err := check(text); err != nil {
		t.Errorf("%s: %v: %s", args[0], err, out)
	}
	if out, err := check(strings.Replace(text, "  60 SERVICE", "  61 SERVICE", 1)); err == nil {
		t.Errorf("%s takes a planted minute: %s", args[0], out)
	}
}

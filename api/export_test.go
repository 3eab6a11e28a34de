package api

import (
	"encoding/csv"
	"fmt"
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
	if format == "hledger" {
		w.agrees(t, text)
	}
	if out, err := check(strings.Replace(text, "  60 SERVICE", "  61 SERVICE", 1)); err == nil {
		t.Errorf("%s takes a planted minute: %s", args[0], out)
	}
}

// agrees holds what hledger makes of a journal against what the API answers, account by account.
func (w *town) agrees(t *testing.T, journal string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "hledger", "-f", "-", "balance", "--flat", "--no-total", "--empty", "--output-format", "csv")
	cmd.Stdin = strings.NewReader(journal)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(out))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	balances := map[string]string{}
	for _, row := range rows[1:] {
		parts := strings.Split(row[0], ":")
		balances[parts[len(parts)-1]], _, _ = strings.Cut(row[1], " ")
	}
	_, text := w.ask(t, "auditor", http.MethodGet, "/v1/accounts?limit=500", "")
	held := 0
	for _, a := range object(t, text)["data"].([]any) {
		account := a.(map[string]any)
		if fmt.Sprint(account["entries"]) == "0" {
			continue
		}
		held++
		if have := balances[account["account"].(string)]; have != fmt.Sprint(account["balance"]) {
			t.Errorf("account %v: hledger has %q, the API %v", account["account"], have, account["balance"])
		}
	}
	if held < 2 || held != len(balances) {
		t.Errorf("the API has %d accounts that moved, hledger %d", held, len(balances))
	}
}

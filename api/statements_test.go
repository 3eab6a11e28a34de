package api

import (
	"net/http"
	"strings"
	"testing"
)

// A statement is JSON, a sheet for spreadsheets, or a page to print, and all three say the same.
func TestStatementForms(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	for _, day := range []string{"2026-03-01", "2026-03-02"} {
		claim := `{"volunteer_id": "` + w.names["xiao"] + `", "activity": "教手机", "served_on": "` + day + `", "minutes": 60,
			"evidence": {"sheet": "4", "recorder": "w1", "approver": "w2", "second_approver": "w3"}}`
		if answer, text := w.ask(t, "station", "POST", "/v1/hours", claim, "Idempotency-Key", day); answer.StatusCode != http.StatusCreated {
			t.Fatal(text)
		}
	}
	path := "/v1/volunteers/" + w.names["xiao"] + "/statement"
	const days = "?account=served&from=2026-01-01&to=2026-12-31"
	for _, x := range []struct {
		path  string
		tells []string
	}{
		{path + days + "&format=csv", []string{"date,entry,kind,recorded,minutes,balance,unit\n2026-01-01,,opening,,,0,service\n", ",60,120,service\n2026-12-31,,closing,,,120,service\n"}},
		{path + "/page" + days + "&lang=en", []string{"time served", "2026-03-01", "1 h", "2 h", "Balance after"}},
		{path + "/page" + days, []string{"服务时间", "期末余额", "2 小时"}},
	} {
		answer, text := w.ask(t, "auditor", http.MethodGet, x.path, "")
		for _, want := range x.tells {
			if answer.StatusCode != http.StatusOK || !strings.Contains(text, want) || strings.Contains(text, "<script") {
				t.Errorf("%s: %d, want %q in %s", x.path, answer.StatusCode, want, text)
			}
		}
	}
}

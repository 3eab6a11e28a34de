package api

import (
	"net/http"
	"strings"
	"testing"
)

// The page to print tells who served how much, of what, and with whom, in the language that is asked for.
// An auditor's has no name.
func TestServiceRecordPage(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	path := "/v1/volunteers/" + w.names["xiao"] + "/record/page"
	today, err := w.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	claim := `{"volunteer_id": "` + w.names["xiao"] + `", "activity": "教手机", "service": "DIGI", "position": "trainer", "served_on": "` +
		today.In(w.Zone()).Format("2006-01-02") + `", "minutes": 90, "evidence": {"sheet": "4", "recorder": "w1", "approver": "w2"}}`
	if answer, text := w.ask(t, "station", "POST", "/v1/hours", claim, "Idempotency-Key", "k"); answer.StatusCode != http.StatusCreated {
		t.Fatal(text)
	}
	for _, tt := range []struct {
		who, query    string
		tells, hushes []string
	}{
		{"xiao", "?lang=en", []string{"肖", "1 h 30 min", "help with smartphones", "trainer", "青桐街道社工站", "At 25 the youth service record is closed"}, []string{"智能"}},
		{"chen", "", []string{"肖", "1 小时 30 分", "智能设备使用指导", "培训者", "年满 25 周岁"}, []string{"smartphones", "银行"}},
		{"auditor", "?lang=en", []string{"1 h 30 min", w.names["xiao"]}, []string{"肖"}},
	} {
		answer, page := w.ask(t, tt.who, "GET", path+tt.query, "")
		if answer.StatusCode != http.StatusOK || strings.Contains(page, "<script") {
			t.Fatalf("%s gets %d %s", tt.who, answer.StatusCode, page)
		}
		for _, want := range tt.tells {
			if !strings.Contains(page, want) {
				t.Errorf("the page for %s does not tell %q:\n%s", tt.who, want, page)
			}
		}
		for _, no := range tt.hushes {
			if strings.Contains(page, no) {
				t.Errorf("the page for %s tells %q", tt.who, no)
			}
		}
	}
}

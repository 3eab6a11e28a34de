package api

import (
	"net/http"
	"strings"
	"testing"

	"timebank/policy"
)

// The page tells every rule, in the language that is asked for, and needs no script.
func TestPolicyPageTellsEveryRule(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	rules, err := policy.Parse(policy.Shipped())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path, accept string
		lang         policy.Lang
	}{
		{"/policy?lang=zh", "en", policy.Chinese},
		{"/policy?lang=en", "zh", policy.English},
		{"/policy", "zh-CN,zh;q=0.9,en;q=0.8", policy.Chinese},
		{"/policy", "en-GB, zh;q=0.5", policy.English},
		{"/policy", "fr", policy.English},
	} {
		answer, page := w.ask(t, "", "GET", tt.path, "", "Accept-Language", tt.accept)
		if answer.StatusCode != http.StatusOK || strings.Contains(page, "<script") || strings.Contains(page, "银行") {
			t.Errorf("%s answers %d", tt.path, answer.StatusCode)
		}
		plain := strings.NewReplacer("&#39;", "'", "&#34;", `"`, "&amp;", "&", "&lt;", "<", "&gt;", ">").Replace(page)
		for _, r := range rules.InWords(tt.lang) {
			if !strings.Contains(plain, r.Text) || !strings.Contains(plain, r.Source) {
				t.Errorf("%s for %q does not tell %s", tt.path, tt.accept, r.ID)
			}
		}
	}
}

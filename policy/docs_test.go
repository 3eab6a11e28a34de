package policy_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"timebank/policy"
)

// page gives docs/policy.md, and the texts of its code blocks of a kind.
func page(t *testing.T, kind string) (text string, blocks []string) {
	t.Helper()
	read, err := os.ReadFile("../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	// Fences come in pairs, so every second part is a block; its first line tells the kind.
	for i, part := range strings.Split(string(read), "```") {
		if of, block, _ := strings.Cut(part, "\n"); i%2 == 1 && of == kind {
			blocks = append(blocks, strings.TrimRight(block, " "))
		}
	}
	return string(read), blocks
}

// The page that tells authors how to write rules is tried out here: its facts are all there are, its rule
// loads and its scenarios come out.
func TestPage_on_rules_names_every_fact(t *testing.T) {
	t.Parallel()
	text, _ := page(t, "yaml")
	broken := strings.NewReplacer("minutes > clock_minutes", "xx > clock_minutes", "when: age < 25 && !(", "when: xx < 25 && !(",
		"checked_in_out && beneficiary_confirmed", "xx", "when: age >= 60\n", "when: xx\n",
		"open_holds < 3", "xx", `reason == "partner_absent"`, "xx", "receiver_age >= 60", "xx", "age >= 80 && alone", "xx", "emergency >= 1440", "xx",
		"minutes >= 60000", "xx", "days_in_7 == 7", "xx").Replace(string(policy.Shipped()))
	_, err := policy.Parse([]byte(broken))
	if err == nil {
		t.Fatal("Parse accepted a fact that does not exist")
	}
	lists := regexp.MustCompile(`the facts here are (.*)`).FindAllStringSubmatch(err.Error(), -1)
	if len(lists) != 11 { // one a place of the set where conditions stand
		t.Fatalf("%d lists of facts, want 11: %v", len(lists), err)
	}
	for _, list := range lists {
		for name := range strings.SplitSeq(list[1], ", ") {
			if !strings.Contains(text, "`"+name+"`") {
				t.Errorf("docs/policy.md does not tell what %s is", name)
			}
		}
	}
}

func TestPage_on_rules_has_a_rule_that_loads(t *testing.T) {
	t.Parallel()
	_, blocks := page(t, "yaml")
	if len(blocks) != 1 {
		t.Fatalf("%d rules on the page, want 1", len(blocks))
	}
	const next = "  - id: care-credit\n"
	r, err := policy.Parse([]byte(strings.Replace(string(policy.Shipped()), next, blocks[0]+next, 1)))
	if err != nil {
		t.Fatal(err)
	}
	f := facts(60)
	f.Today, f.SecondApprover = f.ServedOn+31, true
	onTime, err := r.Decide(f)
	if err != nil {
		t.Fatal(err)
	}
	f.Today++
	late, err := r.Decide(f)
	if err != nil {
		t.Fatal(err)
	}
	if onTime.Earned.Care != 60 || late.Earned.Care != 48 {
		t.Errorf("an hour earns %d minutes in time and %d late, want 60 and 48", onTime.Earned.Care, late.Earned.Care)
	}
}

func TestPage_on_rules_has_scenarios_that_come_out(t *testing.T) {
	t.Parallel()
	_, blocks := page(t, "")
	if len(blocks) != 2 {
		t.Fatalf("%d scenarios on the page, want 2", len(blocks))
	}
	for _, block := range blocks {
		scenarios, err := policy.ParseScenarios(block)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range scenarios {
			if err := s.Run(shipped(t)); err != nil {
				t.Error(err)
			}
		}
	}
}

// The page that goes from each proposal to what serves it names rules and scenarios that there are.
func TestPage_on_targeted_incentives_is_true(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/targeted-incentives.md")
	if err != nil {
		t.Fatal(err)
	}
	rules, titles := map[string]bool{}, map[string]bool{}
	for _, r := range shipped(t).InWords(policy.English) {
		rules[r.ID] = true
	}
	for _, r := range shipped(t).Notices(policy.English) {
		rules[r.ID] = true
	}
	for _, s := range readScenarios(t, "scenarios/*.txt") {
		titles[s.Title] = true
	}
	contract, err := os.ReadFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) != 7 || !strings.Contains(cells[2], "`") {
			continue
		}
		for _, id := range regexp.MustCompile("`([a-z0-9-]+)`").FindAllStringSubmatch(cells[2], -1) {
			named++
			if !rules[id[1]] {
				t.Errorf("the shipped set has no rule %s", id[1])
			}
		}
		for _, path := range regexp.MustCompile("`(?:[A-Z]+ )?(/[^`]+)`").FindAllStringSubmatch(cells[4], -1) {
			if !strings.Contains(string(contract), "\n  "+path[1]+":\n") {
				t.Errorf("the API has no %s", path[1])
			}
		}
		for _, title := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(cells[5], -1) {
			if !titles[title[1]] {
				t.Errorf("there is no scenario %q", title[1])
			}
		}
	}
	if named < 25 || len(titles) < 80 {
		t.Errorf("the page names %d rules, and there are %d scenarios, want 25 and 80 at least", named, len(titles))
	}
}

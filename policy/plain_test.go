package policy

import (
	"fmt"
	"strings"
	"testing"

	"cel.dev/cel-go/common/types"
	"pgregory.net/rapid"

	"timebank/ledger"
)

// someFacts draws the facts of a claim, of which many are at or beside what rules ask for.
func someFacts(t *rapid.T) *claimView {
	yes := rapid.Bool()
	texts := rapid.SampledFrom([]string{"", "credit", "pledge", "donate", "TALK", "professional_team", strings.Repeat("x", 300)})
	f := ClaimFacts{
		Age: rapid.IntRange(-1, 90).Draw(t, "age"), OrganizationKind: ledger.OrganizationKind(texts.Draw(t, "kind")), Service: texts.Draw(t, "service"),
		Class: texts.Draw(t, "class"), Emergency: rapid.IntRange(0, 4).Draw(t, "emergency"), Minutes: ledger.Minutes(rapid.Int64().Draw(t, "minutes")),
		ClockMinutes: ledger.Minutes(rapid.Int64Range(0, 1440).Draw(t, "clock")), ServedOn: ledger.Date(rapid.IntRange(20000, 20020).Draw(t, "served")),
		Today: 20020, CheckedInOut: yes.Draw(t, "in"), BeneficiaryConfirmed: yes.Draw(t, "b"), SheetOnFile: yes.Draw(t, "sheet"), TwoPersons: yes.Draw(t, "two"),
		SecondApprover: yes.Draw(t, "second"), AuthorityApproved: yes.Draw(t, "authority"), Remote: yes.Draw(t, "remote"), GuardianConsent: yes.Draw(t, "guardian"),
		Chosen: rapid.SliceOfN(texts, 0, 40).Draw(t, "chosen"),
	}
	f.MinutesOnDay = ledger.Minutes(rapid.Int64Range(0, 1<<40).Draw(t, "on day"))
	return &claimView{f: &f, grade: rapid.SampledFrom(ledger.Grades).Draw(t, "grade"), days: &workdays{}}
}

// samePlainly fails unless a condition's plain function, where it is sure, says what CEL says.
func samePlainly(t *rapid.T, c condition, facts *claimView) {
	t.Helper()
	if c.plain == nil {
		return
	}
	yes, sure := c.plain(facts)
	out, _, err := c.program.Eval(facts)
	if sure && (err != nil || yes != (out == types.True)) {
		t.Errorf("%q of %+v is plainly %t; CEL says %v, %v", c.text, *facts.f, yes, out, err)
	}
}

// Every condition on claims of the shipped rules is plain, and says what CEL says.
func TestPlainConditionsSayWhatCELSays(t *testing.T) {
	rules, err := Parse(Shipped())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range rules.claimConditions() {
		if c.plain == nil {
			t.Errorf("%q is not plain", c.text)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		facts := someFacts(t)
		for _, c := range rules.claimConditions() {
			samePlainly(t, c, facts)
		}
	})
}

// So does every condition that can be written, as far as it is plain.
func TestAnyPlainConditionSaysWhatCELSays(t *testing.T) {
	compiler, err := newCompiler(refuseNames)
	if err != nil {
		t.Fatal(err)
	}
	plainly := 0
	rapid.Check(t, func(t *rapid.T) {
		text := anyYes(t, 3)
		if len(text) > conditionBytesMax {
			text = anyYes(t, 0)
		}
		c, err := compiler.compile(text)
		if err != nil {
			t.Fatalf("what the test wrote, %q, does not compile: %v", text, err)
		}
		if c.plain != nil {
			plainly++
		}
		for range 5 {
			samePlainly(t, c, someFacts(t))
		}
	})
	if plainly == 0 {
		t.Error("no condition was plain")
	}
}

func anyYes(t *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 7).Draw(t, "yes")
	if depth == 0 {
		kind = min(kind, 4)
	}
	switch kind {
	case 0:
		return rapid.SampledFrom([]string{"true", "false", "remote", "two_persons", "second_approver", "checked_in_out"}).Draw(t, "fact")
	case 1, 2:
		order := rapid.SampledFrom([]string{"==", "!=", "<", "<=", ">", ">="}).Draw(t, "order")
		return fmt.Sprintf("(%s %s %s)", anyInt(t, 2), order, anyInt(t, 2))
	case 3:
		order := rapid.SampledFrom([]string{"==", "!=", "<", "<=", ">", ">="}).Draw(t, "order")
		return fmt.Sprintf("(%s %s %s)", anyText(t), order, anyText(t))
	case 4:
		return fmt.Sprintf(`(%s in %s)`, anyText(t), rapid.SampledFrom([]string{"chosen", "roles", `["credit", "TALK"]`, `[service, "C"]`}).Draw(t, "list"))
	case 5:
		return "!" + anyYes(t, depth-1)
	case 6:
		return fmt.Sprintf("(%s || %s)", anyYes(t, depth-1), anyYes(t, depth-1))
	default:
		return fmt.Sprintf("(%s && %s)", anyYes(t, depth-1), anyYes(t, depth-1))
	}
}

func anyInt(t *rapid.T, depth int) string {
	if depth == 0 || rapid.Bool().Draw(t, "leaf") {
		return rapid.SampledFrom([]string{"age", "emergency", "minutes", "clock_minutes", "minutes_on_day", "days_late", "working_days_late", "0", "18", "480", "9223372036854775807"}).Draw(t, "number")
	}
	return fmt.Sprintf("(%s %s %s)", anyInt(t, depth-1), rapid.SampledFrom([]string{"+", "-", "*", "/"}).Draw(t, "operator"), anyInt(t, depth-1))
}

func anyText(t *rapid.T) string {
	return rapid.SampledFrom([]string{"service", "class", "grade", "organization_kind", "today", "served_on", `"TALK"`, `"credit"`, `"D"`, `"2024-10-24"`}).Draw(t, "text")
}

package book

import (
	"bytes"
	"slices"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"timebank/ledger"
	"timebank/policy"
)

// written gives details with their binding, as they are recorded.
func written(t *rapid.T, details any) []byte {
	t.Helper()
	text, err := encode(details)
	if err == nil {
		text, err = binding{Accounts: []boundAccount{}}.bind(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// spoilt changes a byte or takes some away, so that what is read is often not what was written.
func spoilt(t *rapid.T, text []byte) []byte {
	at, n := rapid.IntRange(0, len(text)-1).Draw(t, "at"), rapid.IntRange(0, 3).Draw(t, "taken")
	changed := slices.Clone(text)
	if n == 0 {
		changed[at] = rapid.SampledFrom([]byte("0123456789-+.eE\"\\{}[], tfn\x00\xff")).Draw(t, "byte")
		return changed
	}
	return slices.Delete(changed, at, min(at+n, len(changed)))
}

var someWords = rapid.SampledFrom([]string{"", "TALK", "陪聊", "0", "a b", "x"})

func anyMinutes(t *rapid.T, what string) ledger.Minutes {
	return ledger.Minutes(rapid.OneOf(rapid.Int64Range(-2, 100), rapid.Int64()).Draw(t, what))
}

func anyDate(t *rapid.T, what string) ledger.Date {
	return ledger.Date(rapid.IntRange(int(ledger.DateMin), int(ledger.DateMax)).Draw(t, what))
}

func anySteps(t *rapid.T) []policy.Step {
	steps := []policy.Step{}
	for range rapid.IntRange(0, 5).Draw(t, "steps") {
		steps = append(steps, policy.Step{Rule: someWords.Draw(t, "rule"), Effect: someWords.Draw(t, "effect"), Unit: rapid.SampledFrom(append([]ledger.Unit{"", "other"}, ledger.Units...)).Draw(t, "unit"),
			In: anyMinutes(t, "in"), Out: anyMinutes(t, "out"), Before: anyMinutes(t, "before"), Rate: someWords.Draw(t, "rate"), Carried: int64(anyMinutes(t, "carried")), Rest: int64(anyMinutes(t, "rest"))})
	}
	return steps
}

func anyClaim(t *rapid.T) claimDetails {
	word, yes := func(what string) string { return someWords.Draw(t, what) }, func(what string) bool { return rapid.Bool().Draw(t, what) }
	return claimDetails{
		Organization: word("organization"), Volunteer: word("volunteer"), Activity: word("activity"), Service: word("service"), Class: word("class"),
		Position: word("position"), Emergency: rapid.IntRange(0, 4).Draw(t, "level"), Start: word("start"), End: word("end"), Reference: word("reference"),
		Evidence: evidenceDetails{word("in"), word("out"), yes("beneficiary"), word("sheet"), word("recorder"), word("approver"), word("second"),
			word("authority"), yes("remote"), rapid.IntRange(0, 5).Draw(t, "satisfaction")},
		Facts: policy.ClaimFacts{Age: rapid.Int().Draw(t, "age"), Roles: rapid.SliceOfN(rapid.Just(ledger.VolunteerRole("x")), 0, 2).Draw(t, "roles"), OrganizationKind: ledger.OrganizationKind(word("kind")),
			Service: word("service"), Class: word("class"), Emergency: rapid.IntRange(0, 4).Draw(t, "emergency"), Minutes: anyMinutes(t, "minutes"), ClockMinutes: anyMinutes(t, "clock"),
			ServedOn: anyDate(t, "served on"), Today: anyDate(t, "today"), CheckedInOut: yes("in"), BeneficiaryConfirmed: yes("b"), SheetOnFile: yes("sheet"), TwoPersons: yes("two"),
			SecondApprover: yes("second"), AuthorityApproved: yes("authority"), Remote: yes("remote"), GuardianConsent: yes("guardian"), Chosen: rapid.SliceOfN(someWords, 0, 3).Draw(t, "chosen"),
			Past: policy.Past{CareOnDay: anyMinutes(t, "a"), YouthOnDay: anyMinutes(t, "b"), MinutesOnDay: anyMinutes(t, "c"), CareInMonth: anyMinutes(t, "d"), YouthInMonth: anyMinutes(t, "e"),
				CareInYear: anyMinutes(t, "f"), YouthInYear: anyMinutes(t, "g"), CareStored: anyMinutes(t, "h"), CareCarried: int64(anyMinutes(t, "i")), YouthCarried: int64(anyMinutes(t, "j"))}},
		Grade: rapid.SampledFrom(append([]ledger.Grade{"x"}, ledger.Grades...)).Draw(t, "grade"), Steps: anySteps(t)}
}

// sameRead fails unless details are read as the JSON reader reads them, or by it.
func sameRead[T any](t *rapid.T, text []byte, asWritten func([]byte, *T) bool) (plainly bool) {
	t.Helper()
	var have, want T
	if !asWritten(text, &have) {
		return false
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatalf("%s is read, and is %v", text, err)
	}
	if diff := cmp.Diff(want, have, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s is read otherwise (-JSON +have):\n%s", text, diff)
	}
	return true
}

// small reports whether no number is so large that it is left to the JSON reader.
func small(text []byte) bool {
	digits := 0
	for _, c := range bytes.Split(text, []byte(`"bound"`))[0] {
		if digits++; c < '0' || c > '9' {
			digits = 0
		}
		if digits >= wholeDigitsMax {
			return false
		}
	}
	return true
}

func TestDetailsAreReadAsTheJSONReaderReadsThem(t *testing.T) {
	t.Parallel()
	t.Run("claims", rapid.MakeCheck(func(t *rapid.T) {
		text := written(t, anyClaim(t))
		if !sameRead(t, text, claimAsWritten) && small(text) {
			t.Errorf("%s is not read as it is written: has a member been added?", text)
		}
		sameRead(t, spoilt(t, text), claimAsWritten)
	}))
	t.Run("holds", rapid.MakeCheck(func(t *rapid.T) {
		yes := func(what string) bool { return rapid.Bool().Draw(t, what) }
		text := written(t, holdDetails{someWords.Draw(t, "id"), someWords.Draw(t, "volunteer"), someWords.Draw(t, "partner"), someWords.Draw(t, "service"), someWords.Draw(t, "for"), someWords.Draw(t, "at"),
			ledger.Seq(rapid.IntRange(0, 1000).Draw(t, "consent")), someWords.Draw(t, "ends"), policy.HoldFacts{Age: rapid.IntRange(-1, 99).Draw(t, "age"), Minutes: anyMinutes(t, "minutes"),
				Available: anyMinutes(t, "available"), Today: anyDate(t, "today"), Service: someWords.Draw(t, "service"), ForRelative: yes("for"), Relation: ledger.RelationKind(someWords.Draw(t, "relation")),
				RelativeAge: rapid.IntRange(0, 99).Draw(t, "relative"), RedeemedInMonth: anyMinutes(t, "month"), OpenHolds: rapid.IntRange(0, 9).Draw(t, "open"), Booked: yes("booked"),
				LeadMinutes: int64(anyMinutes(t, "lead")), Urgent: yes("urgent"), PartnerStrikes: rapid.IntRange(0, 9).Draw(t, "p"), VolunteerStrikes: rapid.IntRange(0, 9).Draw(t, "v")}, anySteps(t)})
		if !sameRead(t, text, holdAsWritten) && small(text) {
			t.Errorf("%s is not read as it is written: has a member been added?", text)
		}
		sameRead(t, spoilt(t, text), holdAsWritten)
	}))
	t.Run("settlements", rapid.MakeCheck(func(t *rapid.T) {
		text := written(t, settlementDetails{someWords.Draw(t, "id"), someWords.Draw(t, "volunteer"), someWords.Draw(t, "partner"), anyMinutes(t, "held"), anyMinutes(t, "given")})
		if !sameRead(t, text, settlementAsWritten) && small(text) {
			t.Errorf("%s is not read as it is written: has a member been added?", text)
		}
		sameRead(t, spoilt(t, text), settlementAsWritten)
	}))
}

// What bind makes binds accepts, and nothing else.
func TestBindsAcceptsWhatBindMakes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.OneOf(someWords, rapid.String(), rapid.Just("\"\\/<&\u2028\x7f\t\x01")).Draw(t, "key")
		b := binding{Organization: someWords.Draw(t, "organization"), Volunteer: someWords.Draw(t, "volunteer"), Accounts: []boundAccount{}, Key: key,
			Reposts: [2]ledger.Seq{ledger.Seq(rapid.IntRange(-1, 9).Draw(t, "shift")), -1}}
		if rapid.Bool().Draw(t, "opens") {
			b.Accounts = append(b.Accounts, boundAccount{"00ff", ledger.Served})
		}
		have, err := b.text(nil)
		if want, err2 := encode(b); string(have) != string(want) || (err == nil) != (err2 == nil) {
			t.Fatalf("text of %+v = %s, %v, want %s, %v", b, have, err, want, err2)
		}
		bare := rapid.SampledFrom([]string{`{}`, `{"a":1}`, `}`, `{"a":1,"bound":"x"}`}).Draw(t, "details")
		text, err := b.bind([]byte(bare))
		if err != nil || !b.binds(text, nil) {
			t.Fatalf("binds(%s) = false, %v", text, err)
		}
		changed := spoilt(t, text)
		again, err := b.bind(unbound(changed))
		if want := err == nil && bytes.Equal(again, changed); b.binds(changed, nil) != want {
			t.Errorf("binds(%s) = %t, want %t", changed, !want, want)
		}
	})
}

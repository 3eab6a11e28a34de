package policy_test

import (
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"timebank/ledger"
	"timebank/policy"
)

func drawDate(t *rapid.T, name string) ledger.Date {
	return ledger.Date(rapid.Int32Range(int32(ledger.DateMin), int32(ledger.DateMax)).Draw(t, name))
}

func drawMinutes(t *rapid.T, name string) ledger.Minutes {
	return ledger.Minutes(rapid.Int64Range(1, int64(ledger.ClaimMinutesMax)).Draw(t, name))
}

func drawClaimFacts(t *rapid.T) policy.ClaimFacts {
	yes := func(name string) bool { return rapid.Bool().Draw(t, name) }
	f := policy.ClaimFacts{
		Age:              rapid.IntRange(0, 120).Draw(t, "age"),
		OrganizationKind: rapid.SampledFrom(ledger.OrganizationKinds).Draw(t, "kind"),
		Service:          rapid.SampledFrom([]string{"", "TALK", "MED-ACC", "助餐·送餐"}).Draw(t, "service"),
		Minutes:          drawMinutes(t, "minutes"), ClockMinutes: drawMinutes(t, "clock") - 1,
		ServedOn: drawDate(t, "served on"), Today: drawDate(t, "today"),
		CheckedInOut: yes("checked"), BeneficiaryConfirmed: yes("confirmed"), SheetOnFile: yes("sheet"), TwoPersons: yes("two"),
		SecondApprover: yes("second"), AuthorityApproved: yes("authority"), Remote: yes("remote"), GuardianConsent: yes("guardian"),
		Class:     rapid.SampledFrom([]string{"", "volunteering", "meeting"}).Draw(t, "class"),
		Emergency: rapid.IntRange(0, ledger.EmergencyLevelMax).Draw(t, "emergency"),
		Past: policy.Past{CareOnDay: drawMinutes(t, "care") - 1, YouthOnDay: drawMinutes(t, "youth") - 1, MinutesOnDay: drawMinutes(t, "served") - 1,
			CareStored: ledger.Minutes(rapid.Int64Range(-5000, 100_000).Draw(t, "stored"))},
	}
	if yes("has chosen") {
		f.Chosen = []string{rapid.SampledFrom([]string{"donate", "credit", "keep"}).Draw(t, "chosen")}
	}
	if yes("has a role") {
		f.Roles = rapid.SliceOfNDistinct(rapid.SampledFrom(ledger.VolunteerRoles), 1, 3, rapid.ID).Draw(t, "roles")
	}
	return f
}

// backAndForth writes a value, reads it and writes it again: the value and the text must be the same.
func backAndForth[T any](t *rapid.T, v T) {
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back T
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatalf("reading %s: %v", text, err)
	}
	if diff := cmp.Diff(v, back); diff != "" {
		t.Fatalf("%s reads back as another value (-want +got):\n%s", text, diff)
	}
	if again, err := json.Marshal(back); err != nil || string(again) != string(text) {
		t.Fatalf("%s is written again as %s, %v", text, again, err)
	}
}

func TestClaimFacts_and_steps_read_back(t *testing.T) {
	t.Parallel()
	r := shipped(t)
	rapid.Check(t, func(t *rapid.T) {
		f := drawClaimFacts(t)
		backAndForth(t, f)
		if d, err := r.Decide(f); err == nil {
			backAndForth(t, d.Steps)
		}
	})
}

func TestHoldFacts_and_steps_read_back(t *testing.T) {
	t.Parallel()
	r := shipped(t)
	rapid.Check(t, func(t *rapid.T) {
		f := policy.HoldFacts{Age: rapid.IntRange(0, 120).Draw(t, "age"), Minutes: drawMinutes(t, "minutes"),
			Available: drawMinutes(t, "available"), Today: drawDate(t, "today"), Service: "TALK"}
		backAndForth(t, f)
		if d, err := r.Hold(f); err == nil {
			backAndForth(t, d.Steps)
		}
	})
}

// The leaf commits to these very bytes: they never change for the same facts.
func TestRecorded_text_is_frozen(t *testing.T) {
	t.Parallel()
	f := policy.ClaimFacts{Age: 70, Roles: []ledger.VolunteerRole{"professional"}, OrganizationKind: "hospital", Service: "TALK", Minutes: 540,
		ClockMinutes: 545, ServedOn: 20517, Today: 20518, CheckedInOut: true, SheetOnFile: true, TwoPersons: true, SecondApprover: true,
		Past: policy.Past{CareOnDay: 30}}
	d, err := shipped(t).Decide(f)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		value any
		want  string
	}{
		{"claim", f, `{"age":70,"roles":["professional"],"organization_kind":"hospital","service":"TALK","minutes":540,"clock_minutes":545,` +
			`"checked_in_out":true,"beneficiary_confirmed":false,"sheet_on_file":true,"two_persons":true,"second_approver":true,"care_on_day":30,"youth_on_day":0,` +
			`"served_on":"2026-03-05","today":"2026-03-06"}`},
		{"hold", policy.HoldFacts{Age: 70, Minutes: 60, Available: 90, Today: 20517, Service: "TALK"},
			`{"age":70,"minutes":60,"available":90,"service":"TALK","today":"2026-03-05"}`},
		{"steps", d.Steps, `[{"rule":"grade-b","effect":"graded","in":540,"out":540},` +
			`{"rule":"care-credit","effect":"applied","unit":"care","in":540,"out":540,"rate":"1/1"},` +
			`{"rule":"care-day-cap","effect":"limited","unit":"care","in":540,"out":450,"before":30}]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := json.Marshal(tt.value); err != nil || string(got) != tt.want {
				t.Errorf("Marshal = %s, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestRecorded_facts_that_are_not_ours_are_refused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"age":70,"served_on":"2026-03-05","today":"2026-03-05","wealth":1}`,
		`{"age":70,"served_on":"2026-02-30","today":"2026-03-05"}`,
		`{"age":70,"served_on":"2026-03-05"}`,
		`{"age":"70","served_on":"2026-03-05","today":"2026-03-05"}`,
		`{"age":70.5,"served_on":"2026-03-05","today":"2026-03-05"}`,
		`[]`,
	} {
		var f policy.ClaimFacts
		if err := json.Unmarshal([]byte(text), &f); err == nil {
			t.Errorf("Unmarshal(%s) = %+v, want an error", text, f)
		}
	}
	var h policy.HoldFacts
	for _, text := range []string{`{"today":"x"}`, `{"age":70}`, `{"age":70,"today":"2026-03-05","clock":1}`} {
		if err := json.Unmarshal([]byte(text), &h); err == nil {
			t.Errorf("Unmarshal(%s) = %+v, want an error", text, h)
		}
	}
}

package policy_test

import (
	"testing"

	"timebank/policy"
)

func TestNearly_tells_what_was_missed(t *testing.T) {
	t.Parallel()
	r := shipped(t)
	shown := facts(60)
	for _, tt := range []struct {
		name   string
		change func(*policy.ClaimFacts)
		want   map[string]string // by rule, in words
	}{
		{"a sheet and nothing else is near no better grade", func(*policy.ClaimFacts) {}, map[string]string{
			"grade-b": "nearly: Signed in and out, recorded and approved by two persons: it asks for checked_in_out, which was not so (rule grade-b)"}},
		{"signed in and out, without the person helped", func(f *policy.ClaimFacts) { f.CheckedInOut = true }, map[string]string{
			"grade-a": "nearly: Signed in and out, confirmed by the person helped, recorded and approved by two persons: it asks for beneficiary_confirmed, which was not so (rule grade-a)"}},
		{"a year over the age of the record", func(f *policy.ClaimFacts) { f.Age = 25 }, map[string]string{"grade-b": "",
			"youth-record": "nearly: Volunteers under 25 build a youth service record that counts in study and work: it asks for age < 25, and age is 25 (rule youth-record)"}},
		{"half an hour short of a long day", func(f *policy.ClaimFacts) { f.MinutesOnDay = 390 }, map[string]string{"grade-b": "",
			"over-eight-hours": "nearly: More than 8 hours in one day need a second approver, except in emergencies: it asks for minutes_on_day + minutes > 480, and minutes_on_day + minutes is 450 (rule over-eight-hours)"}},
		{"two years short of the age of credit is near it, but as one of two ways it is not told", func(f *policy.ClaimFacts) { f.Age = 23 }, map[string]string{"grade-b": ""}},
		{"the last tenth of the day", func(f *policy.ClaimFacts) { f.CareOnDay = 380 }, map[string]string{"grade-b": "",
			"care-day-cap": "nearly: At most 8 hours of care credit for one day: 7 h 20 min of 8 h are used, 40 min are left (rule care-day-cap)"}},
		{"a tenth and a minute", func(f *policy.ClaimFacts) { f.CareOnDay = 371 }, map[string]string{"grade-b": ""}},
		{"nearly too late, and not by a second approver's grace", func(f *policy.ClaimFacts) { f.Today += 14 }, map[string]string{"grade-b": "",
			"within-ten-working-days": "nearly: Hours are posted within ten working days after the activity; later only with a second approver: it asks for working_days_late > 10, and working_days_late is 10 (rule within-ten-working-days)"}},
		{"a second approver saved it", func(f *policy.ClaimFacts) { f.Today, f.SecondApprover = f.Today+17, true }, map[string]string{"grade-b": "",
			"within-ten-working-days": "nearly: Hours are posted within ten working days after the activity; later only with a second approver: it asks for !second_approver, which was not so (rule within-ten-working-days)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := shown
			tt.change(&f)
			near, err := r.Nearly(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range near {
				want, ok := tt.want[n.Rule]
				if got := r.NearWords(n, policy.English); !ok || want != "" && got != want {
					t.Errorf("near is %q, want %q", got, want)
				}
				if r.NearWords(n, policy.Chinese) == "" {
					t.Errorf("nothing is told of %s in Chinese", n.Rule)
				}
			}
			if len(near) != len(tt.want) {
				t.Errorf("%d rules are near, want %d: %+v", len(near), len(tt.want), near)
			}
		})
	}
}

package policy_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"timebank/ledger"
	"timebank/policy"
)

func facts(minutes ledger.Minutes) policy.ClaimFacts {
	return policy.ClaimFacts{Age: 70, OrganizationKind: "hospital", Minutes: minutes, ServedOn: 20000, Today: 20000, SheetOnFile: true, TwoPersons: true}
}

// earnedInParts sums what a volunteer earns by claims made one after the other on one day.
func earnedInParts(t *rapid.T, r *policy.Rules, f policy.ClaimFacts, parts []ledger.Minutes) map[ledger.Unit]ledger.Minutes {
	earned := map[ledger.Unit]ledger.Minutes{}
	care, youth := f.CareOnDay, f.YouthOnDay
	for _, m := range parts {
		f.Minutes, f.CareOnDay, f.YouthOnDay = m, care+earned[ledger.Care], youth+earned[ledger.Youth]
		d, err := r.Decide(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range d.Earned {
			earned[e.Unit] += e.Minutes
		}
	}
	return earned
}

// Sets with rates that leave rests, with limits and without; none refuses by the amount.
func setsToSplit(t *testing.T) (sets []*policy.Rules) {
	t.Helper()
	for _, rate := range []string{"1/1", "4/5", "2/3", "7/4", "1/60", "1000/999"} {
		for _, most := range []string{"0", "1", "480", "1440"} {
			source := strings.NewReplacer("rate: 1/1", "rate: "+rate, "most: 480", "most: "+most, "minutes > clock_minutes + 60", "false").
				Replace(string(policy.Shipped()))
			r, err := policy.Parse([]byte(source))
			if err != nil {
				t.Fatal(err)
			}
			sets = append(sets, r)
		}
	}
	return sets
}

// A claim split into any parts never earns more than the whole, whatever else is true of it.
func TestDecide_gives_nothing_for_splitting_a_claim(t *testing.T) {
	t.Parallel()
	sets := setsToSplit(t)
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.SampledFrom(sets).Draw(t, "set")
		f := drawClaimFacts(t)
		parts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ledger.Minutes {
			return ledger.Minutes(rapid.Int64Range(1, 240).Draw(t, "minutes"))
		}), 1, 6).Draw(t, "parts")
		var whole ledger.Minutes
		for _, m := range parts {
			whole += m
		}
		atOnce := earnedInParts(t, r, f, []ledger.Minutes{whole})
		for unit, m := range earnedInParts(t, r, f, parts) {
			if m > atOnce[unit] {
				t.Fatalf("%v earn %d of %s, %d at once earn %d", parts, m, unit, whole, atOnce[unit])
			}
		}
	})
}

// Nobody earns above a limit, and no step gives more than it was given, whatever the facts.
func TestDecide_keeps_to_its_limits(t *testing.T) {
	t.Parallel()
	r := shipped(t)
	rapid.Check(t, func(t *rapid.T) {
		f := drawClaimFacts(t)
		d, err := r.Decide(f)
		if err != nil {
			return
		}
		seen := map[ledger.Unit]bool{}
		for _, e := range d.Earned {
			if e.Unit == ledger.Service || seen[e.Unit] || e.Minutes < 1 || e.Minutes > f.Minutes {
				t.Fatalf("%d minutes earn %+v", f.Minutes, d.Earned)
			}
			seen[e.Unit] = true
			if e.Unit == ledger.Care && f.CareOnDay+e.Minutes > 480 {
				t.Fatalf("%d minutes on top of %d earn %d", f.Minutes, f.CareOnDay, e.Minutes)
			}
		}
		for _, s := range d.Steps {
			if s.Out > s.In || s.Out < 0 || r.Words(s, policy.English) == "" || r.Words(s, policy.Chinese) == "" {
				t.Fatalf("step %+v", s)
			}
		}
	})
}

// One rule set decides for many at once, and always the same.
func TestDecide_is_the_same_for_all_at_once(t *testing.T) {
	t.Parallel()
	r := other(t)
	rapid.Check(t, func(t *rapid.T) {
		f := drawClaimFacts(t)
		want, wantErr := r.Decide(f)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				got, err := r.Decide(f)
				if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (wantErr == nil) {
					t.Errorf("decided at once, it is %v (-want +got):\n%s", err, diff)
				}
			})
		}
		all.Wait()
	})
}

// What rounding left is told, unless a limit cut deeper.
func TestDecide_tells_the_rest(t *testing.T) {
	t.Parallel()
	r := other(t)
	for _, tt := range []struct {
		name          string
		minutes, want ledger.Minutes
		rest          int64
	}{
		{"61 minutes at 7/4 are 106 and three quarters", 61, 106, 3},
		{"60 minutes at 7/4 are 105", 60, 105, 0},
		{"69 minutes would be 120 and three quarters, and 120 is the most", 69, 120, 3},
		{"70 minutes would be 122 and a half, and 120 is the most", 70, 120, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := r.Decide(policy.ClaimFacts{Age: 40, Minutes: tt.minutes, ServedOn: 20000, Today: 20000})
			want := []policy.Earning{{Unit: ledger.Care, Minutes: tt.want, Rule: "seven-for-four", Rate: ledger.Rate{Num: 7, Den: 4}, Rest: tt.rest}}
			if diff := cmp.Diff(want, d.Earned); diff != "" || err != nil {
				t.Errorf("Decide: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestWords_tell_the_arithmetic_in_both_languages(t *testing.T) {
	t.Parallel()
	r := shipped(t)
	f := facts(540)
	f.CareOnDay = 30
	d, err := r.Decide(f)
	if err != nil {
		t.Fatal(err)
	}
	f.SheetOnFile = false
	withheld, err := r.Decide(f)
	if err != nil {
		t.Fatal(err)
	}
	held, err := r.Hold(policy.HoldFacts{Age: 70, Minutes: 60, Available: 60})
	if err != nil {
		t.Fatal(err)
	}
	steps := append(append(d.Steps[1:], withheld.Steps[2]), held.Steps...)
	want := []struct{ en, zh string }{
		{"An hour served is an hour of care credit: 9 h × 1/1 = 9 h of care credit (rule care-credit)",
			"服务一小时，存入一小时养老服务时间：9 小时 × 1/1 = 养老服务时间 9 小时（规则 care-credit）"},
		{"At most 8 hours of care credit for one day: 30 min were given for this day before, so 9 h become 7 h 30 min (rule care-day-cap)",
			"每日最多计 8 小时养老服务时间：当日此前已计 30 分，因此 9 小时 计为 7 小时 30 分（规则 care-day-cap）"},
		{"An organization's bare word is recorded as service but earns nothing: 9 h of care credit are not given (rule evidence-needed)",
			"仅凭组织单方说明的服务予以记录，但不产生激励：养老服务时间 9 小时不计入（规则 evidence-needed）"},
		{"Care credit can be redeemed from the age of 60 (rule redeemable-from-60)", "年满 60 周岁可兑换养老服务（规则 redeemable-from-60）"},
	}
	if len(steps) != len(want) {
		t.Fatalf("%d steps, want %d: %+v", len(steps), len(want), steps)
	}
	for i, w := range want {
		if got := r.Words(steps[i], policy.English); got != w.en {
			t.Errorf("Words = %q, want %q", got, w.en)
		}
		if got := r.Words(steps[i], policy.Chinese); got != w.zh {
			t.Errorf("Words = %q, want %q", got, w.zh)
		}
	}
}

func TestChoose_gives_the_latest_set_that_has_begun(t *testing.T) {
	t.Parallel()
	first := shipped(t)
	later, err := policy.Parse([]byte(strings.Replace(string(policy.Shipped()), `"2000-01-01"`, `"2030-01-01"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for on, want := range map[string]*policy.Rules{
		"1999-12-31": nil, "2000-01-01": first, "2029-12-31": first, "2030-01-01": later, "2199-12-31": later,
	} {
		day, err := ledger.ParseDate(on)
		if err != nil {
			t.Fatal(err)
		}
		for _, sets := range [][]*policy.Rules{{first, later}, {later, first}} {
			got, err := policy.Choose(sets, day)
			if got != want || (err != nil) != (want == nil) {
				t.Errorf("Choose(%s) = %v, %v, want %v", on, got, err, want)
			}
			var refusal *ledger.Refusal
			if err != nil && (!errors.As(err, &refusal) || refusal.Code != "no_rules") {
				t.Errorf("Choose(%s) = %v, want the refusal no_rules", on, err)
			}
		}
	}
}

func TestRedeemable_is_what_a_hold_says(t *testing.T) {
	t.Parallel()
	for _, r := range []*policy.Rules{shipped(t), other(t)} {
		for age := range 121 {
			_, err := r.Hold(policy.HoldFacts{Age: age, Minutes: 60, Available: 90, Service: "TALK"})
			if r.Redeemable(age) != (err == nil) {
				t.Errorf("%s: at %d Redeemable = %t, Hold = %v", r.ID(), age, r.Redeemable(age), err)
			}
		}
	}
}

func TestEvidenceFacts(t *testing.T) {
	t.Parallel()
	at := ledger.Clock(540)
	tests := []struct {
		name                                string
		evidence                            ledger.Evidence
		inOut, confirmed, sheet, twoPersons bool
	}{
		{"nothing shown is nothing", ledger.Evidence{}, false, false, false, false},
		{"signed in alone is not in and out", ledger.Evidence{CheckIn: &at}, false, false, false, false},
		{"signed in and out", ledger.Evidence{CheckIn: &at, CheckOut: &at}, true, false, false, false},
		{"confirmed", ledger.Evidence{Beneficiary: true}, false, true, false, false},
		{"a sheet", ledger.Evidence{Sheet: "4"}, false, false, true, false},
		{"two persons", ledger.Evidence{Recorder: "a", Approver: "b"}, false, false, false, true},
		{"the same person twice is one", ledger.Evidence{Recorder: "a", Approver: "a"}, false, false, false, false},
		{"only a recorder is one", ledger.Evidence{Recorder: "a"}, false, false, false, false},
		{"only an approver is one", ledger.Evidence{Approver: "a"}, false, false, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inOut, confirmed, sheet, two := policy.EvidenceFacts(tt.evidence)
			if inOut != tt.inOut || confirmed != tt.confirmed || sheet != tt.sheet || two != tt.twoPersons {
				t.Errorf("EvidenceFacts = %t, %t, %t, %t, want %t, %t, %t, %t", inOut, confirmed, sheet, two,
					tt.inOut, tt.confirmed, tt.sheet, tt.twoPersons)
			}
		})
	}
}

func TestRules_tell_of_themselves(t *testing.T) {
	t.Parallel()
	r, o := shipped(t), other(t)
	if r.ID() != "shipped-2026" || r.EffectiveFrom().String() != "2000-01-01" || r.Shortfall() != policy.Owed ||
		r.Title(policy.English) == "" || r.Title(policy.Chinese) == r.Title(policy.English) {
		t.Errorf("the shipped set is %s %q from %s, %s", r.ID(), r.Title(policy.English), r.EffectiveFrom(), r.Shortfall())
	}
	if o.Shortfall() != policy.WrittenOff {
		t.Errorf("the other set's shortfall is %s, want %s", o.Shortfall(), policy.WrittenOff)
	}
	r.Source()[0], policy.Shipped()[0] = 'X', 'X'
	if again := shipped(t); r.Hash() != again.Hash() || string(r.Source()) != string(policy.Shipped()) || r.Hash() == o.Hash() {
		t.Error("who changes what Source and Shipped gave changes the set")
	}
}

func BenchmarkDecide(b *testing.B) {
	r := shipped(b)
	f := facts(540)
	for b.Loop() {
		if _, err := r.Decide(f); err != nil {
			b.Fatal(err)
		}
	}
}

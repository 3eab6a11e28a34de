package policy_test

import (
	"errors"
	"regexp"
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

// earnedInParts sums what a volunteer earns by claims made one after the other on one day, with the past
// that a tally keeps.
func earnedInParts(t *rapid.T, r *policy.Rules, f policy.ClaimFacts, parts []ledger.Minutes) policy.Earned {
	var tally policy.Tally
	tally.Move(f.CareStored)
	var sum policy.Earned
	for _, m := range parts {
		f.Minutes, f.Past = m, tally.Past(r, f.ServedOn)
		d, err := r.Decide(f)
		if err != nil {
			t.Fatal(err)
		}
		tally.Serve(r, f, d.Earned)
		sum.Care, sum.Pooled, sum.Youth = sum.Care+d.Earned.Care, sum.Pooled+d.Earned.Pooled, sum.Youth+d.Earned.Youth
		sum.CareLeft, sum.YouthLeft = sum.CareLeft+d.Earned.CareLeft, sum.YouthLeft+d.Earned.YouthLeft
	}
	return sum
}

// Sets with rates and steps that leave rests, and with limits; they refuse nothing.
func setsToSplit(t *testing.T) (sets []*policy.Rules) {
	t.Helper()
	refusals := regexp.MustCompile(`(?s)\nrefuse:\n.*?\n# What a claim earns[^\n]*`)
	shipped := refusals.ReplaceAllString(string(policy.Shipped()), "\n")
	for _, rate := range []string{"1/1", "4/5", "2/3", "7/4", "1/60", "1000/999"} {
		for _, step := range []string{"1", "30", "60"} {
			for _, most := range []string{"0", "1", "480", "1440"} {
				source := strings.NewReplacer("rate: 1/1", "rate: "+rate+"\n    step: "+step, "most: 480", "most: "+most, "most: 90000", "most: 600").Replace(shipped)
				r, err := policy.Parse([]byte(source))
				if err != nil {
					t.Fatal(err)
				}
				sets = append(sets, r)
			}
		}
	}
	return sets
}

// A claim earns the same however it is split, down to what rounding leaves, whatever else is true of it.
func TestDecide_gives_the_same_for_any_splitting_of_a_claim(t *testing.T) {
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
		atOnce, inParts := earnedInParts(t, r, f, []ledger.Minutes{whole}), earnedInParts(t, r, f, parts)
		if diff := cmp.Diff(atOnce, inParts); diff != "" {
			t.Fatalf("%v earn otherwise than %d at once (-at once +in parts):\n%s", parts, whole, diff)
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
		e := d.Earned
		if min(e.Care, e.Pooled, e.Youth) < 0 || e.Care+e.Pooled > f.Minutes || e.Youth > f.Minutes || e.Care+e.Pooled > 0 && e.Youth > 0 {
			t.Fatalf("%d minutes earn %+v", f.Minutes, e)
		}
		if e.Care+e.Pooled > max(0, 480-f.CareOnDay) || e.Care > max(0, 90_000-f.CareStored) {
			t.Fatalf("%d minutes on top of %+v earn %+v", f.Minutes, f.Past, e)
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

// What rounding leaves is carried to the next claim, and told.
func TestDecide_carries_what_rounding_leaves(t *testing.T) {
	t.Parallel()
	r := other(t)
	for _, tt := range []struct {
		name    string
		minutes ledger.Minutes
		carried int64
		want    policy.Earned
		words   string
	}{
		{"61 minutes at 7/4 are 106 and three quarters", 61, 0, policy.Earned{Care: 106, CareLeft: 3},
			"1 h 01 min × 7/4 = 1 h 46 min of care credit, and 3/4 min are left for the next claim"},
		{"60 minutes at 7/4 are 105", 60, 0, policy.Earned{Care: 105}, "1 h × 7/4 = 1 h 45 min of care credit"},
		{"a quarter was left, so 61 minutes are 107", 61, 1, policy.Earned{Care: 107, CareLeft: -1},
			"1 h 01 min × 7/4 + 1/4 min left before = 1 h 47 min of care credit"},
		{"a correction took back what rounding had lent", 15, -109, policy.Earned{CareLeft: 105},
			"15 min × 7/4 + −27 1/4 min left before = 0 min of care credit, and −1 min are left for the next claim"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := r.Decide(policy.ClaimFacts{Age: 40, Minutes: tt.minutes, ServedOn: 20000, Today: 20000, Past: policy.Past{CareCarried: tt.carried}})
			if diff := cmp.Diff(tt.want, d.Earned); diff != "" || err != nil {
				t.Fatalf("Decide: %v (-want +got):\n%s", err, diff)
			}
			if words := r.Words(d.Steps[1], policy.English); !strings.Contains(words, ": "+tt.words+" (rule") {
				t.Errorf("Words = %q, want %q", words, tt.words)
			}
		})
	}
}

func TestWords_tell_the_arithmetic_in_both_languages(t *testing.T) {
	t.Parallel()
	r := shipped(t)
	f := facts(540)
	f.CareOnDay, f.SecondApprover = 30, true
	d, err := r.Decide(f)
	if err != nil {
		t.Fatal(err)
	}
	f.SheetOnFile = false
	withheld, err := r.Decide(f)
	if err != nil {
		t.Fatal(err)
	}
	held, err := r.Hold(policy.HoldFacts{Age: 70, Minutes: 60, Available: 60, Service: "TALK"})
	if err != nil {
		t.Fatal(err)
	}
	steps := append(append(d.Steps[1:], withheld.Steps[2]), held.Steps[0])
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

func TestEvidence_comes_to_facts(t *testing.T) {
	t.Parallel()
	at := ledger.Clock(540)
	two := ledger.Evidence{Recorder: "a", Approver: "b"}
	with := func(e ledger.Evidence, second, authority string) ledger.Evidence {
		e.SecondApprover, e.Authority = second, authority
		return e
	}
	tests := []struct {
		name     string
		evidence ledger.Evidence
		want     policy.ClaimFacts
	}{
		{"nothing shown is nothing", ledger.Evidence{}, policy.ClaimFacts{}},
		{"signed in alone is not in and out", ledger.Evidence{CheckIn: &at}, policy.ClaimFacts{}},
		{"signed in and out", ledger.Evidence{CheckIn: &at, CheckOut: &at}, policy.ClaimFacts{CheckedInOut: true}},
		{"confirmed", ledger.Evidence{Beneficiary: true}, policy.ClaimFacts{BeneficiaryConfirmed: true}},
		{"a sheet", ledger.Evidence{Sheet: "4"}, policy.ClaimFacts{SheetOnFile: true}},
		{"from afar", ledger.Evidence{Remote: true}, policy.ClaimFacts{Remote: true}},
		{"two persons", two, policy.ClaimFacts{TwoPersons: true}},
		{"the same person twice is one", ledger.Evidence{Recorder: "a", Approver: "a"}, policy.ClaimFacts{}},
		{"only a recorder is one", ledger.Evidence{Recorder: "a"}, policy.ClaimFacts{}},
		{"only an approver is one", ledger.Evidence{Approver: "a"}, policy.ClaimFacts{}},
		{"a third person", with(two, "c", ""), policy.ClaimFacts{TwoPersons: true, SecondApprover: true}},
		{"the recorder is no third person", with(two, "a", ""), policy.ClaimFacts{TwoPersons: true}},
		{"the approver is no third person", with(two, "b", ""), policy.ClaimFacts{TwoPersons: true}},
		{"a second approver of one person's word", with(ledger.Evidence{Recorder: "a"}, "c", ""), policy.ClaimFacts{SecondApprover: true}},
		{"the one person is no second approver", with(ledger.Evidence{Recorder: "a"}, "a", ""), policy.ClaimFacts{}},
		{"the authority", with(two, "c", "d"), policy.ClaimFacts{TwoPersons: true, SecondApprover: true, AuthorityApproved: true}},
		{"the authority without a second approver", with(two, "", "d"), policy.ClaimFacts{TwoPersons: true, AuthorityApproved: true}},
		{"the second approver is not the authority", with(two, "c", "c"), policy.ClaimFacts{TwoPersons: true, SecondApprover: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got policy.ClaimFacts
			got.Show(tt.evidence)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Show (-want +got):\n%s", diff)
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
	f.SecondApprover = true
	for b.Loop() {
		if _, err := r.Decide(f); err != nil {
			b.Fatal(err)
		}
	}
}

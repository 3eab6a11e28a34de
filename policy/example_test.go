package policy_test

import (
	"fmt"

	"timebank/ledger"
	"timebank/policy"
)

// Nine hours in one day of somebody of 70, on a signed sheet that two persons answer for.
func ExampleRules_Decide() {
	rules, err := policy.Parse(policy.Shipped())
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := rules.Decide(policy.ClaimFacts{Age: 70, Minutes: 540, ServedOn: 20517, Today: 20517, SheetOnFile: true,
		TwoPersons: true, SecondApprover: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range d.Steps {
		fmt.Println(rules.Words(s, policy.English))
	}
	fmt.Println("grade", d.Grade, "earns", d.Earned.Care, "of", ledger.Care)
	// Output:
	// A signed sheet is on file, recorded and approved by two persons (rule grade-c)
	// An hour served is an hour of care credit: 9 h × 1/1 = 9 h of care credit (rule care-credit)
	// At most 8 hours of care credit for one day: 0 min were given for this day before, so 9 h become 8 h (rule care-day-cap)
	// grade C earns 8 h of care
}

// Credit is redeemable from 60.
func ExampleRules_Hold() {
	rules, err := policy.Parse(policy.Shipped())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, age := range []int{59, 60} {
		_, err := rules.Hold(policy.HoldFacts{Age: age, Minutes: 60, Available: 60, Service: "TALK"})
		fmt.Println(age, err)
	}
	// Output:
	// 59 Care credit can be redeemed from the age of 60 / 年满 60 周岁可兑换养老服务
	// 60 <nil>
}

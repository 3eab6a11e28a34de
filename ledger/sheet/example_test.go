package sheet_test

import (
	"fmt"

	"timebank/ledger/sheet"
)

// Half an hour more than one, in a sheet that counts in hours.
func ExampleRead() {
	profile, err := sheet.ParseProfile([]byte(`
columns: {volunteer: Member, date: Day, amount: Hours}
dates: [D.M.YYYY]
amount: {unit: decimal_hours}
activity: {default: Visits}
evidence: {kind: list}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	rows, err := sheet.Read([]byte("Member,Day,Hours\nv7,5.3.2026,1.5\nv8,31.4.2026,1\n"), profile)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range rows {
		if r.Problem != nil {
			fmt.Println(r.Number, r.Problem.Code)
			continue
		}
		fmt.Println(r.Number, r.Volunteer, r.Claim.ServedOn, r.Claim.Minutes)
	}
	// Output:
	// 1 v7 2026-03-05 1 h 30 min
	// 2 date_malformed
}

package city_test

import (
	"fmt"

	"timebank/cmd/timebank/city"
)

func ExampleGenerate() {
	c, sheet := city.Generate(city.Seed)
	fmt.Println(len(c.Organizations), "organizations and", len(c.Volunteers), "volunteers in", city.District)
	for _, a := range sheet.Key() {
		if a.Planted == city.NoSuchDay {
			fmt.Printf("row %d, of %s, is to be %s: %s\n", a.Row, sheet.Rows[a.Row-1].Date, a.Outcome, a.Code)
			break
		}
	}
	// Output:
	// 12 organizations and 300 volunteers in 清河市云泽区
	// row 1389, of 昨天, is to be refused: date_malformed
}

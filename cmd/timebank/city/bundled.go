package city

import (
	_ "embed" // the bundled sheet
	"encoding/json"
)

// Seed makes the bundled district.
const Seed = 2026

// Bundled is the sheet that comes with the program: what Generate(Seed) gives.
//
//go:embed bundled/shifts.csv
var Bundled []byte

// Answers is the answer key of the bundled sheet: for each row what must become of it.
//
//go:embed bundled/answers.json
var Answers []byte

// AnswerJSON gives the answer key of a sheet.
func (s Sheet) AnswerJSON() ([]byte, error) {
	answers := make([]Answer, len(s.Rows))
	for i, r := range s.Rows {
		answers[i] = r.Want
	}
	return json.MarshalIndent(answers, "", " ")
}

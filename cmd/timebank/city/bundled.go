package city

import _ "embed" // the bundled district

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

// BundledCity is who takes part in the bundled district, for readers without the generator.
//
//go:embed bundled/city.json
var BundledCity []byte

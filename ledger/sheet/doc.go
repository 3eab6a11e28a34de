// Package sheet reads what organizations really have, CSV in UTF-8 or GB18030 and XLSX, under a profile
// that says which column is what, and gives a row of claims for each row of the file.
//
// It is pure: bytes in, rows out. Its invariants:
//
//   - Every row of the file gives exactly one [Row], readable or not: nothing is lost on the way.
//   - Amounts are read exactly, as rational numbers, and rounded to the minute by the profile's rule.
//   - The same file gives the same rows with the same keys, always.
package sheet

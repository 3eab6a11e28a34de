// Package ledger holds the nouns of a time bank and their arithmetic: minutes, civil dates, units,
// accounts, postings, drafts and entries, and the claims from which they come.
//
// It is pure: it does no I/O, reads no clock and knows no database. Its invariants:
//
//   - The only quantity is an integer number of [Minutes]; there is no money and no fraction.
//   - A [Draft] is not recorded; an [Entry] is, and never changes.
//   - The postings of a draft sum to zero in each [Unit] ([Draft.Check] is the only door).
//   - The service record and credit are different units: what happened is never multiplied or spent.
//
// All values may be shared between goroutines; nothing here changes after it was made.
package ledger

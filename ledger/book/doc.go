// Package book keeps the ledger in PostgreSQL; it holds every SQL query of the project.
//
// All writes take turns. Callers from many requests are gathered into a batch, which runs in one transaction (commit.go):
//
//	lock      pg_advisory_xact_lock: writers of all processes take turns, before the first snapshot
//	prefetch  set-based: answers, accounts with balances, facts, for all commands at once
//	decide    in memory, in order; each command sees what the ones before it did
//	record    set-based: entries, postings with running balances, hashes, answers
//
// Hours and redemptions are decided before, on what is known, and one statement takes the lock, sees that nothing was recorded
// meanwhile, and records (ahead.go).
//
// Its invariants, each enforced here and a second time by a named constraint or trigger of the schema:
//
//   - seq numbers entries from 0 without gaps, in commit order, and is the index of the entry's leaf.
//   - The postings of an entry sum to zero in each unit; only contra accounts have negative balances.
//   - One effect per idempotency key, for ever; a refusal stays a refusal under its key.
//   - Nothing is updated or deleted.
//
// A *Book may be used by any number of goroutines, and several processes may share one database.
package book

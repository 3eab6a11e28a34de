// Package translog turns entries into the leaves of a transparency log and checks such logs: leaf text,
// Merkle hashes, checkpoints and proofs.
//
// The tree is that of RFC 6962, kept as golang.org/x/mod/sumdb/tlog keeps it; checkpoints are those of
// C2SP tlog-checkpoint, signed as C2SP signed notes. There is no tree code of our own. The package is
// pure. Its invariants:
//
//   - Two different entries never have the same leaf text, and one entry has exactly one.
//   - [ParseLeaf] accepts exactly what [Leaf] writes: formatting what was parsed gives the same bytes.
package translog

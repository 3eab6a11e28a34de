// Package migrations holds the schema of a book as numbered SQL files, forward only. A file that was
// released is never edited; schema.txt shows what all of them come to.
package migrations

import "embed"

// Files are the migrations in the order of their names.
//
//go:embed *.sql
var Files embed.FS

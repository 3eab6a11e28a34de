package book

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"timebank/migrations"
)

// Migrate brings the schema of the book at dsn, a login that owns the schema, to this version. A
// migration that was killed half-way left nothing; a second Migrate goes on where the first ended.
func Migrate(ctx context.Context, dsn string) error {
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return fmt.Errorf("opening the database to migrate: %w", err)
	}
	defer db.Close()
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return fmt.Errorf("preparing the migration lock: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Files, goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	return nil
}

// schemaVersion is the number of the newest migration this program knows.
var schemaVersion = func() int {
	files, err := fs.Glob(migrations.Files, "*.sql") // in the order of their names
	if err != nil {
		panic(err) // a literal pattern
	}
	n, err := strconv.Atoi(files[len(files)-1][:5])
	if err != nil {
		panic(err) // our own files
	}
	return n
}()

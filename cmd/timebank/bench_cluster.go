package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"timebank/ledger/book"
	"timebank/ledger/localpg"
)

// benchCluster is the PostgreSQL that pgbench and the books of a run stand on, each in a database of its own. One book is
// served at a time.
type benchCluster struct {
	dir   string
	with  map[string]string // settings of PostgreSQL that are not its defaults
	talk  io.Writer
	pg    *localpg.Server
	bound *benchBank // whose book is served
}

func (c *benchCluster) start(ctx context.Context) (err error) {
	c.pg, err = localpg.Start(ctx, localpg.Config{Dir: c.dir, Fsync: true, Output: c.talk, Settings: c.with})
	return err
}

// stop ends the server of the book that is served, and PostgreSQL.
func (c *benchCluster) stop(ctx context.Context) error {
	return errors.Join(c.serve(ctx, nil), c.pg.Stop(context.WithoutCancel(ctx)))
}

// serve lets one book be served instead of another; nil is none.
func (c *benchCluster) serve(ctx context.Context, b *benchBank) error {
	if c.bound == b {
		return nil
	}
	if left := c.bound; left != nil {
		c.bound = nil
		if err := left.stop(ctx); err != nil {
			return err
		}
	}
	if b == nil {
		return nil
	}
	if err := b.start(ctx); err != nil {
		return err
	}
	c.bound = b
	return nil
}

// warmUp is how long claims are posted to a book whose turn it is, before it is measured: ten thousand take a second or two.
const warmUp = 2 * time.Second

// add makes a database for a book that will have so many entries, and serves it.
func (c *benchCluster) add(ctx context.Context, size int, rules string) (*benchBank, error) {
	name := fmt.Sprintf("%s_%d", localpg.Database, size)
	if err := withSuperuser(c.pg, "postgres", func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, fmt.Sprintf("CREATE DATABASE %s OWNER %s", name, localpg.OwnerRole))
		return err
	}); err != nil {
		return nil, err
	}
	if err := book.Migrate(ctx, c.pg.URL(localpg.OwnerRole, name)); err != nil {
		return nil, err
	}
	dir := filepath.Join(c.dir, fmt.Sprintf("book-%d", size))
	b := &benchBank{settings: settings{data: dir, zone: "Asia/Shanghai", origin: "timebank.example/bench", firstRules: rules},
		cluster: c, database: name, plan: filepath.Join(dir, "plan.json"), talk: c.talk, next: map[loadFamily]int{}}
	return b, c.serve(ctx, b)
}

// turnTo serves a book whose turn it is to be measured, and lets its server see the volunteers, as one has that runs for a
// while.
func (c *benchCluster) turnTo(ctx context.Context, b *benchBank) error {
	if c.bound == b {
		return nil
	}
	if err := c.serve(ctx, b); err != nil {
		return err
	}
	_, err := b.load(ctx, loadBatches, 4, warmUp)
	return err
}

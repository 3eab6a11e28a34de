package localpg

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// prepare finds the data folder, or makes it at the first time, and the binaries that can read it.
func (s *Server) prepare(ctx context.Context) error {
	var err error
	if s.home, err = s.place(); err != nil {
		return err
	}
	s.data = filepath.Join(s.home, "pgdata")
	version, err := readUpTo(filepath.Join(s.data, "PG_VERSION"), smallBytesMax)
	switch {
	case err == nil:
		s.bin, err = findBin(strings.TrimSpace(string(version)))
		return err
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("reading the version of the data: %w", err)
	}
	// An unfinished folder never has this name, so what is there is somebody's and not ours to clear.
	if err := os.Remove(s.data); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is not a data folder of PostgreSQL: move it away: %w", s.data, err)
	}
	return s.initialize(ctx)
}

// initialize makes the data folder. It is made beside its place and then moved there, so that one that
// was killed half-way is not taken for a whole one. Each try has its own name, since an initdb that
// outlived its owner may still be writing.
func (s *Server) initialize(ctx context.Context) error {
	old, _ := filepath.Glob(s.data + ".half-*") // the pattern is well formed; what is missed only takes room
	for _, dir := range old {
		_ = os.RemoveAll(dir) // it only takes room
	}
	half, err := os.MkdirTemp(s.home, "pgdata.half-")
	if err != nil {
		return fmt.Errorf("making a data folder: %w", err)
	}
	if err := s.who.makeFor(half); err != nil {
		return err
	}
	args := []string{"-D", half, "-U", Superuser, "-E", "UTF8", "--locale=C", "--auth-local=trust", "--auth-host=reject"}
	if !s.cfg.Fsync {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"), args...)
	s.who.apply(cmd)
	cmd.Dir = s.home
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // with its children
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("making a data folder with initdb: %w\n%s", err, out), os.RemoveAll(half))
	}
	if err := os.Rename(half, s.data); err != nil {
		return fmt.Errorf("putting the data folder in its place: %w", err)
	}
	return syncDir(s.home)
}

// syncDir makes a rename in a folder survive a crash of the machine.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("syncing a folder: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("syncing a folder: %w", err)
	}
	return nil
}

// provision makes the roles and the database that are missing.
func (s *Server) provision(ctx context.Context) error {
	db, err := sql.Open("postgres", s.URL(Superuser, "postgres"))
	if err != nil {
		return fmt.Errorf("making roles: %w", err)
	}
	defer db.Close()
	const roles = `
		DO $$ BEGIN
			IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'timebank_owner') THEN
				CREATE ROLE timebank_owner LOGIN CREATEDB CREATEROLE;
			END IF;
			IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'timebank_service') THEN
				CREATE ROLE timebank_service LOGIN;
			END IF;
		END $$`
	if _, err := db.ExecContext(ctx, roles); err != nil {
		return fmt.Errorf("making roles: %w", err)
	}
	const known = `SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = 'timebank')`
	var has bool
	if err := db.QueryRowContext(ctx, known).Scan(&has); err != nil {
		return fmt.Errorf("looking for the database: %w", err)
	}
	if has {
		return nil
	}
	if _, err := db.ExecContext(ctx, `CREATE DATABASE timebank OWNER timebank_owner`); err != nil {
		return fmt.Errorf("making the database: %w", err)
	}
	return nil
}

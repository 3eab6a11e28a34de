package main

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"timebank/ledger/book"
	"timebank/ledger/localpg"
	"timebank/ledger/witness"
	"timebank/policy"
)

// settings are what every command that opens a book may be told.
type settings struct {
	data           string
	zone           string
	origin         string
	acceptDataLoss bool
	fresh          bool // throw away what the private database holds
	firstRules     string
	witnesses      string            // file
	postgresql     map[string]string // settings of the private server that are not its defaults
}

const defaultOrigin = "timebank.example/qinghe-yunze"

const databaseVariable = "TIMEBANK_DATABASE_URL"

func (s *settings) flags(cmd *cobra.Command, data string) {
	cmd.Flags().StringVar(&s.data, "data", data, "folder of keys and, without "+databaseVariable+", of the private PostgreSQL")
	cmd.Flags().StringVar(&s.zone, "zone", "Asia/Shanghai", "time zone of the book's place")
	cmd.Flags().StringVar(&s.origin, "origin", defaultOrigin, "name of the log, first line of its checkpoints; never change it")
	cmd.Flags().BoolVar(&s.acceptDataLoss, "accept-data-loss", false, "serve although PostgreSQL is set so that a crash loses entries")
}

// rulesFlag lets a new book begin with a rule set of the city's own.
func (s *settings) rulesFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.firstRules, "first-rules", "", "file, or name of a preset, with the first rule set of a new book, instead of the shipped one")
}

// readRules reads the rule set that a new book begins with.
func (s *settings) readRules() ([]byte, error) {
	if s.firstRules == "" {
		return policy.Shipped(), nil
	}
	source, err := ruleSource(s.firstRules)
	if err != nil {
		return nil, misuse("--first-rules: %w", err)
	}
	if _, err := policy.Parse(source); err != nil {
		return nil, misuse("--first-rules: %s: %w", s.firstRules, err)
	}
	return source, nil
}

// readWitnesses reads who cosigns checkpoints.
func (s *settings) readWitnesses() (*witness.Group, error) {
	if s.witnesses == "" {
		return nil, nil //nolint:nilnil // no witnesses are no group
	}
	text, err := os.ReadFile(s.witnesses)
	if err != nil {
		return nil, misuse("--witnesses: %w", err)
	}
	g, err := witness.ParseGroup(string(text))
	if err != nil {
		return nil, misuse("--witnesses: %s: %w", s.witnesses, err)
	}
	return g, nil
}

// instance is an open book with what it stands on.
type instance struct {
	*book.Book
	firstRules []byte          // for a book that has none
	pg         *localpg.Server // nil when the database is not ours
	tokenKey   ed25519.PrivateKey
}

// open opens the book of the settings. The database is the one that TIMEBANK_DATABASE_URL names, or a
// private one, which is migrated first.
func (s *settings) open(ctx context.Context, talk io.Writer) (*instance, error) {
	zone, err := time.LoadLocation(s.zone)
	if err != nil {
		return nil, misuse("--zone: %w", err)
	}
	i := &instance{}
	if i.firstRules, err = s.readRules(); err != nil {
		return nil, err
	}
	witnesses, err := s.readWitnesses()
	if err != nil {
		return nil, err
	}
	service := os.Getenv(databaseVariable)
	if service == "" {
		if i.pg, service, err = s.private(ctx, talk); err != nil {
			return nil, err
		}
	}
	secrets := filepath.Join(s.data, keysFolder)
	if err := os.MkdirAll(s.data, 0o700); err != nil {
		return nil, i.failed(ctx, fmt.Errorf("making the data folder: %w", err))
	}
	keys, err := book.LoadKeys(secrets, s.origin)
	if err != nil {
		return nil, i.failed(ctx, err)
	}
	i.tokenKey = keys.Token
	i.Book, err = book.Open(ctx, book.Config{Service: service, Zone: zone, Origin: s.origin, Keys: keys,
		CheckpointFile: filepath.Join(s.data, checkpointFile), Witnesses: witnesses, AcceptDataLoss: s.acceptDataLoss})
	if err != nil {
		return nil, i.failed(ctx, err)
	}
	return i, nil
}

// private starts the private server and migrates its database.
func (s *settings) private(ctx context.Context, talk io.Writer) (*localpg.Server, string, error) {
	fmt.Fprintf(talk, "%s is not set: starting a private PostgreSQL in %s\n", databaseVariable, s.data)
	pg, err := localpg.Start(ctx, localpg.Config{Dir: s.data, Fsync: true, Output: talk, Settings: s.postgresql})
	if err != nil {
		return nil, "", err
	}
	if s.fresh {
		if err := s.reset(ctx, pg); err != nil {
			return nil, "", errors.Join(err, pg.Stop(ctx))
		}
	}
	if err := book.Migrate(ctx, pg.URL(localpg.OwnerRole, localpg.Database)); err != nil {
		return nil, "", errors.Join(err, pg.Stop(ctx))
	}
	return pg, pg.URL(localpg.ServiceRole, localpg.Database), nil
}

// reset throws the private database away, with the checkpoint that was kept of it.
func (s *settings) reset(ctx context.Context, pg *localpg.Server) error {
	db, err := sql.Open("postgres", pg.URL(localpg.Superuser, "postgres"))
	if err != nil {
		return fmt.Errorf("clearing the database: %w", err)
	}
	defer db.Close()
	for _, statement := range []string{"DROP DATABASE IF EXISTS timebank WITH (FORCE)", "CREATE DATABASE timebank OWNER timebank_owner"} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("clearing the database: %w", err)
		}
	}
	if err := os.Remove(filepath.Join(s.data, checkpointFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("clearing the checkpoint: %w", err)
	}
	return nil
}

// keysFolder is where the keys are, below the data folder.
const keysFolder = "keys"

// checkpointFile keeps the last signed checkpoint outside the database.
const checkpointFile = "checkpoint"

// failed ends what was started already and gives err.
func (i *instance) failed(ctx context.Context, err error) error {
	return errors.Join(err, i.close(ctx))
}

// close lets go of the book and ends the private server. It does so also when ctx has ended.
func (i *instance) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	var errs []error
	if i.Book != nil {
		errs = append(errs, i.Book.Close())
	}
	if i.pg != nil {
		errs = append(errs, i.pg.Stop(ctx))
	}
	return errors.Join(errs...)
}

// during runs what needs the book's turns to be taken, and ends them afterwards: when ctx ends, what do has begun
// is still recorded.
func (i *instance) during(ctx context.Context, do func(ctx context.Context) error) error {
	taking, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- i.Run(taking)
		cancel() // without the book there is nothing to go on with
	}()
	err := do(ctx)
	end()
	if runErr := <-ended; runErr != nil { // the book's own end is why the rest ended
		return runErr
	}
	return err
}

// watch cancels when the private server ends by itself, with the reason as cause.
func (i *instance) watch(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if i.pg != nil {
		go func() {
			select {
			case <-i.pg.Done():
				cancel(i.pg.Err())
			case <-ctx.Done():
			}
		}()
	}
	return ctx, cancel
}

// withBook opens a book, runs do, and closes it.
func (s *settings) withBook(cmd *cobra.Command, do func(ctx context.Context, i *instance) error) (err error) {
	ctx := cmd.Context()
	i, err := s.open(ctx, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.close(ctx)) }()
	return do(ctx, i)
}

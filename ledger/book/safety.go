package book

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/lib/pq"
)

// withParameters adds parameters of the connection to a DSN of either form; one that is named there already stays.
func withParameters(dsn string, parameters ...string) string {
	for _, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		switch {
		case strings.Contains(dsn, name+"="):
		case !strings.Contains(dsn, "://"):
			dsn += " " + name + "='" + value + "'"
		case strings.Contains(dsn, "?"):
			dsn += "&" + name + "=" + url.QueryEscape(value)
		default:
			dsn += "?" + name + "=" + url.QueryEscape(value)
		}
	}
	return dsn
}

// checkServer refuses a server on which an acknowledged entry could be lost, a login that could change
// history, and a schema of another version.
func (b *Book) checkServer(ctx context.Context) error {
	const settings = `
		SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
		       current_setting('synchronous_commit') AS synchronous_commit, pg_is_in_recovery() AS standby,
		       current_setting('server_encoding') AS server_encoding`
	var s struct {
		Fsync             string `db:"fsync"`
		FullPageWrites    string `db:"full_page_writes"`
		SynchronousCommit string `db:"synchronous_commit"`
		Standby           bool   `db:"standby"`
		ServerEncoding    string `db:"server_encoding"`
	}
	if err := b.db.GetContext(ctx, &s, settings); err != nil {
		return fmt.Errorf("asking the server for its settings: %w", err)
	}
	var faults []error
	if !b.cfg.AcceptDataLoss {
		for _, x := range []struct{ name, value string }{
			{"fsync", s.Fsync}, {"full_page_writes", s.FullPageWrites}, {"synchronous_commit", s.SynchronousCommit},
		} {
			if x.value == "off" {
				faults = append(faults, fmt.Errorf("the server runs with %s=off and could lose what was acknowledged", x.name))
			}
		}
	}
	if s.Standby {
		faults = append(faults, errors.New("the server is a standby: name the primary"))
	}
	if s.ServerEncoding != "UTF8" {
		faults = append(faults, fmt.Errorf("the database is encoded in %s, not in UTF8", s.ServerEncoding))
	}
	var isolation string
	if err := b.writer.GetContext(ctx, &isolation, `SHOW transaction_isolation`); err != nil {
		return fmt.Errorf("asking the server for the writer's isolation: %w", err)
	}
	if isolation != "read committed" {
		faults = append(faults, fmt.Errorf("the address of the database asks for transactions that are %s: the writer needs read committed", isolation))
	}
	return errors.Join(append(faults, b.checkSchema(ctx))...)
}

func (b *Book) checkSchema(ctx context.Context) error {
	v, err := b.schemaVersion(ctx)
	if err != nil {
		return fmt.Errorf("asking for the schema's version (was it migrated?): %w", err)
	}
	// A newer schema is fine: migrations leave the version before them working.
	if v < schemaVersion {
		return fmt.Errorf("the schema is of version %d, this program needs %d: run timebank migrate", v, schemaVersion)
	}
	const mayChange = `
		SELECT has_table_privilege(current_user, 'entry', 'UPDATE') OR has_table_privilege(current_user, 'entry', 'DELETE')
		    OR has_table_privilege(current_user, 'posting', 'UPDATE') OR has_table_privilege(current_user, 'entry', 'TRUNCATE')`
	var may bool
	if err := b.db.GetContext(ctx, &may, mayChange); err != nil {
		return fmt.Errorf("asking what the login may do: %w", err)
	}
	if may {
		return errors.New("the service's login may change the ledger: use one that was only granted timebank_service")
	}
	return nil
}

func (b *Book) schemaVersion(ctx context.Context) (int, error) {
	var v int
	err := b.db.GetContext(ctx, &v, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`)
	return v, err
}

// Unavailable reports whether an error says that the database cannot be reached or takes no work now: what
// was asked may be asked again, under the same key.
func Unavailable(err error) bool {
	var network *net.OpError
	var pe *pq.Error
	switch {
	case errors.Is(err, ErrBusy), errors.Is(err, context.DeadlineExceeded), errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &network):
		return true
	case errors.As(err, &pe):
		switch pe.Code.Class() {
		case "08", "53", "57", classRolledBack: // connection lost, too few resources, shut down by somebody
			return true
		}
	}
	return false
}

// classRolledBack is of what PostgreSQL undid because of others: a deadlock, or a snapshot that was too old.
const classRolledBack = "40"

func rolledBack(err error) bool {
	var pe *pq.Error
	return errors.As(err, &pe) && pe.Code.Class() == classRolledBack
}

// Readiness is what /readyz tells.
type Readiness struct {
	SchemaVersion  int
	LogSize        int64
	CheckpointSize int64
	CheckpointAge  time.Duration // how long the oldest entry without a checkpoint has waited; 0 when none waits
}

// Ready asks whether the book can be written and how far its log is signed.
func (b *Book) Ready(ctx context.Context) (Readiness, error) {
	var r Readiness
	tx, err := b.db.BeginTxx(ctx, nil)
	if err != nil {
		return r, fmt.Errorf("reaching the database: %w", err)
	}
	defer tx.Rollback()
	if r.SchemaVersion, err = b.schemaVersion(ctx); err != nil {
		return r, fmt.Errorf("reading the schema's version: %w", err)
	}
	const sizes = `
		SELECT coalesce((SELECT max(seq) + 1 FROM entry), 0) AS log_size,
		       coalesce((SELECT max(size) FROM checkpoint), 0) AS checkpoint_size,
		       coalesce(extract(epoch FROM clock_timestamp() - (SELECT recorded FROM entry
		           WHERE seq = coalesce((SELECT max(size) FROM checkpoint), 0)))::bigint, 0) AS seconds,
		       pg_is_in_recovery() AS standby`
	var s struct {
		LogSize        int64 `db:"log_size"`
		CheckpointSize int64 `db:"checkpoint_size"`
		Seconds        int64 `db:"seconds"`
		Standby        bool  `db:"standby"`
	}
	if err := tx.GetContext(ctx, &s, sizes); err != nil {
		return r, fmt.Errorf("reading the log's size: %w", err)
	}
	r.LogSize, r.CheckpointSize, r.CheckpointAge = s.LogSize, s.CheckpointSize, time.Duration(s.Seconds)*time.Second
	if s.Standby {
		return r, errors.New("the database is a standby and cannot be written")
	}
	return r, nil
}

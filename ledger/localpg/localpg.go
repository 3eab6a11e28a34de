package localpg

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"sync"
	"syscall"
	"time"

	_ "github.com/lib/pq" // to ask whether the server answers
)

// Config says where the private server keeps its data and how careful it is.
type Config struct {
	Dir      string            // folder of the server: data, output, lock; made 0700 when it is missing
	Fsync    bool              // false only for tests: a crash of the machine may lose data
	Output   io.Writer         // told, in a line, what is worth knowing; nil is nobody
	Settings map[string]string // further settings of PostgreSQL
}

const (
	startWait = 60 * time.Second // recovery after a crash included
	stopWait  = 20 * time.Second
	// socketBytesMax is below what the kernels allow for a socket's path, with the socket's own name.
	socketBytesMax = 80
	port           = "5432" // only a part of the socket's name: nothing listens on TCP
)

// The logins of a private server.
const (
	Superuser   = "postgres"         // for tests that tamper
	OwnerRole   = "timebank_owner"   // owns the databases and migrates them
	ServiceRole = "timebank_service" // may do what migrations grant
	Database    = "timebank"
)

// Server is a running private server.
type Server struct {
	cfg    Config
	bin    string
	home   string // where data and socket are: Dir, or where the user of the server may go
	cmd    *exec.Cmd
	lock   *os.File
	done   chan struct{}
	mu     sync.Mutex
	err    error
	asked  bool // somebody asked it to stop
	socket string
}

// Start starts the server in cfg.Dir, making its data folder at the first time, and waits until it
// answers. ctx bounds the start only; Stop ends the server.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	bin, err := FindBin()
	if err != nil {
		return nil, err
	}
	if cfg.Output == nil {
		cfg.Output = io.Discard
	}
	if cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return nil, fmt.Errorf("finding the folder of the server: %w", err)
	}
	s := &Server{cfg: cfg, bin: bin, done: make(chan struct{})}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the server: %w", err)
	}
	if s.lock, err = own(cfg.Dir); err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.lock.Close())
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) error {
	who, err := runAs()
	if err != nil {
		return err
	}
	if s.home, err = s.place(who); err != nil {
		return err
	}
	data := filepath.Join(s.home, "pgdata")
	if err := endOrphan(data); err != nil {
		return err
	}
	if err := s.initialize(ctx, who, data); err != nil {
		return err
	}
	if err := s.launch(who, data); err != nil {
		return err
	}
	if err := s.await(ctx); err != nil {
		s.kill()
		return err
	}
	if err := s.provision(ctx); err != nil {
		s.kill()
		return err
	}
	return nil
}

// initialize makes the data folder. It is made beside its place and then moved there, so that one that
// was killed half-way is not taken for a whole one.
func (s *Server) initialize(ctx context.Context, who *account, data string) error {
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); err == nil {
		return nil
	}
	half := data + ".half"
	if err := errors.Join(os.RemoveAll(half), os.RemoveAll(data)); err != nil {
		return fmt.Errorf("clearing a data folder that was never finished: %w", err)
	}
	args := []string{"-D", half, "-U", Superuser, "-E", "UTF8", "--locale=C", "-A", "trust"}
	if !s.cfg.Fsync {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"), args...)
	who.apply(cmd)
	cmd.Dir = s.home
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("making a data folder with initdb: %w\n%s", err, out)
	}
	if err := os.Rename(half, data); err != nil {
		return fmt.Errorf("putting the data folder in its place: %w", err)
	}
	return nil
}

// launch starts postgres, which ends with this process: a server without its owner would hold the
// folder for nobody.
func (s *Server) launch(who *account, data string) error {
	var err error
	if s.socket, err = s.socketDir(who); err != nil {
		return err
	}
	output, err := os.OpenFile(filepath.Join(s.cfg.Dir, "postgres.output"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening the server's output: %w", err)
	}
	defer output.Close() // the server has its own copy
	s.cmd = exec.Command(filepath.Join(s.bin, "postgres"), s.arguments(data)...)
	who.apply(s.cmd)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.home, output, output
	started := make(chan error, 1)
	go s.run(started)
	if err := <-started; err != nil {
		return fmt.Errorf("starting postgres: %w", err)
	}
	return nil
}

func (s *Server) arguments(data string) []string {
	settings := map[string]string{
		"listen_addresses": "", "port": port, "unix_socket_directories": s.socket, "unix_socket_permissions": "0700",
		"timezone": "UTC", "max_connections": "100",
	}
	if !s.cfg.Fsync {
		settings["fsync"], settings["synchronous_commit"], settings["full_page_writes"] = "off", "off", "off"
	}
	if os.Geteuid() == 0 { // the server runs as another user, and we connect as root
		settings["unix_socket_permissions"] = "0777"
	}
	for name, value := range s.cfg.Settings {
		settings[name] = value
	}
	names := make([]string, 0, len(settings))
	for name := range settings {
		names = append(names, name)
	}
	sort.Strings(names)
	args := []string{"-D", data}
	for _, name := range names {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}

// run holds one thread for the life of the server: the kernel ends the server when that thread ends.
func (s *Server) run(started chan<- error) {
	lockThread()
	err := s.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	err = s.cmd.Wait()
	s.mu.Lock()
	if !s.asked {
		s.err = fmt.Errorf("PostgreSQL ended by itself (%v); its output is in %s", err, filepath.Join(s.cfg.Dir, "postgres.output"))
	}
	s.mu.Unlock()
	close(s.done)
}

// await waits until the server answers.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	db, err := sql.Open("postgres", s.URL(Superuser, "postgres"))
	if err != nil {
		return fmt.Errorf("waiting for PostgreSQL: %w", err)
	}
	defer db.Close()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-s.done:
			return errors.Join(s.Err(), fmt.Errorf("PostgreSQL did not start: %w", err))
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL did not answer in %s: %w", startWait, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
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
	var has bool
	if err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = 'timebank')`).Scan(&has); err != nil || has {
		return err
	}
	if _, err := db.ExecContext(ctx, `CREATE DATABASE timebank OWNER timebank_owner`); err != nil {
		return fmt.Errorf("making the database: %w", err)
	}
	return nil
}

// URL gives the connection string of a role to a database of the server.
func (s *Server) URL(role, database string) string {
	return fmt.Sprintf("host=%s port=%s user=%s dbname=%s sslmode=disable", s.socket, port, role, database)
}

// Bin gives the folder of the server's binaries.
func (s *Server) Bin() string { return s.bin }

// Done is closed when the server has ended, asked or not.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err tells why the server ended when nobody asked it to.
func (s *Server) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Stop ends the server cleanly, in haste when ctx ends first, and gives the folder free.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.asked = true
	s.mu.Unlock()
	defer s.lock.Close()
	s.signal(syscall.SIGINT) // a fast shutdown: sessions are ended, everything is written
	select {
	case <-s.done:
	case <-ctx.Done():
		s.kill()
	case <-time.After(stopWait):
		s.kill()
	}
	return s.Err()
}

// kill ends the server at once; the next start recovers.
func (s *Server) kill() {
	s.mu.Lock()
	s.asked = true
	s.mu.Unlock()
	s.signal(syscall.SIGQUIT)
	select {
	case <-s.done:
	case <-time.After(5 * time.Second):
		s.signal(syscall.SIGKILL)
		<-s.done
	}
}

func (s *Server) signal(sig syscall.Signal) {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(sig) // it may have ended already, which done tells
	}
}

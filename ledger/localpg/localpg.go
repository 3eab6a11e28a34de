package localpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// Config says where the private server keeps its data and how careful it is.
type Config struct {
	Dir      string            // folder of the server: data, socket, output, lock; made 0700 when it is missing
	Fsync    bool              // false only for tests: a crash of the machine may lose data
	Output   io.Writer         // told, in a line, what is worth knowing; nil is nobody. The server's own output is in Dir/postgres.output
	Settings map[string]string // further settings of PostgreSQL
}

// The logins and the database of a private server.
const (
	Superuser   = "postgres"         // for tests that tamper
	OwnerRole   = "timebank_owner"   // owns the databases and migrates them
	ServiceRole = "timebank_service" // may do what migrations grant
	Database    = "timebank"
)

// Server is a running private server. Its methods may be called concurrently.
type Server struct {
	cfg    Config
	bin    string
	who    *account // as whom it runs
	home   string   // folder of data and socket: Dir, or one that its user can reach
	data   string
	socket string // folder of the socket
	leave  string // folder made for the socket alone, removed at the end
	cmd    *exec.Cmd
	done   chan struct{}

	mu    sync.Mutex
	held  []*os.File // locks
	asked bool       // somebody asked it to end
	err   error
}

// Start starts the server in cfg.Dir, making its data folder at the first time, and waits until it
// answers. ctx bounds the start only; Stop ends the server.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	s := &Server{cfg: cfg, done: make(chan struct{})}
	if s.cfg.Output == nil {
		s.cfg.Output = io.Discard
	}
	var err error
	if s.bin, err = FindBin(); err != nil {
		return nil, err
	}
	if s.who, err = runAs(); err != nil {
		return nil, err
	}
	if s.cfg.Dir, err = ownFolder(cfg.Dir); err != nil {
		return nil, err
	}
	lock, err := own(s.cfg.Dir)
	if err != nil {
		return nil, err
	}
	s.held = append(s.held, lock)
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.release())
	}
	return s, nil
}

// ownFolder makes the folder and gives the one path that all its names lead to.
func ownFolder(dir string) (string, error) {
	if dir == "" {
		return "", errors.New("no folder is named for the server")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("making the folder of the server: %w", err)
	}
	dir, err := filepath.EvalSymlinks(dir)
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return "", fmt.Errorf("finding the folder of the server: %w", err)
	}
	return dir, nil
}

func (s *Server) start(ctx context.Context) error {
	err := s.prepare(ctx)
	if err != nil {
		return err
	}
	if err := endLeft(ctx, s.data); err != nil {
		return err
	}
	if s.socket, err = s.socketDir(); err != nil {
		return err
	}
	if err := s.launch(); err != nil {
		return err
	}
	if err = s.await(ctx); err == nil {
		err = s.provision(ctx)
	}
	if err != nil {
		s.endInHaste()
	}
	return err
}

// release gives the folder free for another owner.
func (s *Server) release() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	if s.leave != "" {
		errs = append(errs, os.RemoveAll(s.leave))
	}
	for _, f := range s.held {
		errs = append(errs, f.Close())
	}
	s.held, s.leave = nil, ""
	return errors.Join(errs...)
}

func (s *Server) tell(format string, args ...any) {
	fmt.Fprintf(s.cfg.Output, format+"\n", args...) // that nobody hears it harms nothing
}

// URL gives the connection string of a role to a database of the server.
func (s *Server) URL(role, database string) string {
	quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	return fmt.Sprintf("host='%s' port=%s user='%s' dbname='%s' sslmode=disable",
		quote.Replace(s.socket), port, quote.Replace(role), quote.Replace(database))
}

// Bin gives the folder of the server's binaries; pgbench and pg_dump are there too.
func (s *Server) Bin() string { return s.bin }

// Done is closed when the server has ended, asked or not.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err tells why the server ended when nobody asked it to, and is nil otherwise.
func (s *Server) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// URI gives the connection string in the form of a URI without its scheme, which pgbench and pg_dump take.
func (s *Server) URI(role, database string) string {
	return fmt.Sprintf("%s@/%s?host=%s&port=%s", role, database, url.QueryEscape(s.socket), port)
}

package localpg

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/lib/pq"
)

// ownerVariable makes this test binary an owner that waits to be killed.
const ownerVariable = "LOCALPG_TEST_OWNER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerVariable); dir != "" {
		if err := ownUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// ownUntilKilled starts a server, commits a row, says so, and waits.
func ownUntilKilled(dir string) error {
	s, err := Start(context.Background(), Config{Dir: dir, Fsync: true})
	if err != nil {
		return err
	}
	db, err := sql.Open("postgres", s.URL(OwnerRole, Database))
	if err != nil {
		return err
	}
	if _, err := db.Exec(`CREATE TABLE kept AS SELECT 90 AS minutes`); err != nil {
		return err
	}
	fmt.Println("ready")
	<-s.Done()
	return s.Err()
}

// folder gives an empty folder that is removed at the end. It is not t.TempDir, below which no other
// user, so no server started as root, can go.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "localpg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// start starts a server that is stopped at the end of the test.
func start(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := Start(bounded(t), cfg)
	if err != nil {
		t.Fatalf("Start(%+v): %v", cfg, err)
	}
	t.Cleanup(func() { _ = s.Stop(bounded(t)) }) // a test that cares for the error stops by itself
	return s
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Stop(bounded(t)); err != nil {
		t.Fatalf("Stop: %v", err)
	}
}

func query(t *testing.T, s *Server, role, statement string) string {
	t.Helper()
	db, err := sql.Open("postgres", s.URL(role, Database))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var answer string
	if err := db.QueryRow(statement).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return answer
}

func wantError(t *testing.T, err error, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("error = %v, want one that says %q", err, text)
		}
	}
}

// waitFor waits until a thing is so, for a bounded time.
func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	for range 3000 {
		if so() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("waited in vain for %s", what)
}

func halves(t *testing.T, dir, file string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "pgdata.half-*", file))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/rogpeppe/go-internal/testscript"

	"timebank/policy"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"timebank": main})
}

// The scripts of testdata/script run the real program. DATA is a folder that PostgreSQL's own user can
// reach, which the script's folder is not when the tests run as root.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			data, err := os.MkdirTemp("", "timebank-script-")
			if err != nil {
				return err
			}
			e.Defer(func() { _ = os.RemoveAll(data) }) // what is left is in the folder for temporary files
			if err := os.WriteFile(filepath.Join(e.WorkDir, "shipped.yaml"), policy.Shipped(), 0o600); err != nil {
				return err
			}
			e.Setenv("DATA", data)
			free, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			e.Setenv("ADDR", free.Addr().String())
			if err := free.Close(); err != nil {
				return err
			}
			e.Setenv("TIMEBANK_PG_BIN", os.Getenv("TIMEBANK_PG_BIN"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": status, "credentials": credentials, "ready": ready},
	})
}

// credentials NAME ROLE makes a client, and keeps its id in NAME and its secret in NAME_SECRET.
func credentials(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: credentials NAME role")
	}
	ts.Check(ts.Exec("timebank", "client", "create", "--role", args[1], "--data", ts.Getenv("DATA"), "--json"))
	var made issuedClient
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &made))
	ts.Setenv(args[0], made.ID)
	ts.Setenv(args[0]+"_SECRET", made.Secret)
}

// ready waits until a server answers at ADDR.
func ready(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: ready")
	}
	if !answers(context.Background(), "http://"+ts.Getenv("ADDR")) {
		ts.Fatalf("no server answers at %s", ts.Getenv("ADDR"))
	}
}

// answers waits until a server is ready, and is false when it never is.
func answers(ctx context.Context, base string) bool {
	c := newCaller(base, "")
	for range 300 {
		if c.get(ctx, "/readyz", nil) == nil {
			return true
		}
		time.Sleep(100 * time.Millisecond)
	}
	return false
}

// status N PROGRAM ARG… runs a program and demands its exit code.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N program argument...")
	}
	want, err := strconv.Atoi(args[0])
	if err != nil {
		ts.Fatalf("%q is not an exit code", args[0])
	}
	err = ts.Exec(args[1], args[2:]...)
	have := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		have = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("running %s: %v", args[1], err)
	}
	if have != want {
		ts.Fatalf("exit code %d, want %d", have, want)
	}
}

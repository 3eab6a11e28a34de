package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
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
			e.Setenv("DATA", data)
			e.Setenv("TIMEBANK_PG_BIN", os.Getenv("TIMEBANK_PG_BIN"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": status},
	})
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

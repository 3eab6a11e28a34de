// Command timebank is the time bank: its server, its demo, and the operator's and reader's commands.
// `timebank help` leads with examples; exit codes are 0 done, 1 failed, 2 misused, 3 verification failed,
// 4 the database is not the one that was signed.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // the book's time zone, also on a machine without zone files

	"timebank/ledger/book"
)

// The exit codes of every command.
const (
	exitDone   = 0
	exitFailed = 1
	exitMisuse = 2
	exitWrong  = 3 // a verification found something wrong
	exitLost   = 4 // the database does not continue what was signed: nothing is signed or written on it
)

func main() { os.Exit(run(os.Args[1:])) }

// run runs one command line and gives its exit code. A first interrupt ends it in order, a second at once.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	root := rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	fmt.Fprintln(os.Stderr, "timebank:", err)
	var coded *codedError
	if errors.As(err, &coded) {
		return coded.code
	}
	if errors.Is(err, book.ErrRolledBack) {
		return exitLost
	}
	return exitFailed
}

// codedError is an error with the exit code it deserves.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// misuse says that the command line makes no sense.
func misuse(format string, args ...any) error {
	return &codedError{exitMisuse, fmt.Errorf(format, args...)}
}

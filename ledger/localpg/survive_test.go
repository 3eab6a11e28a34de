package localpg

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestCrash_of_PostgreSQL_is_reported_and_recovered_from(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, Config{Dir: dir, Fsync: true})
	query(t, s, OwnerRole, `CREATE TABLE kept AS SELECT 90 AS minutes; SELECT 'made'`)
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Done():
	case <-time.After(30 * time.Second):
		t.Fatal("Done stays open though postgres was killed")
	}
	wantError(t, s.Err(), "ended by itself", "killed", "postgres.output")
	wantError(t, s.Stop(bounded(t)), "ended by itself")
	again := start(t, Config{Dir: dir, Fsync: true})
	if got := query(t, again, OwnerRole, `SELECT minutes FROM kept`); got != "90" {
		t.Errorf("minutes after recovery = %s, want 90", got)
	}
}

// The owner is this test binary, run once more; it is killed as by the kernel for lack of memory.
func TestCrash_of_the_owner_is_recovered_from(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), ownerVariable+"="+dir)
	owner.Stderr = os.Stderr
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if killed := owner.Process.Kill(); err != nil || killed != nil || line != "ready\n" {
		t.Fatalf("the owner said %q, %v, %v, want it ready", line, err, killed)
	}
	_ = owner.Wait() // it was killed
	s := start(t, Config{Dir: dir, Fsync: true})
	if got := query(t, s, OwnerRole, `SELECT minutes FROM kept`); got != "90" {
		t.Errorf("minutes after recovery = %s, want 90", got)
	}
}

// A server that outlives its owner is made by starting postgres by hand on the same folder.
func TestStart_ends_a_server_that_outlived_its_owner(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, Config{Dir: dir})
	query(t, s, OwnerRole, `CREATE TABLE kept AS SELECT 90 AS minutes; SELECT 'made'`)
	stop(t, s)
	left := exec.Command(filepath.Join(s.bin, "postgres"), s.arguments()...)
	s.who.apply(left)
	left.Dir = s.home
	if err := left.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- left.Wait() }()
	waitFor(t, "the server without an owner", func() bool { return postmasterPID(s.data) == left.Process.Pid && len(servers(s.data)) > 1 })
	again := start(t, Config{Dir: dir})
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Fatal("the server without an owner goes on")
	}
	if got := query(t, again, OwnerRole, `SELECT minutes FROM kept`); got != "90" {
		t.Errorf("minutes = %s, want 90", got)
	}
}

// After a restart of the machine the number in postmaster.pid may belong to any program, even to one of
// the server's user, and PostgreSQL would refuse to start beside it.
func TestStart_passes_over_another_program_with_the_number_of_the_old_server(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, Config{Dir: dir})
	stop(t, s)
	other := exec.Command("sleep", "300")
	s.who.apply(other)
	other.Dir = "/"
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Wait() }() // it was killed
	defer func() { _ = other.Process.Kill() }()
	stale := strconv.Itoa(other.Process.Pid) + "\n" + s.data + "\n"
	if err := os.WriteFile(filepath.Join(s.data, "postmaster.pid"), []byte(stale), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, Config{Dir: dir})
	if err := syscall.Kill(other.Process.Pid, 0); err != nil {
		t.Errorf("the other program was ended: %v", err)
	}
}

func TestStart_begins_anew_after_initdb_was_cut_off(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	ctx, cancel := context.WithCancel(bounded(t))
	ended := make(chan error, 1)
	go func() {
		_, err := Start(ctx, Config{Dir: dir})
		ended <- err
	}()
	waitFor(t, "a half-made data folder", func() bool { return len(halves(t, dir, "PG_VERSION")) > 0 })
	cancel()
	wantError(t, <-ended, "initdb")
	// One that was killed together with its owner leaves its folder.
	left := filepath.Join(dir, "pgdata.half-left")
	if err := os.MkdirAll(filepath.Join(left, "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	start(t, Config{Dir: dir})
	if left := halves(t, dir, ""); len(left) > 0 {
		t.Errorf("half-made folders %v are left", left)
	}
}

func TestStart_clears_nothing_that_is_not_its_own(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	letter := filepath.Join(dir, "pgdata", "letter.txt")
	if err := os.MkdirAll(filepath.Dir(letter), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(letter, []byte("dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(bounded(t), Config{Dir: dir})
	wantError(t, err, "not a data folder of PostgreSQL")
	if text, err := os.ReadFile(letter); err != nil || string(text) != "dear" {
		t.Errorf("the letter = %q, %v, want it untouched", text, err)
	}
}

// As root, the folder lies below one that the server's user cannot pass, as a checkout in root's home
// does; its data is then kept aside, and found again. As anybody else it stays where it is.
func TestStart_finds_its_data_again_below_a_closed_folder(t *testing.T) {
	temporary, dir := folder(t), filepath.Join(folder(t), "checkout", "data")
	if err := os.Chmod(temporary, 0o1777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", temporary)
	var said strings.Builder
	s := start(t, Config{Dir: dir, Output: &said})
	query(t, s, OwnerRole, `CREATE TABLE kept AS SELECT 90 AS minutes; SELECT 'made'`)
	stop(t, s)
	root := os.Geteuid() == 0
	if aside := strings.HasPrefix(s.data, temporary); aside != root || strings.Contains(said.String(), s.home) != root {
		t.Errorf("data in %s, said %q; want it aside, and said, only as root", s.data, said.String())
	}
	t.Setenv("TMPDIR", "/nowhere") // where it was kept is remembered
	again := start(t, Config{Dir: dir, Output: &said})
	if got := query(t, again, OwnerRole, `SELECT minutes FROM kept`); got != "90" {
		t.Errorf("minutes = %s, want 90", got)
	}
	stop(t, again)
	if err := os.RemoveAll(again.home); err != nil { // as a cleaner of temporary files does
		t.Fatal(err)
	}
	start(t, Config{Dir: dir, Output: &said})
	if gone := strings.Contains(said.String(), "is gone: beginning with an empty server"); gone != root {
		t.Errorf("said %q, want it to tell of the loss only as root", said.String())
	}
}

// Only root's server has a user of its own, who may be shut out; to anybody else it stays within reach.
func TestStart_does_not_forget_data_that_were_moved_out_of_reach(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, Config{Dir: dir})
	query(t, s, OwnerRole, `CREATE TABLE kept AS SELECT 90 AS minutes; SELECT 'made'`)
	stop(t, s)
	closed := filepath.Join(folder(t), "closed")
	if err := os.Rename(dir, closed); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		_, err := Start(bounded(t), Config{Dir: closed})
		wantError(t, err, "cannot reach its data in "+closed)
		if err := os.Chmod(filepath.Dir(closed), 0o711); err != nil {
			t.Fatal(err)
		}
	}
	again := start(t, Config{Dir: closed})
	if got := query(t, again, OwnerRole, `SELECT minutes FROM kept`); got != "90" {
		t.Errorf("minutes = %s, want 90", got)
	}
}

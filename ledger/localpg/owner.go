package localpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	leftWait        = 15 * time.Second // what an earlier run left has this long to end
	leftPatience    = 8 * time.Second  // after this it is killed
	pollPause       = 20 * time.Millisecond
	smallBytesMax   = 1 << 10 // of a file that holds a process's number
	cmdlineBytesMax = 1 << 20
)

// own takes the folder for this process, for as long as the file is open: the kernel gives it free when
// the process ends, however it ends.
func own(dir string) (*os.File, error) {
	path := filepath.Join(dir, "owner.lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of the folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		pid, _ := readUpTo(path, smallBytesMax) // for the message alone
		return nil, errors.Join(fmt.Errorf("the data folder %s is in use by process %s: stop it, or choose another folder",
			dir, bytes.TrimSpace(pid)), f.Close())
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("writing the lock of the folder: %w", err), f.Close())
	}
	return f, nil
}

// clusterName marks every process of the server on a data folder: PostgreSQL shows it in their command
// lines, which anybody may read, unlike their folders.
func clusterName(data string) string { return "timebank-" + digest(data) }

// endLeft ends a server of this data folder whose owner died: we hold the folder's lock, so nobody uses
// it. Workers that outlive their server are waited for, since the next one refuses to start beside them.
func endLeft(ctx context.Context, data string) error {
	kill, giveUp := time.After(leftPatience), time.After(leftWait)
	sig := syscall.SIGQUIT
	for {
		left := servers(data)
		if len(left) == 0 {
			return dropStale(data)
		}
		for _, pid := range left {
			if sig != 0 {
				_ = syscall.Kill(pid, sig) // it may have ended by itself
			}
		}
		sig = 0 // once is enough
		select {
		case <-ctx.Done():
			return fmt.Errorf("ending the processes %v that an earlier run left: %w", left, ctx.Err())
		case <-giveUp:
			return fmt.Errorf("the processes %v that an earlier run left on %s do not end", left, data)
		case <-kill:
			sig = syscall.SIGKILL
		case <-time.After(pollPause):
		}
	}
}

// servers gives the processes of a server on a data folder.
func servers(data string) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil || !hasProc() {
		return postmasterByPS(data)
	}
	mark := []byte(clusterName(data))
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || !isPostgres(pid) {
			continue
		}
		cmdline, err := readUpTo(fmt.Sprintf("/proc/%d/cmdline", pid), cmdlineBytesMax)
		if err == nil && bytes.Contains(cmdline, mark) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// postmasterByPS is for systems without /proc: the process that postmaster.pid names, when ps shows that
// it is a server on this folder.
func postmasterByPS(data string) []int {
	pid := postmasterPID(data)
	if pid == 0 {
		return nil
	}
	out, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil || !bytes.Contains(out, []byte(clusterName(data))) {
		return nil
	}
	return []int{pid}
}

// dropStale removes a postmaster.pid whose process is gone and whose number another program has got since:
// PostgreSQL would take that program for a server and refuse to start, for ever.
func dropStale(data string) error {
	pid := postmasterPID(data)
	if pid == 0 || !hasProc() || isPostgres(pid) {
		return nil
	}
	if err := os.Remove(filepath.Join(data, "postmaster.pid")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing the number of a server that is gone: %w", err)
	}
	return nil
}

// postmasterPID gives the process that postmaster.pid names, or 0.
func postmasterPID(data string) int {
	text, err := readUpTo(filepath.Join(data, "postmaster.pid"), smallBytesMax)
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 1 {
		return 0
	}
	return pid
}

func isPostgres(pid int) bool {
	name, err := readUpTo(fmt.Sprintf("/proc/%d/comm", pid), smallBytesMax)
	return err == nil && strings.TrimSpace(string(name)) == "postgres"
}

func hasProc() bool {
	_, err := os.Stat("/proc/self/comm")
	return err == nil
}

// readUpTo reads a small file, and no more than its bound of a large one.
func readUpTo(path string, bytesMax int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, bytesMax))
}

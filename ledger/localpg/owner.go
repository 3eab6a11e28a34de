package localpg

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
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
		pid, _ := os.ReadFile(path) // for the message alone
		return nil, errors.Join(fmt.Errorf("the data folder %s is in use by process %s: stop it, or choose another folder", dir,
			strings.TrimSpace(string(pid))), f.Close())
	}
	err = errors.Join(f.Truncate(0), f.Sync())
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("writing the lock of the folder: %w", err), f.Close())
	}
	return f, nil
}

// endOrphan ends a server of this data folder whose owner died: we hold the folder's lock, so nobody
// uses it. It makes sure that the process is a server of this very folder.
func endOrphan(data string) error {
	pid, ok := serverOf(data)
	if !ok {
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("ending the server %d that an earlier run left: %w", pid, err)
	}
	for range 500 {
		if _, ok := serverOf(data); !ok {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("the server %d that an earlier run left does not end", pid)
}

// serverOf gives the process that runs on a data folder: the one its postmaster.pid names, when it is
// alive and was started on that folder.
func serverOf(data string) (int, bool) {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return 0, false
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 1 || syscall.Kill(pid, 0) != nil {
		return 0, false
	}
	if cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil {
		return pid, strings.Contains(string(cmdline), data+"\x00")
	}
	return pid, !procExists() // without /proc, believe the file
}

func procExists() bool {
	_, err := os.Stat("/proc/self")
	return err == nil
}

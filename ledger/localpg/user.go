package localpg

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// account is the user as whom the server runs; nil is who we are.
type account struct {
	uid, gid uint32
	name     string
}

// runAs gives the user to drop to when we are root.
func runAs() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("reading the ids of user %s: %w", name, err)
		}
		return &account{uint32(uid), uint32(gid), name}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

// apply makes a command run as the account, in a process group of its own, so that a Ctrl-C in the
// terminal reaches us alone and we end the server in order. Variables made for other servers stay out.
func (a *account) apply(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if a != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "PG") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(cmd.Env, "LC_ALL=C", "TZ=UTC")
}

// reaches tries it, as that user: it runs the server's binary inside the folder.
func (a *account) reaches(bin, dir string) error {
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-V")
	a.apply(cmd)
	cmd.Dir = dir
	return cmd.Run()
}

// makeFor makes a folder that is the account's alone, or finds it so.
func (a *account) makeFor(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("making a folder for the server: %w", err)
	}
	if a == nil {
		return nil
	}
	if err := os.Lchown(dir, int(a.uid), int(a.gid)); err != nil {
		return fmt.Errorf("giving a folder to user %s: %w", a.name, err)
	}
	return nil
}

// admit lets the account pass through a folder of ours, without reading it.
func (a *account) admit(dir string) error {
	if a == nil {
		return nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("opening a folder to user %s: %w", a.name, err)
	}
	if err := os.Chown(dir, -1, int(a.gid)); err != nil {
		return fmt.Errorf("opening a folder to user %s: %w", a.name, err)
	}
	if err := os.Chmod(dir, info.Mode().Perm()&^0o070|0o010); err != nil {
		return fmt.Errorf("opening a folder to user %s: %w", a.name, err)
	}
	return nil
}

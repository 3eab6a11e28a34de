package localpg

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
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
// terminal reaches us alone and we end the server in order.
func (a *account) apply(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if a != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	endWithParent(cmd.SysProcAttr)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
}

// place gives a folder that the server's user can reach: the configured one or, when a folder above it
// is closed to that user (a checkout in root's home), one in the folder for temporary files that is
// always the same for the same configured folder.
func (s *Server) place(who *account) (string, error) {
	if who == nil {
		return s.cfg.Dir, nil
	}
	if err := os.Chown(s.cfg.Dir, int(who.uid), int(who.gid)); err != nil {
		return "", fmt.Errorf("giving the folder to user %s: %w", who.name, err)
	}
	if who.reaches(s.cfg.Dir) {
		return s.cfg.Dir, nil
	}
	sum := sha256.Sum256([]byte(s.cfg.Dir))
	aside := filepath.Join(os.TempDir(), "timebank-"+hex.EncodeToString(sum[:6]))
	if err := makeOwn(aside, who); err != nil {
		return "", err
	}
	if !who.reaches(aside) {
		return "", fmt.Errorf("user %s, as whom PostgreSQL runs, can reach neither %s nor %s: choose another folder", who.name, s.cfg.Dir, aside)
	}
	fmt.Fprintf(s.cfg.Output, "PostgreSQL runs as %s, who cannot reach %s: its data is in %s\n", who.name, s.cfg.Dir, aside)
	return aside, nil
}

// reaches tries it, as that user.
func (a *account) reaches(dir string) bool {
	cmd := exec.Command("test", "-w", dir)
	a.apply(cmd)
	cmd.Dir = "/"
	return cmd.Run() == nil
}

// makeOwn makes a folder that belongs to who, and refuses one that somebody else has put there.
func makeOwn(dir string, who *account) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("making %s: %w", dir, err)
	} else if err == nil && who != nil {
		if err := os.Chown(dir, int(who.uid), int(who.gid)); err != nil {
			return fmt.Errorf("giving %s to user %s: %w", dir, who.name, err)
		}
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("making %s: %w", dir, err)
	}
	owner := uint32(os.Geteuid())
	if who != nil {
		owner = who.uid
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || st.Uid != owner || info.Mode().Perm() != 0o700 {
		return fmt.Errorf("%s is there already and does not belong to the server: remove it", dir)
	}
	return nil
}

// socketDir gives a folder for the socket whose path is short enough for the kernel.
func (s *Server) socketDir(who *account) (string, error) {
	if len(s.home) <= socketBytesMax {
		return s.home, nil
	}
	sum := sha256.Sum256([]byte(s.home))
	dir := filepath.Join(os.TempDir(), "timebank-s-"+hex.EncodeToString(sum[:6]))
	return dir, makeOwn(dir, who)
}

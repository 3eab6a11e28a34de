package localpg

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	// socketBytesMax is below the 104 bytes that the strictest kernel takes for a socket's path.
	socketBytesMax = 100
	port           = "5432" // only a part of the socket's name: nothing listens on TCP
	socketName     = ".s.PGSQL." + port
	placeName      = "pgdata.place" // where the data are when they are not in Dir
	placeBytesMax  = 4096
)

// place gives the folder of the server's data: the configured one or, when a folder above it is closed to
// the server's user (a checkout in root's home), one among temporary files. The choice is remembered,
// since data must never seem to be gone.
func (s *Server) place() (string, error) {
	if remembered, err := s.remembered(); err != nil || remembered != "" {
		return remembered, err
	}
	dir := s.cfg.Dir
	if s.who == nil {
		return dir, nil
	}
	if err := s.who.reaches(s.bin, "/"); err != nil {
		return "", fmt.Errorf("user %s, as whom PostgreSQL runs, cannot run the binaries in %s: %w", s.who.name, s.bin, err)
	}
	if s.who.reaches(s.bin, dir) == nil {
		return dir, nil
	}
	if err := s.who.admit(dir); err != nil {
		return "", err
	}
	if s.who.reaches(s.bin, dir) == nil {
		return dir, nil
	}
	return s.placeAside()
}

// placeAside chooses a folder among temporary files and remembers it. It leaves no data behind for that:
// those that were moved to where the server's user cannot reach them are not forgotten but complained about.
func (s *Server) placeAside() (string, error) {
	dir := s.cfg.Dir
	if _, err := os.Stat(filepath.Join(dir, "pgdata")); err == nil {
		return "", fmt.Errorf("user %s, as whom PostgreSQL runs, cannot reach its data in %s: move the folder, or open the folders above it",
			s.who.name, dir)
	}
	aside, err := s.aside("timebank-", dataParents(), len("/pgdata"))
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, placeName), []byte(aside+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("remembering where the data are: %w", err)
	}
	s.tell("PostgreSQL runs as user %s, who cannot reach %s: its data is in %s", s.who.name, dir, aside)
	return aside, nil
}

// remembered gives the folder that an earlier start chose instead of the configured one, or "".
func (s *Server) remembered() (string, error) {
	text, err := readUpTo(filepath.Join(s.cfg.Dir, placeName), placeBytesMax)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("looking where the data are: %w", err)
	}
	aside := strings.TrimSpace(string(text))
	if _, err := os.Stat(filepath.Join(aside, "pgdata")); errors.Is(err, os.ErrNotExist) {
		s.tell("the data that was in %s is gone: beginning with an empty server", aside)
	} else {
		s.tell("PostgreSQL's data is in %s", aside)
	}
	return aside, s.makeAside(aside)
}

// dataParents are folders for temporary files that user and server both reach; the one that outlives a
// restart of the machine comes first.
func dataParents() []string {
	if named := os.Getenv("TMPDIR"); named != "" {
		return []string{named, "/var/tmp", "/tmp"}
	}
	return []string{"/var/tmp", os.TempDir(), "/tmp"}
}

// aside makes a folder outside Dir, always the same for the same Dir, that the server's user reaches and
// whose path leaves room for more.
func (s *Server) aside(prefix string, parents []string, more int) (string, error) {
	errs := []error{fmt.Errorf("no other folder serves for %s: choose another one", s.cfg.Dir)}
	for _, parent := range parents {
		dir := filepath.Join(parent, prefix+digest(s.cfg.Dir))
		if len(dir)+more > socketBytesMax {
			errs = append(errs, fmt.Errorf("the path %s is too long", dir))
			continue
		}
		err := s.makeAside(dir)
		if err == nil && s.who != nil {
			err = s.who.reaches(s.bin, dir)
		}
		if err == nil {
			return dir, nil
		}
		errs = append(errs, err)
	}
	return "", errors.Join(errs...)
}

// makeAside makes a folder where everybody may make folders, so it refuses one that somebody else has put
// there. It keeps the folder locked: cleaners of temporary files pass over what is locked.
func (s *Server) makeAside(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("making a folder for the server: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("making a folder for the server: %w", err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(st.Uid) != os.Geteuid() || info.Mode().Perm()&0o067 != 0 {
		return fmt.Errorf("%s is there already and is not a folder of ours alone: remove it", dir)
	}
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("locking a folder of the server: %w", err)
	}
	s.held = append(s.held, f)
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("locking %s: %w", dir, err)
	}
	return s.who.admit(dir)
}

// socketDir gives a folder for the socket whose path is short enough for the kernel.
func (s *Server) socketDir() (string, error) {
	const socket = "/socket/" + socketName
	parent := s.home
	if len(parent)+len(socket) > socketBytesMax {
		var err error
		if parent, err = s.aside("timebank-s-", []string{os.TempDir(), "/tmp"}, len(socket)); err != nil {
			return "", err
		}
		s.leave = parent
	}
	dir := filepath.Join(parent, "socket")
	return dir, s.who.makeFor(dir)
}

// digest makes a short name of a path.
func digest(path string) string {
	sum := sha256.Sum256([]byte(path))
	return hex.EncodeToString(sum[:6])
}

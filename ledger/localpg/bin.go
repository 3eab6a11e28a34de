package localpg

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// errNoBin tells in one line what to install.
var errNoBin = errors.New("PostgreSQL's server binaries were not found: install Debian's package postgresql " +
	"(apt-get install postgresql) or name their folder in TIMEBANK_PG_BIN")

// FindBin gives the folder of PostgreSQL's server binaries: the one TIMEBANK_PG_BIN names, or where
// pg_config, PATH, Debian, Fedora or Homebrew have them, the newest first.
func FindBin() (string, error) {
	if named := os.Getenv("TIMEBANK_PG_BIN"); named != "" {
		if isBin(named) {
			return named, nil
		}
		return "", errors.New("TIMEBANK_PG_BIN names " + named + ", which has no initdb and postgres")
	}
	for _, dir := range candidates() {
		if isBin(dir) {
			return dir, nil
		}
	}
	return "", errNoBin
}

func candidates() []string {
	var dirs []string
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
	} {
		found, _ := filepath.Glob(pattern) // the pattern is ours and well formed
		sort.Sort(sort.Reverse(sort.StringSlice(found)))
		dirs = append(dirs, found...)
	}
	return append(dirs, "/usr/bin", "/opt/homebrew/bin", "/usr/local/bin")
}

func isBin(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.IsDir() {
			return false
		}
	}
	return true
}

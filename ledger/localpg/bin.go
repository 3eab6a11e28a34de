package localpg

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// binVariable names the folder of the server's binaries; nothing else is looked at then.
const binVariable = "TIMEBANK_PG_BIN"

// errNoBin tells in one line what to install.
var errNoBin = errors.New("PostgreSQL's server binaries were not found: install Debian's package postgresql " +
	"(apt-get install postgresql) or set " + binVariable)

// FindBin gives the folder of PostgreSQL's server binaries: the one TIMEBANK_PG_BIN names, or where
// pg_config, PATH, Debian, Fedora or Homebrew have them, the newest of each first.
func FindBin() (string, error) { return findBin("") }

// findBin gives the first folder that holds a PostgreSQL of a major version; any will do for "".
func findBin(major string) (string, error) {
	dirs, err := binFolders()
	if err != nil {
		return "", err
	}
	return firstBin(dirs, major)
}

func firstBin(dirs []string, major string) (string, error) {
	var others []string
	for _, dir := range dirs {
		if major == "" {
			return dir, nil
		}
		found, err := majorVersion(dir)
		if err == nil && found == major {
			return dir, nil
		}
		others = append(others, dir)
	}
	if len(others) == 0 {
		return "", errNoBin
	}
	return "", fmt.Errorf("the data were made by PostgreSQL %s, which is not in %s: install that version or set %s",
		major, strings.Join(others, ", "), binVariable)
}

// binFolders gives the folders that hold a server, the preferred one first.
func binFolders() ([]string, error) {
	if named := os.Getenv(binVariable); named != "" {
		dir, err := filepath.Abs(named)
		if err != nil || !isBin(dir) {
			return nil, fmt.Errorf("%s names %s, which has no initdb and postgres", binVariable, named)
		}
		return []string{dir}, nil
	}
	var dirs []string
	for _, dir := range candidates() {
		if isBin(dir) && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

func candidates() []string {
	var dirs []string
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil { // pgbench lies beside the real one
			dirs = append(dirs, filepath.Dir(real))
		}
		dirs = append(dirs, filepath.Dir(path))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
	} {
		found, _ := filepath.Glob(pattern) // the pattern is ours and well formed
		slices.SortFunc(found, func(a, b string) int { return versionIn(b) - versionIn(a) })
		dirs = append(dirs, found...)
	}
	return append(dirs, "/usr/bin", "/opt/homebrew/bin", "/usr/local/bin")
}

// versionIn gives the first number in a folder's path: 15 in /usr/lib/postgresql/15/bin.
func versionIn(path string) int {
	digits := strings.FieldsFunc(path, func(r rune) bool { return r < '0' || r > '9' })
	if len(digits) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(digits[0]) // a number too large to be a version sorts last
	return n
}

func isBin(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.IsDir() {
			return false
		}
	}
	return true
}

// majorVersion asks the server in a folder which version it is: 15 of "postgres (PostgreSQL) 15.18 (…)".
func majorVersion(dir string) (string, error) {
	out, err := exec.Command(filepath.Join(dir, "postgres"), "-V").Output()
	if err != nil {
		return "", fmt.Errorf("asking the server in %s for its version: %w", dir, err)
	}
	_, version, _ := strings.Cut(string(out), ") ")
	major, _, _ := strings.Cut(version, ".")
	return major, nil
}

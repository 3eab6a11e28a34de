package localpg

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestStart_answers_owner_and_service(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Dir: folder(t), Settings: map[string]string{"max_connections": "17"}})
	if got := query(t, s, OwnerRole, `SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()`); got != OwnerRole {
		t.Errorf("owner of the database = %s, want %s", got, OwnerRole)
	}
	const rights = `SELECT concat_ws(' ', rolcanlogin, rolcreatedb, rolcreaterole, rolsuper) FROM pg_roles WHERE rolname = current_user`
	for role, want := range map[string]string{OwnerRole: "t t t f", ServiceRole: "t f f f"} {
		if got := query(t, s, role, rights); got != want {
			t.Errorf("%s may (log in, create databases, create roles, anything) = %s, want %s", role, got, want)
		}
	}
	const settings = `SELECT concat_ws(' ', current_setting('server_encoding'), datcollate, current_setting('listen_addresses') = '',
		current_setting('max_connections'), current_setting('fsync')) FROM pg_database WHERE datname = current_database()`
	if got, want := query(t, s, ServiceRole, settings), "UTF8 C t 17 off"; got != want {
		t.Errorf("settings = %s, want %s", got, want)
	}
}

func TestStart_keeps_files_of_the_owner_from_the_user_of_the_server(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, Config{Dir: dir})
	if s.home != dir {
		t.Fatalf("the data is in %s, want it in %s", s.home, dir)
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm()&0o067 != 0 {
		t.Errorf("mode of the folder = %o: others than its owner may write or read in it", info.Mode().Perm())
	}
	cmd := exec.Command("touch", "pgdata/../seen")
	s.who.apply(cmd)
	cmd.Dir = dir
	if err := cmd.Run(); s.who != nil && err == nil {
		t.Errorf("user %s wrote into the owner's folder", s.who.name)
	}
}

func TestStart_refuses_a_second_owner(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, Config{Dir: dir})
	_, err := Start(bounded(t), Config{Dir: dir})
	wantError(t, err, dir, "in use by process "+strconv.Itoa(os.Getpid()))
	link := dir + "-link"
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(link)
	_, err = Start(bounded(t), Config{Dir: link})
	wantError(t, err, "in use by process")
	if got := query(t, s, ServiceRole, `SELECT 'well'`); got != "well" {
		t.Errorf("the first owner's server answers %q, want it undisturbed", got)
	}
	stop(t, s)
	start(t, Config{Dir: dir})
}

func TestStop_ends_in_order_and_leaves_no_socket(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Dir: folder(t)})
	stop(t, s)
	select {
	case <-s.Done():
	default:
		t.Error("Done is open after Stop")
	}
	if err := s.Err(); err != nil {
		t.Errorf("Err = %v after Stop, want nil", err)
	}
	cmd := exec.Command(filepath.Join(s.Bin(), "pg_controldata"), "-D", s.data)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "shut down\n") {
		t.Errorf("pg_controldata: %v\n%s\nwant a cluster that is shut down", err, out)
	}
	if left, err := os.ReadDir(s.socket); err != nil || len(left) > 0 {
		t.Errorf("the socket's folder holds %v, %v, want nothing", left, err)
	}
	if err := s.Stop(bounded(t)); err != nil {
		t.Errorf("Stop again: %v, want nil", err)
	}
}

func TestStart_puts_the_socket_elsewhere_when_the_path_is_long(t *testing.T) {
	t.Parallel()
	parent := folder(t)
	if err := os.Chmod(parent, 0o711); err != nil { // a server's user passes
		t.Fatal(err)
	}
	s := start(t, Config{Dir: filepath.Join(parent, strings.Repeat("long", 30))})
	if !strings.HasPrefix(s.data, parent) || strings.HasPrefix(s.socket, parent) {
		t.Errorf("data in %s, socket in %s, want the socket alone outside %s", s.data, s.socket, parent)
	}
	if got := query(t, s, ServiceRole, `SELECT 'well'`); got != "well" {
		t.Errorf("answer = %q", got)
	}
	stop(t, s)
	if _, err := os.Stat(s.socket); !os.IsNotExist(err) {
		t.Errorf("Stat(%s) = %v after Stop, want it gone", s.socket, err)
	}
}

func TestStart_reports_a_setting_that_PostgreSQL_refuses(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	_, err := Start(bounded(t), Config{Dir: dir, Settings: map[string]string{"max_connections": "many"}})
	wantError(t, err, "starting PostgreSQL", "max_connections", "postgres.output")
	start(t, Config{Dir: dir})
}

func TestURL_quotes_what_a_path_may_hold(t *testing.T) {
	t.Parallel()
	s := &Server{socket: `/a b/it's\`}
	want := `host='/a b/it\'s\\' port=5432 user='u' dbname='d' sslmode=disable`
	if got := s.URL("u", "d"); got != want {
		t.Errorf("URL = %s, want %s", got, want)
	}
}

func TestFindBin_says_what_to_install(t *testing.T) {
	t.Parallel()
	_, err := firstBin(nil, "")
	const want = "PostgreSQL's server binaries were not found: install Debian's package postgresql (apt-get install postgresql) or set TIMEBANK_PG_BIN"
	if err == nil || err.Error() != want {
		t.Errorf("firstBin(nil) = %v, want %s", err, want)
	}
}

func TestFindBin_looks_nowhere_else_when_a_folder_is_named(t *testing.T) {
	empty := t.TempDir()
	t.Setenv(binVariable, empty)
	_, err := FindBin()
	wantError(t, err, empty, "no initdb and postgres")
}

func TestFindBin_takes_only_the_version_that_made_the_data(t *testing.T) {
	t.Parallel()
	dir, err := FindBin()
	if err != nil {
		t.Fatal(err)
	}
	major, err := majorVersion(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := firstBin([]string{dir}, major); got != dir || err != nil {
		t.Errorf("firstBin(%s) = %s, %v, want %s", major, got, err, dir)
	}
	_, err = firstBin([]string{dir}, "8")
	wantError(t, err, "made by PostgreSQL 8", dir)
}

func TestVersionIn_orders_versions_as_numbers(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]int{"/usr/lib/postgresql/9.6/bin": 9, "/usr/pgsql-16/bin": 16, "/usr/bin": 0} {
		if got := versionIn(path); got != want {
			t.Errorf("versionIn(%s) = %d, want %d", path, got, want)
		}
	}
}

package localpg

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	_ "github.com/lib/pq" // to ask whether the server answers
)

const (
	startWait      = 3 * time.Minute  // recovery after a crash included
	patience       = 3 * time.Second  // after this it says that it waits
	stopWait       = 20 * time.Second // for a fast shutdown, which writes everything
	hasteWait      = 8 * time.Second  // PostgreSQL itself kills its workers after five
	outputBytesMax = 16 << 20         // at the next start, a larger output makes place for a new one
	tailBytesMax   = 600              // of the output, in an error
)

// launch starts postgres.
func (s *Server) launch() error {
	output, err := s.openOutput()
	if err != nil {
		return err
	}
	defer output.Close() // the server has its own copy
	s.cmd = exec.Command(filepath.Join(s.bin, "postgres"), s.arguments()...)
	s.who.apply(s.cmd)
	endWithParent(s.cmd.SysProcAttr) // a server without its owner would hold the folder for nobody
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.home, output, output
	started := make(chan error, 1)
	go s.run(started)
	if err := <-started; err != nil {
		return fmt.Errorf("starting postgres: %w", err)
	}
	return nil
}

func (s *Server) outputPath() string { return filepath.Join(s.cfg.Dir, "postgres.output") }

func (s *Server) openOutput() (*os.File, error) {
	path := s.outputPath()
	if info, err := os.Stat(path); err == nil && info.Size() > outputBytesMax {
		if err := os.Rename(path, path+".old"); err != nil {
			return nil, fmt.Errorf("putting the server's old output aside: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the server's output: %w", err)
	}
	return f, nil
}

func (s *Server) arguments() []string {
	settings := map[string]string{
		"listen_addresses": "", "port": port, "unix_socket_directories": s.socket, "unix_socket_permissions": "0700",
		"cluster_name": clusterName(s.data), "timezone": "UTC", "max_connections": "100",
	}
	if !s.cfg.Fsync {
		settings["fsync"], settings["synchronous_commit"], settings["full_page_writes"] = "off", "off", "off"
	}
	maps.Copy(settings, s.cfg.Settings)
	args := []string{"-D", s.data}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}

// run holds one thread for the life of the server.
func (s *Server) run(started chan<- error) {
	lockThread()
	err := s.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	state, err := s.cmd.Process.Wait()
	s.mu.Lock()
	if !s.asked {
		s.err = fmt.Errorf("PostgreSQL ended by itself: %w; its output is in %s", errors.Join(err, ended(state)), s.outputPath())
	}
	s.mu.Unlock()
	close(s.done)
}

// ended tells how a process ended: "exit status 1", "signal: killed".
func ended(state *os.ProcessState) error {
	if state == nil {
		return nil
	}
	return errors.New(state.String())
}

// await waits until the server answers.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	db, err := sql.Open("postgres", s.URL(Superuser, "postgres"))
	if err != nil {
		return fmt.Errorf("waiting for PostgreSQL: %w", err)
	}
	defer db.Close()
	slow := time.After(patience)
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-s.done:
			return fmt.Errorf("starting PostgreSQL: %w\n%s", s.Err(), s.outputTail())
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL did not answer: %w\n%s", errors.Join(ctx.Err(), err), s.outputTail())
		case <-slow:
			s.tell("waiting for PostgreSQL, which recovers after it was not ended in order")
		case <-time.After(pollPause):
		}
	}
}

// outputTail gives the last lines of the server's output.
func (s *Server) outputTail() string {
	f, err := os.Open(s.outputPath())
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	tail := make([]byte, min(info.Size(), tailBytesMax))
	n, _ := f.ReadAt(tail, info.Size()-int64(len(tail))) // what could be read is worth showing
	_, lines, cut := strings.Cut(string(tail[:n]), "\n")
	if !cut || info.Size() <= tailBytesMax {
		lines = string(tail[:n])
	}
	return strings.TrimSpace(lines)
}

// Stop ends the server cleanly, in haste when ctx ends first or it takes too long, and gives the folder
// free. It gives the error of a server that had ended by itself. Stopping twice does no harm.
func (s *Server) Stop(ctx context.Context) error {
	s.signal(syscall.SIGINT) // a fast shutdown: sessions are ended, everything is written
	select {
	case <-s.done:
	case <-ctx.Done():
		s.endInHaste()
		s.tell("PostgreSQL was ended in haste; it recovers at the next start")
	case <-time.After(stopWait):
		s.endInHaste()
		s.tell("PostgreSQL did not end in %s and was ended in haste; it recovers at the next start", stopWait)
	}
	return errors.Join(s.Err(), s.release())
}

// endInHaste ends the server at once; the next start recovers.
func (s *Server) endInHaste() {
	s.signal(syscall.SIGQUIT)
	select {
	case <-s.done:
	case <-time.After(hasteWait):
		s.signal(syscall.SIGKILL)
		<-s.done
	}
}

// signal asks the server to end, which is then no crash.
func (s *Server) signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done: // what has ended before was not asked to
	default:
		s.asked = true
		_ = s.cmd.Process.Signal(sig) // it may end at this moment, which done tells
	}
}

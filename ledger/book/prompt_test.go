package book

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// dialPrompt gives a connection as the writer's are, and its other end.
func dialPrompt(t *testing.T, busy *atomic.Bool) (here, there net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // of this test alone
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if here, err = (&promptDialer{busy: busy}).DialTimeout("tcp", listener.Addr().String(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if there, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { here.Close(); there.Close() })
	return here, there
}

// However long the other end takes, nothing that it sends is lost, and no step's end is seen by who reads.
func TestPromptConn_reads_what_comes_within_a_step_and_after_all_of_them(t *testing.T) {
	t.Parallel()
	var busy atomic.Bool
	here, there := dialPrompt(t, &busy)
	for i, pause := range []time.Duration{0, promptStep / 2, 3 * promptStep, promptStep * (promptSteps + promptSteps/2), 3 * promptStep, promptStep} {
		busy.Store(i != 4) // then what a step left must not be found
		sent := make(chan error, 1)
		go func() {
			time.Sleep(pause)
			_, err := there.Write([]byte("ready"))
			sent <- err
		}()
		got := make([]byte, 5)
		if _, err := io.ReadFull(here, got); err != nil || string(got) != "ready" {
			t.Errorf("after %s: read %q, %v", pause, got, err)
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
	}
	there.Close()
	if n, err := here.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("when the other end was closed: %d bytes, %v; want the end", n, err)
	}
}

// A deadline of whoever uses the connection holds, whether it comes within the steps or after them, and taking it back too.
func TestPromptConn_keeps_the_deadline_that_it_is_given(t *testing.T) {
	t.Parallel()
	var busy atomic.Bool
	here, there := dialPrompt(t, &busy)
	for i, wait := range []time.Duration{-time.Second, promptStep / 2, 3 * promptStep, promptStep * (promptSteps + promptSteps/2)} {
		busy.Store(i%3 != 0)
		if err := here.SetDeadline(time.Now().Add(wait)); err != nil {
			t.Fatal(err)
		}
		if n, err := here.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("with a deadline in %s: %d bytes, %v; want that it passed", wait, n, err)
		}
	}
	if err := here.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := there.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if n, err := here.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("after the deadline was taken back: %d bytes, %v", n, err)
	}
}

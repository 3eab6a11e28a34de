package book_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"timebank/ledger"
	"timebank/ledger/book/booktest"
)

// A batch is recorded, and the connection is lost before PostgreSQL's answer has come: it is sent once more, records nothing,
// and its caller is answered as one who asks again.
func TestWhatWasRecordedAndNotHeardIsAnsweredAsAReplay(t *testing.T) {
	t.Parallel()
	b := booktest.New(t)
	org := b.Organization(t)
	elder := b.Volunteer(t, "1950-05-01")
	w := between(t, b)
	day := booktest.Date(t, "2026-03-01")
	for n := range 3 { // what it leaves is known from then on, and that nobody else writes
		b.MustPost(t, org, booktest.Served(t, elder, (day-1-ledger.Date(n)).String(), 30))
	}
	request := claimOn(t, b, elder, day, "not heard")
	s := stall(t, b, org, request)
	w.lose.Store(true)
	s.let()
	r := <-s.result
	if r.Err != nil || !r.Receipt.Replayed || w.lose.Load() {
		t.Fatalf("what was not heard = entry %d (replayed: %t), %v; want a replay after an answer was lost (%t)", r.Receipt.Seq, r.Receipt.Replayed, r.Err, !w.lose.Load())
	}
	if again, err := postOne(b, org, request); err != nil || again.Seq != r.Receipt.Seq {
		t.Errorf("asked again = entry %d, %v; want entry %d", again.Seq, err, r.Receipt.Seq)
	}
	if v := b.BalancesOf(t, elder); v.Served != 150 {
		t.Errorf("served = %d, want three times 30, and 60 once", v.Served)
	}
	b.CheckBook(t)
}

// wire is a way to PostgreSQL on which an answer can be lost.
type wire struct {
	socket string // of PostgreSQL
	lose   atomic.Bool
}

// between leads a book's connections over a wire, and starts it anew.
func between(t *testing.T, b *booktest.Book) *wire {
	t.Helper()
	at := regexp.MustCompile(`^host='([^']*)' port=(\d+)`).FindStringSubmatch(b.Config.Service)
	if at == nil {
		t.Fatalf("no folder of sockets in %q", b.Config.Service)
	}
	dir, err := os.MkdirTemp("", "wire") // the path of a socket has a hundred bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	name := ".s.PGSQL." + at[2]
	l, err := net.Listen("unix", filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{socket: filepath.Join(at[1], name)}
	go w.serve(l)
	b.Stop(t)
	b.Config.Service = strings.Replace(b.Config.Service, at[1], dir, 1)
	b.Restart(t)
	t.Cleanup(func() {
		b.Stop(t)
		l.Close()
	})
	return w
}

func (w *wire) serve(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		go w.join(client)
	}
}

// join carries what both say, until one of them ends. What PostgreSQL answers first where batches are recorded is lost
// when it shall be, and the connection with it.
func (w *wire) join(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", w.socket)
	if err != nil {
		return
	}
	defer server.Close()
	var records atomic.Bool
	go func() {
		defer server.Close()
		carry(server, client, func(said []byte) bool {
			if bytes.Contains(said, []byte("FROM take_turn() WHERE")) {
				records.Store(true)
			}
			return true
		})
	}()
	carry(client, server, func([]byte) bool { return !records.Load() || !w.lose.CompareAndSwap(true, false) })
}

// carry copies as long as what was said may go on.
func carry(to io.Writer, from io.Reader, may func(said []byte) bool) {
	for said := make([]byte, 1<<16); ; {
		n, err := from.Read(said)
		if n > 0 && !may(said[:n]) {
			return
		}
		if n > 0 {
			if _, err := to.Write(said[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// wire is one kept connection of the load generator. It writes requests byte by byte and reads answers with
// the standard library: a full HTTP client would take as much of the machine as the server that is measured.
type wire struct {
	host    string
	conn    net.Conn
	in      *bufio.Reader
	request []byte
	body    []byte // of the last answer
}

// wireTimeout bounds one request with its answer: a batch waits for its turns at most half a minute.
const wireTimeout = time.Minute

func dialWire(host string) (*wire, error) {
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return nil, fmt.Errorf("reaching the server: %w", err)
	}
	return &wire{host: host, conn: conn, in: bufio.NewReader(conn)}, nil
}

func (w *wire) close() error { return w.conn.Close() }

// errStatus is an answer that is no success.
var errStatus = errors.New("the server answered")

// do sends a request and waits for its answer, which stays in w.body until the next.
func (w *wire) do(method, path, token, key string, body []byte) error {
	r := w.request[:0]
	r = append(append(append(append(r, method...), ' '), path...), " HTTP/1.1\r\nHost: "...)
	r = append(append(append(r, w.host...), "\r\nAuthorization: Bearer "...), token...)
	if key != "" {
		r = append(append(r, "\r\nIdempotency-Key: "...), key...)
	}
	if body != nil {
		r = strconv.AppendInt(append(r, "\r\nContent-Type: application/json\r\nContent-Length: "...), int64(len(body)), 10)
	}
	w.request = append(append(r, "\r\n\r\n"...), body...)
	if err := w.conn.SetDeadline(clock().Add(wireTimeout)); err != nil {
		return err
	}
	if _, err := w.conn.Write(w.request); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	return w.receive()
}

func (w *wire) receive() error {
	answer, err := http.ReadResponse(w.in, nil)
	if err != nil {
		return fmt.Errorf("reading an answer: %w", err)
	}
	w.body, err = readInto(w.body[:0], answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return fmt.Errorf("reading an answer: %w", err)
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%w %s: %.300s", errStatus, answer.Status, w.body)
	}
	return nil
}

// readInto appends all that r gives to b.
func readInto(b []byte, r io.Reader) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"time"
)

// wire is one kept connection of the load generator. It writes requests and reads the heads of answers byte by byte: a full
// HTTP client would take as much of the machine as the server that is measured, and http.ReadResponse was a quarter of
// what the load generator took.
type wire struct {
	host    string
	conn    net.Conn
	in      *bufio.Reader
	request []byte
	body    []byte // of the last answer
}

// wireTimeout bounds a request with its answer, beyond the time for which requests are sent: a batch waits for its turns at
// most half a minute.
const wireTimeout = time.Minute

// dialWire gives a connection for requests that are sent until then.
func dialWire(host string, until time.Time) (*wire, error) {
	conn, err := net.Dial("tcp", host)
	if err == nil {
		err = conn.SetDeadline(until.Add(wireTimeout))
	}
	if err != nil {
		return nil, fmt.Errorf("reaching the server: %w", err)
	}
	return &wire{host: host, conn: conn, in: bufio.NewReader(conn)}, nil
}

func (w *wire) close() error { return w.conn.Close() }

// What an answer may be.
var (
	errStatus = errors.New("the server answered") // no success
	errAnswer = errors.New("this is no answer as the server gives them")
)

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
	if _, err := w.conn.Write(w.request); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	status, err := w.receive()
	if err != nil {
		return fmt.Errorf("reading an answer: %w", err)
	}
	if status >= http.StatusBadRequest {
		return fmt.Errorf("%w %d: %.300s", errStatus, status, w.body)
	}
	return nil
}

// receive reads an answer, and gives its status.
func (w *wire) receive() (status int, err error) {
	line, err := w.line()
	if err != nil {
		return 0, err
	}
	if _, code, ok := bytes.Cut(line, []byte(" ")); !ok || len(code) < 3 {
		return 0, fmt.Errorf("%w: %q", errAnswer, line)
	} else if status, err = strconv.Atoi(string(code[:3])); err != nil {
		return 0, fmt.Errorf("%w: %w", errAnswer, err)
	}
	length, chunked, err := w.headers()
	switch {
	case err != nil:
		return 0, err
	case length < 0 && !chunked: // it would last until the connection ends, and that is kept
		return 0, errAnswer
	case chunked:
		if w.body, err = readInto(w.body[:0], httputil.NewChunkedReader(w.in)); err != nil {
			return 0, err
		}
		_, _, err = w.headers() // the trailer, which is empty
	default:
		w.body, err = readInto(w.body[:0], io.LimitReader(w.in, length))
		if err == nil && int64(len(w.body)) < length {
			err = io.ErrUnexpectedEOF
		}
	}
	return status, err
}

// headers reads headers, and what they say of the body's length: -1 for nothing.
func (w *wire) headers() (length int64, chunked bool, err error) {
	length = -1
	for {
		line, err := w.line()
		if err != nil || len(line) == 0 {
			return length, chunked, err
		}
		switch name, value, _ := bytes.Cut(line, []byte(": ")); string(name) { // in the case in which net/http writes them
		case "Content-Length":
			if length, err = strconv.ParseInt(string(value), 10, 64); err != nil || length < 0 {
				return 0, false, fmt.Errorf("%w: %q", errAnswer, line)
			}
		case "Transfer-Encoding":
			chunked = true
		}
	}
}

// line reads a line, without its end.
func (w *wire) line() ([]byte, error) {
	line, err := w.in.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
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

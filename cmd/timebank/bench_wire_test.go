package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestWire reads answers of each form that the server gives, one after the other over one connection.
func TestWire(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 5000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/short":
			w.WriteHeader(http.StatusCreated)
			w.Write([]byte(r.Header.Get("Idempotency-Key") + r.Header.Get("Authorization")))
		case "/long": // net/http sends it in chunks
			w.Write([]byte(long))
		case "/empty":
		default:
			http.Error(w, "no such thing", http.StatusNotFound)
		}
	}))
	t.Cleanup(s.Close)
	w, err := dialWire(s.Listener.Addr().String(), clock())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.close() })
	for range 2 {
		for path, want := range map[string]string{"/short": "key-1Bearer token", "/long": long, "/empty": ""} {
			if err := w.do(http.MethodPost, path, "token", "key-1", []byte("{}")); err != nil || string(w.body) != want {
				t.Fatalf("%s: %v, %d bytes", path, err, len(w.body))
			}
		}
		err := w.do(http.MethodGet, "/none", "token", "", nil)
		if !errors.Is(err, errStatus) || !strings.Contains(err.Error(), "404: no such thing") {
			t.Fatalf("/none: %v", err)
		}
	}
}

// TestWireCutOff tells of an answer that ends early.
func TestWireCutOff(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"nothing":       "",
		"no status":     "HTTP/1.1\r\n\r\n",
		"half a head":   "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
		"half a body":   "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
		"no length":     "HTTP/1.1 200 OK\r\n\r\nabc",
		"a strange one": "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		"half a chunk":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
		"no last chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			conn.Write([]byte(answer))
		}))
		w, err := dialWire(s.Listener.Addr().String(), clock().Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.do(http.MethodGet, "/", "token", "", nil); err == nil {
			t.Errorf("%s was taken for an answer: %q", name, w.body)
		}
		w.close()
		s.Close()
	}
}

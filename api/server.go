// Package api is the time bank over HTTP: Echo at the edge, the contract of openapi.yaml, one file a
// feature. problem.go is the only map from errors to answers.
package api

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"timebank/api/auth"
	"timebank/api/gen"
	"timebank/ledger/book"
)

// Config says what is served.
type Config struct {
	Book     *book.Book
	Issuer   string             // of tokens
	Audience string             // of tokens
	Key      ed25519.PrivateKey // signs tokens
}

const (
	headerTimeout = 10 * time.Second
	readTimeout   = 2 * time.Minute // an upload of a large sheet over a slow line
	writeTimeout  = 5 * time.Minute // an import of a large sheet answers when it is done
	idleTimeout   = 2 * time.Minute
	headerBytes   = 16 << 10
	stopTimeout   = 10 * time.Second
)

// Server serves a book. It is made by New and may be used by any number of goroutines.
type Server struct {
	book       *book.Book
	auth       *auth.Issuer
	echo       *echo.Echo
	operations map[string]*operation
	claim      *openapi3.Schema // of one claim of a batch
	cursors    cursors
	metrics    *metrics
	output     *slog.Logger
	inFlight   chan struct{} // a place for each request that is being answered
	secure     bool          // callers reach the server by TLS
}

// New makes a server. It opens nothing: Run does.
func New(cfg Config) (*Server, error) {
	operations, doc, err := contract()
	if err != nil {
		return nil, err
	}
	s := &Server{book: cfg.Book, auth: auth.New(cfg.Book, cfg.Issuer, cfg.Audience, cfg.Key), operations: operations,
		claim:   doc.Components.Schemas["BatchClaim"].Value,
		cursors: newCursors(cfg.Key), metrics: newMetrics(prometheus.NewRegistry()), output: slog.Default(),
		inFlight: make(chan struct{}, inFlightMax),
		secure:   strings.HasPrefix(cfg.Issuer, "https://")}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect() // forwarded addresses are anybody's word
	e.Binder = binder{}
	e.HTTPErrorHandler = s.answerProblem
	e.Pre(escapedPath)
	e.Use(s.identify, s.measure, survive, s.edge)
	gen.RegisterHandlers(e, gen.NewStrictHandler(s, nil))
	s.echo = e
	return s, nil
}

// Handler gives the server as a handler, for tests.
func (s *Server) Handler() http.Handler { return s.echo }

// Run serves on a listener until ctx ends, and then lets what was begun end.
func (s *Server) Run(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: s.echo, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytes}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	err := server.Shutdown(stop)
	if errors.Is(err, context.DeadlineExceeded) { // what is not done by now is asked again, under the same key
		err = server.Close()
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

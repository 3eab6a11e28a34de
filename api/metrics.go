package api

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"

	"timebank/api/gen"
)

// metrics count requests by route and status; they tell of nobody.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func newMetrics(r *prometheus.Registry) *metrics {
	m := &metrics{registry: r, requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "timebank_http_request_seconds", Help: "Time to answer a request, by route and status.",
		Buckets: prometheus.ExponentialBuckets(0.001, 2, 12),
	}, []string{"method", "route", "status"})}
	r.MustRegister(m.requests, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// measure counts every answer, and prints a line of it where debugging output is wanted: the route, not
// the path, and the client, not the person.
func (s *Server) measure(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		begun := clock()
		if err := next(c); err != nil {
			c.Error(err)
		}
		method, route, status, took := methodName(c.Request().Method), c.Path(), c.Response().Status, clock().Sub(begun)
		if route == "" {
			route = "none"
		}
		s.metrics.requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
		ctx := c.Request().Context()
		s.output.LogAttrs(ctx, slog.LevelDebug, "answered", slog.String("request_id", c.Response().Header().Get(requestIDHeader)),
			slog.String("method", method), slog.String("route", route), slog.Int("status", status), slog.Duration("took", took),
			slog.String("client", callOf(ctx).by.Client))
		return nil
	}
}

// methodName keeps callers from making up methods, each a new row of the metrics.
func methodName(method string) string {
	if method == http.MethodGet || method == http.MethodPost {
		return method
	}
	return "other"
}

// clock measures how long answers take; it decides nothing.
func clock() time.Time { return time.Now() } //nolint:forbidigo // the metrics' clock

// GetMetrics gives the metrics in Prometheus' text format.
func (s *Server) GetMetrics(context.Context, gen.GetMetricsRequestObject) (gen.GetMetricsResponseObject, error) {
	families, err := s.metrics.registry.Gather()
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			return nil, err
		}
	}
	return plain{http.StatusOK, "text/plain; version=0.0.4", text.String()}, nil
}

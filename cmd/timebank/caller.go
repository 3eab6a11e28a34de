package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// caller speaks to a server's API as one client.
type caller struct {
	base   string // such as http://127.0.0.1:8080
	token  string
	id     string // with secret: a token is fetched anew before it ends
	secret string
	until  time.Time
	http   *http.Client
}

const (
	callTimeout   = 2 * time.Minute
	answerMax     = 64 << 20
	busyTries     = 20
	tokenLeftover = 60 * time.Second // a token is renewed when less is left of it
)

func newCaller(base, token string) *caller {
	return &caller{base: strings.TrimSuffix(base, "/"), token: token, http: &http.Client{Timeout: callTimeout,
		Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
}

// as gives a caller with credentials instead of a token.
func (c *caller) as(id, secret string) *caller {
	return &caller{base: c.base, id: id, secret: secret, http: c.http}
}

// problem is a server's no, RFC 9457.
type problem struct {
	Status    int    `json:"status"`
	Code      string `json:"code"`
	Title     string `json:"title"`
	Detail    string `json:"detail"`
	Rule      string `json:"rule"`
	Retryable bool   `json:"retryable"`
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail) }

// renew fetches a token when there is none or it ends soon. now is the caller's clock: it only decides
// when to ask, the server decides what is valid.
func (c *caller) renew(ctx context.Context, now time.Time) error {
	if c.id == "" || c.until.Sub(now) > tokenLeftover {
		return nil
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.id}, "client_secret": {c.secret}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	if err := c.exchange(req, &answer); err != nil {
		return fmt.Errorf("fetching a token: %w", err)
	}
	c.token, c.until = answer.AccessToken, now.Add(time.Duration(answer.ExpiresIn)*time.Second)
	return nil
}

// get reads path into out.
func (c *caller) get(ctx context.Context, path string, out any) error {
	return c.send(ctx, http.MethodGet, path, "", nil, out)
}

// post writes in under an idempotency key, and asks again under the same key when the server is busy or
// the answer was lost.
func (c *caller) post(ctx context.Context, path, key string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("writing a request: %w", err)
		}
	}
	for try := 0; ; try++ {
		err := c.send(ctx, http.MethodPost, path, key, body, out)
		var p *problem
		if err == nil || errors.As(err, &p) && p.Status != http.StatusServiceUnavailable && p.Status != http.StatusTooManyRequests ||
			try >= busyTries || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try+1) * 100 * time.Millisecond):
		}
	}
}

func (c *caller) send(ctx context.Context, method, path, key string, body []byte, out any) error {
	if err := c.renew(ctx, clock()); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.exchange(req, out)
}

func (c *caller) exchange(req *http.Request, out any) error {
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("calling %s: %w", req.URL.Path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, answerMax))
	if err != nil {
		return fmt.Errorf("reading the answer of %s: %w", req.URL.Path, err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		p := &problem{Status: resp.StatusCode}
		if err := json.Unmarshal(text, p); err != nil {
			return fmt.Errorf("%s answered %s", req.URL.Path, resp.Status)
		}
		p.Status = resp.StatusCode
		return p
	}
	if raw, ok := out.(*[]byte); ok {
		*raw = text
		return nil
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", req.URL.Path, err)
	}
	return nil
}

// clock is the program's own clock: it measures how long things take and when to ask again, and decides
// nothing in the ledger.
func clock() time.Time { return time.Now() } //nolint:forbidigo // the command line's clock

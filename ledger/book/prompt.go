package book

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Go looks for what came from the network when it has nothing else to run. While hundreds ask it always has, and an answer of
// PostgreSQL for which all of them wait is found milliseconds after it came. A goroutine whose time is up runs next, though: so
// a read of the writer's has its time up four times a millisecond, and then looks by itself. Where few ask it waits as any other:
// to wake up for nothing is a third more of the processor time of a lone claim.
const (
	promptStep  = 250 * time.Microsecond
	promptSteps = 200 // 50 ms; what takes longer waits for something else, such as another process's turn
)

// promptDialer makes the writer's connections.
type promptDialer struct {
	dialer net.Dialer
	busy   *atomic.Bool // the last batch was of many
}

// Dial is a part of the driver's interface.
func (d *promptDialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialTimeout is another.
func (d *promptDialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

// DialContext connects.
func (d *promptDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := d.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &promptConn{Conn: c, busy: d.busy}, nil
}

// promptConn is a connection whose reads find at once what came.
type promptConn struct {
	net.Conn
	busy  *atomic.Bool
	ended bool       // the deadline is the end of a step
	mu    sync.Mutex // one sets the deadline at a time
	until time.Time  // the deadline of whoever uses it
}

// SetDeadline bounds reads and writes.
func (c *promptConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline bounds reads. One that goes on is bound by it from its next step.
func (c *promptConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = t
	return c.Conn.SetReadDeadline(t)
}

// Read gives errors as they are: the driver tells by them what became of the connection.
func (c *promptConn) Read(b []byte) (int, error) {
	for i := 0; i < promptSteps && c.busy.Load(); i++ {
		within, err := c.step()
		if err != nil {
			return 0, err
		}
		if !within {
			break
		}
		if n, err := c.Conn.Read(b); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
	}
	if err := c.lastStep(); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// step begins a step, unless the deadline comes within it.
func (c *promptConn) step() (within bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := time.Now().Add(promptStep) //nolint:forbidigo // when to look again, which decides nothing
	if !c.until.IsZero() && c.until.Before(end) {
		return false, nil
	}
	c.ended = true
	return true, c.Conn.SetReadDeadline(end)
}

// lastStep waits for as long as the deadline lets it.
func (c *promptConn) lastStep() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		return nil
	}
	c.ended = false
	return c.Conn.SetReadDeadline(c.until)
}

package ingress

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync/atomic"
)

const (
	// maxHeaderLines keeps headers from growing in memory: a line of three bytes
	// takes some hundred. Senders and the proxies before us have some dozen lines.
	maxHeaderLines = 200
	headersRead    = -1
)

// connection knows whether it keeps us waiting.
type connection struct {
	net.Conn
	link  // among those that keep us waiting; when it works or is gone, it is not
	all   *connections
	gone  bool
	lines int         // of the headers so far, or headersRead; of the serving goroutine alone
	deaf  atomic.Bool // nobody wants to hear more of the sender until its answer is written
}

type connectionKey struct{}

// connectionOf finds a request's connection; nil where a test has none.
func connectionOf(ctx context.Context) *connection {
	c, _ := ctx.Value(connectionKey{}).(*connection)
	return c
}

// waits puts the connection at the end of those that keep us waiting, also when
// it is among them already: something has come.
func (c *connection) waits() {
	if c == nil {
		return
	}
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	if c.gone {
		return
	}
	joins := !c.in
	c.all.waiting.join(c)
	if joins {
		c.all.changed.Signal()
	}
}

// works takes it out: it is our turn, and nobody takes its place.
func (c *connection) works() {
	if c == nil {
		return
	}
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.all.waiting.leave(c)
}

// deafen is for a request that is here to its end. Until its answer net/http would
// go on reading, to cancel the request's context when the sender hangs up, or to keep
// the first byte of its next request. Nobody heeds that context, as what has come is
// stored and rung all the same, and the byte can wait; but to listen takes a system
// call, a goroutine that sleeps in the poller, and deadlines to wake it.
func (c *connection) deafen() {
	if c != nil {
		c.deaf.Store(true)
	}
}

// leave counts the connection out, once. The lock is held.
func (c *connection) leave() {
	c.all.waiting.leave(c)
	if !c.gone {
		c.gone = true
		c.all.open--
		c.all.changed.Signal()
	}
}

var errHeaderLines = errors.New("too many header lines")

// Read implements net.Conn. Before the headers are here it counts their lines.
// The read that brings the last of them may bring a piece of the body, too, and
// so it is the next one that fails. While the connection is deaf there is nothing
// to read.
func (c *connection) Read(p []byte) (int, error) {
	if c.deaf.Load() {
		return 0, nil
	}
	if c.lines > maxHeaderLines {
		return 0, errHeaderLines
	}
	n, err := c.Conn.Read(p)
	if c.lines != headersRead {
		c.lines += bytes.Count(p[:n], []byte("\n"))
	}
	return n, err
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.all.mu.Lock()
	c.leave()
	c.all.mu.Unlock()
	return c.Conn.Close()
}

// CloseWrite lets the server end an answer before it hangs up, so that a sender
// that is still sending can read it.
func (c *connection) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

package ingress

import (
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// maxConnections is far more than all senders together have busy at once, as
	// an answer takes milliseconds; and so few that the buffers and headers of all
	// stay a small part of what bodies may hold. Only busy connections count in
	// the end: a new one takes the place of one that keeps us waiting.
	maxConnections = 2048

	// shedLogEvery is how often the log says that connections are closed for others.
	shedLogEvery = time.Minute
)

// connections is a listener with at most limit connections. A flood of idle or
// slow ones keeps nobody out: when there is no room, the connection that has kept
// us waiting longest makes it, be it for a request, for the rest of its headers
// or for the next 64 KiB of its body. Its sender has no answer yet, and comes
// again. If all are busy, the next one stays in the kernel's queue until one is not.
type connections struct {
	net.Listener
	limit int
	log   *slog.Logger

	mu      sync.Mutex
	changed *sync.Cond
	open    int
	closed  bool
	waiting line

	shed   int // since the last log line
	logged time.Time
}

func limitConnections(listener net.Listener, log *slog.Logger) *connections {
	c := &connections{Listener: listener, limit: connectionLimit(), log: log}
	c.changed = sync.NewCond(&c.mu)
	return c
}

// connectionLimit leaves half of the files that the process may open to the
// inbox, to Temporal and to destinations.
func connectionLimit() int {
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil || files.Cur/2 > maxConnections {
		return maxConnections
	}
	return max(1, int(files.Cur/2)) //nolint:gosec // at most maxConnections
}

// Accept implements net.Listener.
func (c *connections) Accept() (net.Conn, error) {
	accepted, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.open >= c.limit && !c.closed {
		if longest := c.waiting.first; longest != nil {
			c.drop(longest)
			continue
		}
		c.changed.Wait()
	}
	if c.closed {
		_ = accepted.Close()
		return nil, net.ErrClosed
	}
	c.open++
	added := &connection{Conn: accepted, all: c}
	c.waiting.join(added)
	return added, nil
}

// drop makes room. The lock is held.
func (c *connections) drop(longest *connection) {
	longest.leave()
	_ = longest.Conn.Close()
	if c.shed++; time.Since(c.logged) >= shedLogEvery {
		c.log.Warn("the connections that were waited for longest are closed to make room",
			slog.Int("connections", c.limit), slog.Int("closed", c.shed))
		c.shed, c.logged = 0, time.Now()
	}
}

// Close implements net.Listener.
func (c *connections) Close() error {
	c.mu.Lock()
	c.closed = true
	c.changed.Broadcast()
	c.mu.Unlock()
	return c.Listener.Close()
}

// follow is the server's hook: it tells connections that work from those that
// keep us waiting.
func (c *connections) follow(conn net.Conn, state http.ConnState) {
	of := conn.(*connection)
	switch state {
	case http.StateActive: // the headers are here
		of.lines = headersRead
		of.works()
	case http.StateIdle:
		of.lines = 0
		of.deaf.Store(false)
		of.waits()
	}
}

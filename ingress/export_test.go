package ingress

import (
	"net"
	"slices"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
)

// SetPatience shortens how long a body may take to begin, for tests of slow senders.
func (d *Door) SetPatience(patience time.Duration) { d.patience = patience }

// SetStall shortens how long a body may stand still.
func (d *Door) SetStall(stall time.Duration) { d.stall = stall }

// Reserved is the memory that bodies hold.
func (d *Door) Reserved(total int64) int64 { return total - d.bodies.free.Load() }

// Connections is how many are open.
func (s *Server) Connections() int {
	c := s.listener.(*connections)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open
}

// LimitConnections replaces the limit, before Serve.
func (s *Server) LimitConnections(limit int) { s.listener.(*connections).limit = limit }

// ListenThrough puts a listener before the server's own, before Serve.
func (s *Server) ListenThrough(wrap func(net.Listener) net.Listener) {
	c := s.listener.(*connections)
	c.Listener = wrap(c.Listener)
}

// Accepted is compared with what encoding/json writes.
func Accepted(receipts []inbox.Receipt) []byte { return accepted(receipts).Body }

// The limits of a connection that senders cannot be allowed to exceed.
const (
	ReadHeaderTimeout = readHeaderTimeout
	Patience          = defaultPatience
	MaxConnections    = maxConnections
)

// Line is a line of connections that are known by number.
type Line struct {
	line
	all []*connection
}

// NewLine makes an empty line, and connections that may join it.
func NewLine(connections int) *Line {
	l := &Line{}
	for range connections {
		l.all = append(l.all, &connection{})
	}
	return l
}

// Join puts a connection at the end.
func (l *Line) Join(n int) { l.join(l.all[n]) }

// Leave takes a connection out.
func (l *Line) Leave(n int) { l.leave(l.all[n]) }

// Forwards tells who is in the line, by the links from the front; Backwards, by those
// from the end.
func (l *Line) Forwards() (in []int) {
	for c := l.first; c != nil; c = c.after {
		in = append(in, slices.Index(l.all, c))
	}
	return in
}

// Backwards follows the links from the end.
func (l *Line) Backwards() (in []int) {
	for c := l.last; c != nil; c = c.before {
		in = append([]int{slices.Index(l.all, c)}, in...)
	}
	return in
}

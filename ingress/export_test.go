package ingress

import (
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

// Accepted is compared with what encoding/json writes.
func Accepted(receipts []inbox.Receipt) []byte { return accepted(receipts).Body }

// The limits of a connection that senders cannot be allowed to exceed.
const (
	ReadHeaderTimeout = readHeaderTimeout
	Patience          = defaultPatience
	MaxConnections    = maxConnections
)

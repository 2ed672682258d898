package ingress

import "time"

// SetPatience shortens how long a body may take to begin, for tests of slow senders.
func (d *Door) SetPatience(patience time.Duration) { d.patience = patience }

// SetStall shortens how long a body may stand still.
func (d *Door) SetStall(stall time.Duration) { d.stall = stall }

// Reserved is the memory that bodies hold.
func (d *Door) Reserved(total int64) int64 { return total - d.bodies.free.Load() }

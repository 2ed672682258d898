package precedence

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
)

const (
	// crowdEach is how many appends in flight, for each processor, make a crowd: a
	// disk that syncs in some milliseconds has a few at a thousand webhooks a second.
	crowdEach = 8
	// crowdTime is how long a crowd is thought to be there since it was last seen: a
	// commit answers most of it at once.
	crowdTime = 50 * time.Millisecond
)

// Door is what webhooks are accepted through. It is safe for concurrent use. Nil is
// a door that never has a crowd.
type Door struct {
	inbox   inbox.Accepter
	crowd   int64 // appends in flight that are one
	flight  atomic.Int64
	crowded atomic.Int64 // when there last was one, in nanoseconds since began
	began   time.Time

	mu      sync.Mutex
	sources map[string]*source
	waiting int
	looking bool // after those who wait
}

// NewDoor returns the door to an inbox.
func NewDoor(to inbox.Accepter) *Door {
	d := &Door{
		inbox: to, crowd: crowdEach * int64(runtime.GOMAXPROCS(0)),
		began: time.Now(), sources: map[string]*source{},
	}
	d.crowded.Store(-int64(crowdTime))
	return d
}

// Append is the inbox's.
func (d *Door) Append(ctx context.Context, delivery inbox.Delivery) ([]inbox.Receipt, error) {
	if d.flight.Add(1) > d.crowd {
		d.crowded.Store(int64(time.Since(d.began)))
	}
	receipts, err := d.inbox.Append(ctx, delivery)
	d.flight.Add(-1)
	if err == nil && d.isCrowded() {
		d.accepted(delivery.Events)
	}
	return receipts, err
}

// isCrowded tells whether the door is, or was a moment ago.
func (d *Door) isCrowded() bool {
	return time.Since(d.began)-time.Duration(d.crowded.Load()) < crowdTime
}

// accepted earns the events' sources their share.
func (d *Door) accepted(events []inbox.NewEvent) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range events {
		s := d.source(events[i].Source)
		s.earn(1.0 / share)
		d.admit(s)
	}
}

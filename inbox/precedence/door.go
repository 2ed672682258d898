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
	// rush is how long a crowd may go first. One that stays, as before a disk that is
	// slow to sync, is the load as it is: then an event begins for each that is accepted,
	// or the drains would fall back for ever, on an idle processor. respite is how long
	// the door must have been without one before it may rush again.
	rush    = time.Minute
	respite = 5 * time.Second
)

// Door is what webhooks are accepted through. It is safe for concurrent use. Nil is
// a door that never has a crowd.
type Door struct {
	inbox   inbox.Accepter
	crowd   int64 // appends in flight that are one
	flight  atomic.Int64
	crowded atomic.Int64 // when there last was one, in nanoseconds since began
	first   atomic.Int64 // when it was first there, without a respite since
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
	d.crowded.Store(-int64(respite))
	return d
}

// Append is the inbox's.
func (d *Door) Append(ctx context.Context, delivery inbox.Delivery) ([]inbox.Receipt, error) {
	if d.flight.Add(1) > d.crowd {
		now := int64(time.Since(d.began))
		if last := d.crowded.Swap(now); now-last > int64(respite) {
			d.first.Store(now)
		}
	}
	defer d.flight.Add(-1)
	receipts, err := d.inbox.Append(ctx, delivery)
	if err == nil && d.isCrowded() {
		d.accepted(delivery.Events)
	}
	return receipts, err
}

// Crowds tells whether the door has a crowd that has not stayed too long, and a source is
// one that makes it.
func (d *Door) Crowds(source string) bool {
	if d == nil || !d.isCrowded() || d.stays() {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.source(source).excessNow(time.Now()) > calm
}

// stays tells whether the crowd has been there for so long that it is the load.
func (d *Door) stays() bool { return d.crowded.Load()-d.first.Load() > int64(rush) }

// isCrowded tells whether the door is, or was a moment ago.
func (d *Door) isCrowded() bool {
	return time.Since(d.began)-time.Duration(d.crowded.Load()) < crowdTime
}

// accepted earns the events' sources their share.
func (d *Door) accepted(events []inbox.NewEvent) {
	earned := 1.0 / share
	if d.stays() {
		earned = 1
	}
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range events {
		s := d.source(events[i].Source)
		s.excess, s.excessAs = min(s.excessNow(now)+1, 2*calm), now
		s.earn(earned, saved)
		d.admit(s)
	}
}

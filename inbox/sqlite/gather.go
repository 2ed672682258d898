package sqlite

import (
	"sync/atomic"
	"time"
)

const (
	// crowd is the batch after which the writer waits for more of its like. Calm
	// traffic, and a subject whose events follow each other, never wait.
	crowd = 4

	// gatherTime bounds the wait. It is about what a commit takes from the processors.
	gatherTime = 500 * time.Microsecond
)

// gathering lets batches grow while a crowd writes.
//
// A commit takes the same from the processors and from the disk whether two
// operations share it or forty. A writer that begins as soon as it can is ready again
// before those it has answered are back with their next events, and has them wait for
// one small commit after another. So after a batch of a crowd it expects as many as
// it has just answered and as have queued meanwhile, and gives them a moment to come.
type gathering struct {
	time     time.Duration
	expected int           // in the next batch; the writer's
	missing  atomic.Int64  // that must have queued before the writer goes on; 0: it does not wait
	complete chan struct{} // they have
}

func newGathering() gathering { return gathering{time: gatherTime, complete: make(chan struct{}, 1)} }

// expect is called before a batch is answered, with how many wait already: nobody is
// counted twice.
func (g *gathering) expect(answered, queued int) {
	g.expected = 0
	if answered >= crowd {
		g.expected = answered + queued
	}
}

// queued is called by whoever has joined the queue.
func (g *gathering) queued(now int) {
	if missing := g.missing.Load(); missing > 0 && int64(now) >= missing {
		select {
		case g.complete <- struct{}{}:
		default:
		}
	}
}

// gather returns when a batch of so many can have what it lacks, or will not get it.
func (s *Store) gather(have int) {
	missing := min(s.gathering.expected, s.options.BatchLength) - have
	if missing <= 0 {
		return
	}
	select {
	case <-s.gathering.complete: // what an earlier batch was told too late
	default:
	}
	s.gathering.missing.Store(int64(missing))
	defer s.gathering.missing.Store(0)
	if s.queued() >= missing {
		return
	}
	enough := time.NewTimer(s.gathering.time)
	defer enough.Stop()
	select {
	case <-s.gathering.complete:
	case <-enough.C:
	case <-s.closing:
	}
}

package sqlite

import (
	"sync/atomic"
	"time"
)

const (
	// crowd is the batch after which the writer waits for more of its like. While nobody
	// else writes, calm traffic and a subject whose events follow each other never wait.
	crowd = 4

	// gatherTime bounds the wait. It is about what a commit takes from the processors.
	// Where one of them is idle, Go's timers make it a millisecond.
	gatherTime = 500 * time.Microsecond

	// gatherSpan is how many gatherTimes after its answers a crowd is not expected any more.
	gatherSpan = 10

	// vainRest is how many batches begin at once after a wait in which less than an eighth
	// came: whoever writes now does something else between two operations.
	vainRest = 3
)

// gathering lets batches grow while a crowd writes.
//
// A commit takes the same from the processors and from the disk whether two
// operations share it or forty. A writer that begins as soon as it can is ready again
// before those it has answered are back with their next events, and has them wait for
// one small commit after another. So after a batch of a crowd it expects as many as
// it answers and as have queued meanwhile, and gives them a moment to come.
//
// It counts the queue itself: joined and wait must each see what the other has stored
// before it looks, and the length of a channel is in no order with missing.
type gathering struct {
	time     time.Duration
	queue    atomic.Int64  // operations that wait for the writer
	missing  atomic.Int64  // operations that must wait before the writer goes on; 0: it is not gathering
	complete chan struct{} // they do

	// The writer's own.
	expected int       // in the next batch
	until    time.Time // they are
	rest     int       // batches for which nobody is waited for
}

func newGathering() gathering { return gathering{time: gatherTime, complete: make(chan struct{}, 1)} }

// joined is called by whoever has joined a queue.
func (g *gathering) joined() {
	queue := g.queue.Add(1)
	if missing := g.missing.Load(); missing > 0 && queue >= missing {
		select {
		case g.complete <- struct{}{}:
		default:
		}
	}
}

// left is called for each operation that the writer takes from a queue.
func (g *gathering) left() { g.queue.Add(-1) }

// expect is called before a batch is answered: nobody is counted twice, as answered
// and as queued.
func (g *gathering) expect(answers int) {
	g.expected = 0
	switch {
	case answers < crowd:
	case g.rest > 0:
		g.rest--
	default:
		g.expected = answers + int(g.queue.Load())
		g.until = time.Now().Add(gatherSpan * g.time)
	}
}

// wait returns when as many are queued as the next batch lacks, when it is time, or when
// the store closes.
func (g *gathering) wait(missing int, closing <-chan struct{}) {
	if time.Now().After(g.until) {
		return
	}
	select {
	case <-g.complete: // what an earlier batch was told too late
	default:
	}
	g.missing.Store(int64(missing))
	defer g.missing.Store(0)
	if int(g.queue.Load()) >= missing {
		return
	}
	enough := time.NewTimer(g.time)
	defer enough.Stop()
	select {
	case <-g.complete:
	case <-enough.C:
		if came := int(g.queue.Load()); 8*came < missing {
			g.rest = vainRest
		}
	case <-closing:
	}
}

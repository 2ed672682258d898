package doorbell

import (
	"context"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
)

// run is one caller.
func (r *Ringer) run(freshOnly bool) {
	for {
		next := r.next(freshOnly)
		if next == nil {
			return
		}
		ctx, cancel := context.WithTimeout(r.calls, callTimeout)
		took, err := r.call(ctx, next)
		cancel()
		r.finish(next, took, err)
	}
}

// next waits for a ring to carry, and returns nil when there is no more.
func (r *Ringer) next(freshOnly bool) *ring {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if r.calls.Err() != nil {
			return nil
		}
		if found := r.pick(freshOnly); found != nil {
			found.calling = true
			found.telling, found.tell = found.tell, false
			return found
		}
		if r.closing && len(r.fresh.turns) == 0 && !r.left.watched {
			return nil
		}
		r.work.Wait()
	}
}

func (r *Ringer) pick(freshOnly bool) *ring {
	if !freshOnly || r.closing {
		if found := r.again.pop(func(string) bool { return true }); found != nil {
			return found
		}
	}
	r.leaveFresh()
	found := r.fresh.pop(r.may)
	if found != nil {
		found.first = true
		r.shares.begin(inbox.SourceOf(found.subject))
	}
	return found
}

// may tells whether another fresh ring of a source may have its call.
func (r *Ringer) may(source string) bool {
	if r.makesWay(source) {
		return r.shares.rested(source)
	}
	return r.shares.may(source)
}

// floodRings is how many rings of a source wait when it is a flood's: as many as a
// source that sends no more than a calm one has in a second.
const floodRings = 200

// makesWay tells whether a source has a flood of rings while its webhooks crowd the door.
// It then has one call at a time, and rests after each doorShare times as long as that
// took, but no longer than longestRest.
func (r *Ringer) makesWay(source string) bool {
	return len(r.fresh.waiting[source]) > floodRings && r.crowds(source)
}

// wake has the callers look again. Not without the lock: one that has just looked would
// not hear it.
func (r *Ringer) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.work.Broadcast()
}

func (r *Ringer) finish(rung *ring, took time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rung.calling = false
	if rung.first {
		rung.first = false
		source := inbox.SourceOf(rung.subject)
		r.shares.end(source, took, err == nil)
		if r.makesWay(source) {
			rest := min(doorShare*took, longestRest)
			r.shares.rest(source, rest)
			time.AfterFunc(rest, r.wake)
		}
		r.work.Broadcast() // the source's next fresh ring; also a caller that waits for the last ones when closing
	}
	if err == nil {
		r.metrics.rings.WithLabelValues(outcomeRung).Inc()
		rung.failed = 0
		if rung.repeat {
			rung.repeat = false
			r.enqueue(rung)
			return
		}
		r.forget(rung.subject)
		return
	}
	r.metrics.rings.WithLabelValues(outcomeFailed).Inc()
	rung.failed++
	rung.repeat = false
	rung.tell = rung.tell || rung.telling
	if r.closing {
		return // it stays among the rings, so that Close can count it
	}
	r.complain(rung, err)
	rung.timer = time.AfterFunc(backoff(rung.failed), func() { r.retry(rung) })
}

// retry puts a ring whose wait is over back into the queue.
func (r *Ringer) retry(rung *ring) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rung.timer == nil {
		return // Close was faster
	}
	rung.timer = nil
	r.again.push(rung)
	r.work.Broadcast()
}

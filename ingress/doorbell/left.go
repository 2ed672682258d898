package doorbell

import (
	"context"
	"slices"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/relief"
)

const (
	// laneTime is how long a subject is left to the relief lane before it is asked
	// whether that has taken it.
	laneTime = time.Second
	// laneCrowded is how long a lane may take none of those that are asked about. Each is
	// asked about once every laneTime, and while there are more than the lane can take
	// in that time, only some of the looks find any that it has taken.
	laneCrowded = 2 * laneTime
	// laneDistrust is how long nothing is left to a lane that took nobody: no worker
	// runs one, or its destination hangs.
	laneDistrust = 5 * time.Second
	lanePage     = 500
)

// Inbox is what a Ringer asks about the subjects that it has left to the relief lane.
type Inbox interface {
	// StillRung returns which of the subjects were rung at or before a time and have
	// not been taken by anybody since.
	StillRung(ctx context.Context, subjects []string, now, before time.Time) ([]string, error)
	// Held returns which of the subjects are held and have something to do.
	Held(ctx context.Context, subjects []string) ([]string, error)
}

// left are the rings that are left to the relief lane, the longest first.
type left struct {
	window *relief.Window
	inbox  Inbox
	told   func()

	rings      []*ring
	open       map[string]bool // sources whose fresh rings have been left to it since it opened to them
	taken      time.Time       // when it was last found that the lane had taken somebody
	distrusted time.Time       // until when nothing is left to the lane
	watched    bool
	ended      chan struct{} // nil: there is no lane
}

// relieve leaves a fresh ring to the relief lane, if that is open. Whatever waits for
// longer than it should opens it.
func (r *Ringer) relieve(fresh *ring) bool {
	if r.left.window.Off() || fresh.start || r.closing {
		return false
	}
	source := inbox.SourceOf(fresh.subject)
	r.noticeWaiting(source, fresh.since)
	r.leaveFresh()
	if !r.openTo(source, fresh.since) {
		delete(r.left.open, source)
		return false
	}
	r.leave(fresh)
	return true
}

// openTo tells whether rings of a source are left to the lane.
func (r *Ringer) openTo(source string, now time.Time) bool {
	return !now.Before(r.left.distrusted) && r.left.window.OpenTo(source, now)
}

// noticeWaiting opens the lane if a source's rings wait too long for a caller.
func (r *Ringer) noticeWaiting(source string, now time.Time) {
	if oldest := r.fresh.oldest(source); !oldest.IsZero() {
		r.left.window.Waited(source, oldest, now)
	}
}

// leaveFresh leaves to the relief lane what was rung before it opened to its source.
func (r *Ringer) leaveFresh() {
	if r.left.window.Off() || r.closing {
		return
	}
	now := time.Now()
	for _, source := range slices.Clone(r.fresh.turns) {
		switch open := r.openTo(source, now); {
		case !open:
			delete(r.left.open, source)
		case !r.left.open[source]:
			r.left.open[source] = true
			r.leaveFreshOf(source)
		}
	}
}

func (r *Ringer) leaveFreshOf(source string) {
	var own []*ring
	its := func(other string) bool { return other == source }
	for found := r.fresh.pop(its); found != nil; found = r.fresh.pop(its) {
		if found.start {
			own = append(own, found)
		} else {
			r.leave(found)
		}
	}
	for _, found := range own {
		r.fresh.push(found)
	}
}

func (r *Ringer) leave(fresh *ring) {
	fresh.left, fresh.repeat, fresh.since = true, false, time.Now()
	r.left.rings = append(r.left.rings, fresh)
	if r.left.told != nil {
		r.left.told()
	}
}

// takeBack gives a ring that was left to the relief lane to the callers. Its place in
// the list of those stays, and says nothing any more.
func (r *Ringer) takeBack(ring *ring) {
	ring.left, ring.repeat = false, false
	r.fresh.push(ring)
	r.work.Signal()
}

// watch asks, until Close, what became of the subjects that were left to the lane.
func (r *Ringer) watch() {
	tick := time.NewTicker(laneTime / 4)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			r.look(now)
			r.settleLeft(now.Add(-laneTime), false)
		case <-r.left.ended:
			r.settleLeft(time.Now(), true)
			r.mu.Lock()
			r.left.watched = false
			r.work.Broadcast()
			r.mu.Unlock()
			return
		}
	}
}

// look notices what waits for callers that all hang.
func (r *Ringer) look(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, source := range r.fresh.turns {
		r.noticeWaiting(source, now)
	}
	r.leaveFresh()
}

// settleLeft asks about the rings that were left before a time. Who was taken by the
// lane, or by anybody, needs no ring. As long as it takes some, it will take the others
// too; when it takes none, Temporal is to start them, and those that come. Who is held is
// not for the lane: a run shows the hold, and is there when it ends.
func (r *Ringer) settleLeft(before time.Time, last bool) {
	for page := r.leftBefore(before, last); len(page) > 0; page = r.leftBefore(before, last) {
		a, err := r.ask(page)
		r.answered(page, a, err, last)
	}
}

// laneAnswer is what the inbox tells of some subjects.
type laneAnswer struct{ still, held map[string]bool }

func (r *Ringer) ask(page []*ring) (a laneAnswer, err error) {
	subjects := make([]string, len(page))
	for i, asked := range page {
		subjects[i] = asked.subject
	}
	now := time.Now()
	still, err := r.left.inbox.StillRung(r.calls, subjects, now, now)
	if err != nil {
		return a, err
	}
	a.still = set(still)
	held, err := r.left.inbox.Held(r.calls, slices.DeleteFunc(subjects, func(s string) bool { return a.still[s] }))
	a.held = set(held)
	return a, err
}

func set(subjects []string) map[string]bool {
	is := make(map[string]bool, len(subjects))
	for _, subject := range subjects {
		is[subject] = true
	}
	return is
}

// leftBefore takes a page of rings from the list. Those that were rung again since
// wait once more, unless it is the last time: what they were rung for first is done.
func (r *Ringer) leftBefore(before time.Time, last bool) (page []*ring) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(page) < lanePage && len(r.left.rings) > 0 {
		next := r.left.rings[0]
		if next.left && next.since.After(before) {
			break
		}
		r.left.rings = r.left.rings[1:]
		switch {
		case !next.left: // taken back
		case next.repeat && !last:
			r.leaveAgain(next)
		default:
			page = append(page, next)
		}
	}
	return page
}

func (r *Ringer) leaveAgain(asked *ring) {
	asked.repeat, asked.since = false, time.Now()
	r.left.rings = append(r.left.rings, asked)
}

// answered takes the inbox's answer about a page of rings.
func (r *Ringer) answered(page []*ring, a laneAnswer, err error, last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil && len(a.still) < len(page) {
		r.left.taken = time.Now()
	}
	idle := last || err == nil && time.Since(r.left.taken) > laneCrowded
	if idle {
		r.left.distrusted = time.Now().Add(laneDistrust)
	}
	for _, asked := range page {
		switch {
		case !asked.left: // taken back meanwhile
		case idle && (err != nil || a.still[asked.subject] || asked.repeat), a.held[asked.subject]:
			asked.start = true
			r.takeBack(asked)
		case err != nil, a.still[asked.subject], asked.repeat:
			r.leaveAgain(asked)
		default:
			asked.left = false
			r.metrics.rings.WithLabelValues(outcomeRelieved).Inc()
			r.forget(asked.subject)
		}
	}
}

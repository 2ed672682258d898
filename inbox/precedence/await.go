package precedence

import (
	"context"
	"time"
)

const (
	// share is how many webhooks of a source the door accepts, while it is crowded, for
	// each event of it that a drain begins. To handle one costs about as much as to accept
	// one, so that the door has eight ninths of the processors.
	share = 8
	// saved is how many such events wait at most for a drain that may begin them: the
	// webhooks of one commit are accepted together, and one drain begins theirs one after
	// the other.
	saved = 1000
	// calm is how many events of a source the drains may begin a second in any case, and
	// calmBurst how many at once: a source that sends less is not the one that crowds.
	calm      = 200
	calmBurst = 20
	// patience is how long an event waits at most, as when the door has its crowd
	// because the disk hangs; glance is how often it is looked after.
	patience = time.Second
	glance   = 20 * time.Millisecond
)

// source is one that events come from.
type source struct {
	earned  float64   // events that may begin
	as      time.Time // of then
	waiting []*waiter // the longest first

	excess   float64   // what it has sent to a crowd beyond what a calm source does; 2*calm at most
	excessAs time.Time // of then
}

// waiter is a drain that is to begin an event.
type waiter struct {
	since time.Time
	begin chan struct{} // closed when it may
	gone  bool
}

// Await waits while the door is crowded and an event's source has had its share.
func (d *Door) Await(ctx context.Context, source string) {
	if d == nil || !d.isCrowded() {
		return
	}
	w := d.queue(source)
	if w == nil {
		return
	}
	select {
	case <-w.begin:
	case <-ctx.Done():
		d.mu.Lock()
		defer d.mu.Unlock()
		w.gone = true
	}
}

// queue returns nil for an event that may begin at once.
func (d *Door) queue(name string) *waiter {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.source(name)
	w := &waiter{since: time.Now(), begin: make(chan struct{})}
	s.waiting = append(s.waiting, w)
	d.waiting++
	if d.admit(s); len(s.waiting) == 0 {
		return nil
	}
	if !d.looking {
		d.looking = true
		time.AfterFunc(glance, d.look)
	}
	return w
}

// look admits, for as long as anybody waits, those whose time has come.
func (d *Door) look() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.sources {
		d.admit(s)
	}
	if d.looking = d.waiting > 0; d.looking {
		time.AfterFunc(glance, d.look)
	}
}

// admit lets those of a source begin who may.
func (d *Door) admit(s *source) {
	now, crowded := time.Now(), d.isCrowded()
	s.earn(calm*now.Sub(s.as).Seconds(), calmBurst)
	s.as = now
	for len(s.waiting) > 0 {
		first := s.waiting[0]
		switch {
		case first.gone:
		case s.earned >= 1:
			s.earned--
			close(first.begin)
		case !crowded, now.Sub(first.since) >= patience:
			close(first.begin)
		default:
			return
		}
		s.waiting = s.waiting[1:]
		d.waiting--
	}
}

// earn adds events, but not beyond so many.
func (s *source) earn(events, most float64) { s.earned = max(s.earned, min(s.earned+events, most)) }

// excessNow is the excess after the time that has passed, in which a calm source would have
// sent as much.
func (s *source) excessNow(now time.Time) float64 {
	return max(0, s.excess-calm*now.Sub(s.excessAs).Seconds())
}

// source returns a source's account, which begins with what a calm one may have.
func (d *Door) source(name string) *source {
	s := d.sources[name]
	if s == nil {
		s = &source{earned: calmBurst, as: time.Now()}
		d.sources[name] = s
	}
	return s
}

// Waiting is how many events wait for the door's crowd.
func (d *Door) Waiting() int {
	if d == nil {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.waiting
}

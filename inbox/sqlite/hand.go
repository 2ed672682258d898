package sqlite

import (
	"time"

	"github.com/holdfast-project/holdfast/inbox"
)

// clockSlack is how far the clocks of a fleet may differ. What was noted further
// ahead was noted under a wrong clock, and must not hide a subject until then.
const clockSlack = 10 * time.Minute

// inHandOfAnother tells whether another run than this one may be in a handler now.
func (r *row) inHandOfAnother(run string, now micros) bool {
	return r.busyRun != run && r.busyUntil.after(now) && !r.busySince.after(now.plus(clockSlack))
}

// take notes that a run has the subject in hand. Without an end it has not.
func (r *row) take(run string, now, until micros) {
	if !until.set() {
		r.letGo()
		r.sweepFrom(now)
		return
	}
	r.busyRun, r.busySince, r.busyUntil = run, now, until
	r.sweepFrom(until)
}

// letGo notes that no run has the subject in hand.
func (r *row) letGo() { r.busyRun, r.busySince, r.busyUntil = "", micros{}, micros{} }

// untaken is the subject as whoever may not start a handler gets it.
func (r *row) untaken() inbox.Subject {
	s := r.subject()
	s.Epoch = 0
	return s
}

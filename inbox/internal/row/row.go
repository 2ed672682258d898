package row

import (
	"time"

	"github.com/holdfast-project/holdfast/inbox"
)

// Row is a subject's row. Two rows are equal if they would be stored alike.
type Row struct {
	Number     int64 // that events refer to
	ID         string
	Name       string
	Source     string
	Pending    int
	Epoch      int64
	Held       bool
	HeldSince  Time
	HeldUntil  Time
	HeldBy     string
	HeldReason string
	Streak     int
	Spent      int64
	Holds      int
	NextWake   Time
	LastError  string
	FailedAt   Time
	SweepAt    Time // the sweeper leaves the subject alone until then; none: until an operator acts
	BusyRun    string
	BusySince  Time
	BusyUntil  Time
}

// Subject is the row as the rest of Holdfast knows it.
func (r *Row) Subject() inbox.Subject {
	return inbox.Subject{
		ID: r.ID, Name: r.Name, Source: r.Source, Pending: r.Pending, Epoch: r.Epoch,
		Held: r.Held, HeldUntil: r.HeldUntil.Time(), HeldBy: r.HeldBy, HeldReason: r.HeldReason,
		Streak: r.Streak, Spent: time.Duration(r.Spent), Holds: r.Holds,
		NextWake: r.NextWake.Time(), LastError: r.LastError, FailedAt: r.FailedAt.Time(),
	}
}

// State is Subject's State.
func (r *Row) State() inbox.State {
	return inbox.Subject{Held: r.Held, Streak: r.Streak, Pending: r.Pending}.State()
}

// heldByOperator tells whether a person holds the subject: no policy may change that.
func (r *Row) heldByOperator() bool { return r.Held && r.HeldBy != inbox.HeldByPolicy }

func (r *Row) hold(since, until Time, by, reason string) {
	r.Held, r.HeldSince, r.HeldUntil, r.HeldBy, r.HeldReason = true, since, until, by, reason
}

func (r *Row) release() {
	r.Held, r.HeldSince, r.HeldUntil, r.HeldBy, r.HeldReason = false, Time{}, Time{}, "", ""
}

// ReleaseIfOver ends a hold whose time has come.
func (r *Row) ReleaseIfOver(now Time) {
	if r.Held && r.HeldUntil.Over(now) {
		r.release()
		r.sweepFrom(r.SweepAt) // the next attempt may be later than the hold's end
	}
}

// movedOn clears what is known about the failures of the first pending event.
func (r *Row) movedOn() {
	r.Streak, r.Spent, r.Holds = 0, 0, 0
	r.NextWake, r.LastError, r.FailedAt = Time{}, "", Time{}
}

// sweepFrom sets the time from which the sweeper may ring: not while the subject
// is held, not before its next attempt, and not before the given time.
func (r *Row) sweepFrom(at Time) {
	switch {
	case r.Held:
		r.SweepAt = r.HeldUntil
	case r.NextWake.After(at):
		r.SweepAt = r.NextWake
	default:
		r.SweepAt = at
	}
}

// Raise counts one more pending event and tells whether the subject is to be rung.
func (r *Row) Raise(now Time) (ring bool) {
	ring = r.Pending == 0
	r.Pending++
	if ring {
		r.sweepFrom(now)
	}
	return ring
}

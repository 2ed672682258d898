package sqlite

import (
	"time"

	"github.com/holdfast-project/holdfast/inbox"
)

// row is a subject's row as the database has it. Two rows are equal if they
// would be stored alike.
type row struct {
	number     int64
	id         string
	name       string
	source     string
	pending    int
	epoch      int64
	held       bool
	heldSince  micros
	heldUntil  micros
	heldBy     string
	heldReason string
	streak     int
	spent      int64
	holds      int
	nextWake   micros
	lastError  string
	failedAt   micros
	sweepAt    micros
	busyRun    string
	busySince  micros
	busyUntil  micros
}

const rowColumns = `s.number, s.id, s.name, s.source, s.pending, s.epoch,
	s.held, s.held_since, s.held_until, s.held_by, s.held_reason,
	s.streak, s.spent, s.holds, s.next_wake, s.last_error, s.failed_at, s.sweep_at,
	s.busy_run, s.busy_since, s.busy_until`

func (r *row) fields() []any {
	return []any{
		&r.number, &r.id, &r.name, &r.source, &r.pending, &r.epoch,
		&r.held, &r.heldSince, &r.heldUntil, &r.heldBy, &r.heldReason,
		&r.streak, &r.spent, &r.holds, &r.nextWake, &r.lastError, &r.failedAt, &r.sweepAt,
		&r.busyRun, &r.busySince, &r.busyUntil,
	}
}

func (r *row) subject() inbox.Subject {
	return inbox.Subject{
		ID: r.id, Name: r.name, Source: r.source, Pending: r.pending, Epoch: r.epoch,
		Held: r.held, HeldUntil: r.heldUntil.time(), HeldBy: r.heldBy, HeldReason: r.heldReason,
		Streak: r.streak, Spent: time.Duration(r.spent), Holds: r.holds,
		NextWake: r.nextWake.time(), LastError: r.lastError, FailedAt: r.failedAt.time(),
	}
}

func (r *row) state() inbox.State {
	return inbox.Subject{Held: r.held, Streak: r.streak, Pending: r.pending}.State()
}

// heldByOperator tells whether a person holds the subject: no policy may change that.
func (r *row) heldByOperator() bool { return r.held && r.heldBy != inbox.HeldByPolicy }

func (r *row) hold(since, until micros, by, reason string) {
	r.held, r.heldSince, r.heldUntil, r.heldBy, r.heldReason = true, since, until, by, reason
}

func (r *row) release() {
	r.held, r.heldSince, r.heldUntil, r.heldBy, r.heldReason = false, micros{}, micros{}, "", ""
}

// releaseIfOver ends a hold whose time has come.
func (r *row) releaseIfOver(now micros) {
	if r.held && r.heldUntil.set() && !r.heldUntil.after(now) {
		r.release()
		r.sweepFrom(r.sweepAt) // the next attempt may be later than the hold's end
	}
}

// movedOn clears what is known about the failures of the first pending event.
func (r *row) movedOn() {
	r.streak, r.spent, r.holds = 0, 0, 0
	r.nextWake, r.lastError, r.failedAt = micros{}, "", micros{}
}

// sweepFrom sets the time from which the sweeper may ring: not while the subject
// is held, not before its next attempt, and not before the given time.
func (r *row) sweepFrom(at micros) {
	switch {
	case r.held:
		r.sweepAt = r.heldUntil
	case r.nextWake.after(at):
		r.sweepAt = r.nextWake
	default:
		r.sweepAt = at
	}
}

// raise counts one more pending event and tells whether the subject is to be rung.
func (r *row) raise(now micros) (ring bool) {
	ring = r.pending == 0
	r.pending++
	if ring {
		r.sweepFrom(now)
	}
	return ring
}

// subject returns the row of a subject, nil if there is none. The caller may
// change it once it has decided not to refuse.
func (t *tx) subject(id string) (*row, error) {
	if kept := t.rows[id]; kept != nil {
		return &kept.row, nil
	}
	kept := &keptRow{}
	found, err := t.first("SELECT "+rowColumns+" FROM subjects s WHERE s.id = ?", []any{id}, kept.stored.fields()...)
	if err != nil || !found {
		return nil, err
	}
	kept.row = kept.stored
	t.rows[id] = kept
	return &kept.row, nil
}

// subjectOrNew is subject, but makes the row if there is none.
func (t *tx) subjectOrNew(id, name, source string) (*row, error) {
	r, err := t.subject(id)
	if err != nil || r != nil {
		return r, err
	}
	if name == "" {
		name = id
	}
	number, err := t.inserted("INSERT INTO subjects (id, name, source) VALUES (?, ?, ?)", id, name, source)
	if err != nil {
		return nil, err
	}
	stored := row{number: number, id: id, name: name, source: source}
	kept := &keptRow{row: stored, stored: stored}
	t.rows[id] = kept
	return &kept.row, nil
}

func (t *tx) save(kept *keptRow) error {
	r, old := kept.row, kept.stored
	if r == old {
		return nil
	}
	var err error
	thin := old
	thin.pending, thin.epoch, thin.sweepAt = r.pending, r.epoch, r.sweepAt
	thin.busyRun, thin.busySince, thin.busyUntil = r.busyRun, r.busySince, r.busyUntil
	if r == thin { // what nearly every batch does: no other index is touched
		_, err = t.exec(`UPDATE subjects SET pending = ?, epoch = ?, sweep_at = ?,
			busy_run = ?, busy_since = ?, busy_until = ? WHERE number = ?`,
			r.pending, r.epoch, r.sweepAt, r.busyRun, r.busySince, r.busyUntil, r.number)
	} else {
		_, err = t.exec(`UPDATE subjects SET pending = ?, epoch = ?, held = ?, held_since = ?, held_until = ?,
			held_by = ?, held_reason = ?, streak = ?, spent = ?, holds = ?, next_wake = ?, last_error = ?,
			failed_at = ?, sweep_at = ?, busy_run = ?, busy_since = ?, busy_until = ? WHERE number = ?`,
			r.pending, r.epoch, r.held, r.heldSince, r.heldUntil, r.heldBy, r.heldReason, r.streak, r.spent,
			r.holds, r.nextWake, r.lastError, r.failedAt, r.sweepAt, r.busyRun, r.busySince, r.busyUntil, r.number)
	}
	if err != nil {
		return err
	}
	t.totals.moved(old, r)
	kept.stored = r
	return nil
}

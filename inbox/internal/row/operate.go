package row

import (
	"fmt"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
)

// CheckVerb completes a verb, or refuses it for what it is.
func CheckVerb(v inbox.Verb) (inbox.Verb, error) {
	if v.By == "" {
		v.By = "operator"
	}
	if v.By == inbox.HeldByPolicy {
		return v, inbox.Refused("%q is what the failure policy calls itself: give another name as \"by\"", v.By)
	}
	return v, nil
}

// Parking is what a store knows of the event that a verb names.
type Parking struct {
	Found   bool
	Subject string // ID; empty: unknown
	Status  inbox.Status
	Head    int64 // sequence of the subject's first pending event
}

// Operate carries out a verb on the row. For a park it asks for the event, and
// then the store is to settle it with ParkReason.
func (r *Row) Operate(v inbox.Verb, event func() (Parking, error)) error {
	switch v.Verb {
	case inbox.VerbPause:
		return r.pause(v)
	case inbox.VerbResume:
		return r.resume()
	case inbox.VerbPark:
		return r.park(v, event)
	default:
		return inbox.Refused("%q is no verb: use %s, %s or %s", v.Verb, inbox.VerbPause, inbox.VerbResume, inbox.VerbPark)
	}
}

func (r *Row) pause(v inbox.Verb) error {
	if !v.Until.IsZero() && !v.Until.After(v.Now) {
		return inbox.Refused("the pause would end at %s, which is over: give a later \"until\"", v.Until.UTC().Format(time.RFC3339))
	}
	now := TimeOf(v.Now)
	if r.heldByOperator() && !r.HeldUntil.Over(now) {
		return inbox.Refused("%s is already paused by %s since %s, %s: resume it first",
			r.ID, r.HeldBy, clock(r.HeldSince), untilWhen(r.HeldUntil))
	}
	r.hold(now, TimeOf(v.Until), v.By, v.Reason)
	r.sweepFrom(now)
	return nil
}

func clock(at Time) string { return at.Time().Format(time.RFC3339) }

func untilWhen(until Time) string {
	if !until.Valid {
		return "until somebody resumes it"
	}
	return "until " + clock(until)
}

func (r *Row) resume() error {
	if !r.Held && r.Streak == 0 {
		return inbox.Refused("%s is %s: there is nothing to resume", r.ID, r.State())
	}
	r.release()
	r.movedOn()
	r.sweepFrom(atOnce)
	return nil
}

func (r *Row) park(v inbox.Verb, event func() (Parking, error)) error {
	switch {
	case v.Reason == "":
		return inbox.Refused("park needs a reason")
	case v.Sequence <= 0:
		return inbox.Refused("park needs the sequence of the event that it means")
	}
	e, err := event()
	switch {
	case err != nil:
		return err
	case !e.Found:
		return inbox.Refused("there is no event %d", v.Sequence)
	case e.Subject == "":
		return inbox.Refused("event %d belongs to no subject", v.Sequence)
	case e.Subject != r.ID:
		return inbox.Refused("event %d belongs to another subject, %s", v.Sequence, e.Subject)
	case e.Status != inbox.StatusPending:
		return inbox.Refused("event %d is %s, not pending: it cannot be parked", v.Sequence, e.Status)
	}
	r.Pending--
	if e.Head != v.Sequence {
		return nil
	}
	r.movedOn()
	if !r.heldByOperator() {
		r.release()
	}
	r.sweepFrom(atOnce)
	return nil
}

// ParkReason is the reason of an event that an operator has parked.
func ParkReason(v inbox.Verb) string { return fmt.Sprintf("%s (parked by %s)", v.Reason, v.By) }

// Audited is a verb as the audit keeps it.
func Audited(v inbox.Verb) inbox.AuditEntry {
	return inbox.AuditEntry{
		At: v.Now, Verb: v.Verb, Subject: v.Subject, Sequence: v.Sequence, Reason: v.Reason, By: v.By, Until: v.Until,
	}
}

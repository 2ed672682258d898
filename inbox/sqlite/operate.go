package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
)

// Operate carries out an operator's verb. The subject is named by its ID.
func (s *Store) Operate(ctx context.Context, v inbox.Verb) (inbox.SubjectView, error) {
	if v.By == "" {
		v.By = "operator"
	}
	if v.By == inbox.HeldByPolicy {
		return inbox.SubjectView{}, inbox.Refused("%q is what the failure policy calls itself: give another name as \"by\"", v.By)
	}
	return write(ctx, s, func(t *tx) (inbox.SubjectView, error) { return t.operate(v) })
}

func (t *tx) operate(v inbox.Verb) (inbox.SubjectView, error) {
	r, err := t.subject(v.Subject)
	if err != nil {
		return inbox.SubjectView{}, err
	}
	if r == nil {
		return inbox.SubjectView{}, fmt.Errorf("subject %s: %w", v.Subject, inbox.ErrNotFound)
	}
	done, err := t.doneBefore(v)
	if err != nil {
		return inbox.SubjectView{}, err
	}
	if !done {
		if err := t.carryOut(r, v); err != nil {
			return inbox.SubjectView{}, err
		}
	}
	view := inbox.SubjectView{Subject: r.subject()}
	view.Head, err = t.head(r)
	return view, err
}

func (t *tx) doneBefore(v inbox.Verb) (bool, error) {
	if v.RequestID == "" {
		return false, nil
	}
	var one int
	return t.first("SELECT 1 FROM audit WHERE subject = ? AND request_id = ?", []any{v.Subject, v.RequestID}, &one)
}

func (t *tx) carryOut(r *row, v inbox.Verb) error {
	var err error
	switch v.Verb {
	case inbox.VerbPause:
		err = pause(r, v)
	case inbox.VerbResume:
		err = resume(r)
	case inbox.VerbPark:
		err = t.park(r, v)
	default:
		err = inbox.Refused("%q is no verb: use %s, %s or %s", v.Verb, inbox.VerbPause, inbox.VerbResume, inbox.VerbPark)
	}
	if err != nil {
		return err
	}
	return t.audit(v.RequestID, inbox.AuditEntry{
		At: v.Now, Verb: v.Verb, Subject: v.Subject, Sequence: v.Sequence, Reason: v.Reason, By: v.By, Until: v.Until,
	})
}

func pause(r *row, v inbox.Verb) error {
	if !v.Until.IsZero() && !v.Until.After(v.Now) {
		return inbox.Refused("the pause would end at %s, which is over: give a later \"until\"", v.Until.UTC().Format(time.RFC3339))
	}
	now := microsOf(v.Now)
	over := r.heldUntil.set() && !r.heldUntil.after(now)
	if r.heldByOperator() && !over {
		return inbox.Refused("%s is already paused by %s since %s, %s: resume it first",
			r.id, r.heldBy, clock(r.heldSince), untilWhen(r.heldUntil))
	}
	r.hold(now, microsOf(v.Until), v.By, v.Reason)
	r.sweepFrom(now)
	return nil
}

func clock(at micros) string { return at.time().Format(time.RFC3339) }

func untilWhen(until micros) string {
	if !until.set() {
		return "until somebody resumes it"
	}
	return "until " + clock(until)
}

// atOnce is a sweep time that is always over: an operator has asked for this
// subject, so it comes before all others.
var atOnce = micros{sql.NullInt64{Valid: true}}

func resume(r *row) error {
	if !r.held && r.streak == 0 {
		return inbox.Refused("%s is %s: there is nothing to resume", r.id, r.state())
	}
	r.release()
	r.movedOn()
	r.sweepFrom(atOnce)
	return nil
}

func (t *tx) park(r *row, v inbox.Verb) error {
	switch {
	case v.Reason == "":
		return inbox.Refused("park needs a reason")
	case v.Sequence <= 0:
		return inbox.Refused("park needs the sequence of the event that it means")
	}
	if err := t.parkable(r, v.Sequence); err != nil {
		return err
	}
	head, err := t.head(r)
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE events SET status = 'parked', reason = ?, settled_at = ?,
		epoch = 0, run_id = NULL, original_run_id = NULL WHERE sequence = ?`,
		fmt.Sprintf("%s (parked by %s)", v.Reason, v.By), microsOf(v.Now), v.Sequence)
	if err != nil {
		return err
	}
	r.pending--
	if head == nil || head.Sequence != v.Sequence {
		return nil
	}
	r.movedOn()
	if !r.heldByOperator() {
		r.release()
	}
	r.sweepFrom(atOnce)
	return nil
}

func (t *tx) parkable(r *row, sequence int64) error {
	var status inbox.Status
	var subject string
	found, err := t.first("SELECT e.status, coalesce(s.id, '')"+eventTables+"WHERE e.sequence = ?", []any{sequence}, &status, &subject)
	switch {
	case err != nil:
		return err
	case !found:
		return inbox.Refused("there is no event %d", sequence)
	case subject == "":
		return inbox.Refused("event %d belongs to no subject", sequence)
	case subject != r.id:
		return inbox.Refused("event %d belongs to another subject, %s", sequence, subject)
	case status != inbox.StatusPending:
		return inbox.Refused("event %d is %s, not pending: it cannot be parked", sequence, status)
	default:
		return nil
	}
}

func (t *tx) audit(requestID string, e inbox.AuditEntry) error {
	_, err := t.exec(`INSERT INTO audit (request_id, subject, verb, sequence, reason, by, until, at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, nullable(requestID), e.Subject, e.Verb, e.Sequence, e.Reason, e.By,
		microsOf(e.Until), microsOf(e.At))
	return err
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/holdfast-project/holdfast/inbox"
)

// Settle gives an event its outcome durably.
func (s *Store) Settle(ctx context.Context, settlement inbox.Settlement) (inbox.Settled, error) {
	switch settlement.Status {
	case inbox.StatusDelivered, inbox.StatusParked, inbox.StatusFailed:
	default:
		return inbox.Settled{}, fmt.Errorf("settle event %d: %q is no outcome of an attempt", settlement.Sequence, settlement.Status)
	}
	return write(ctx, s, func(t *tx) (inbox.Settled, error) { return t.settle(settlement) })
}

func (t *tx) settle(s inbox.Settlement) (inbox.Settled, error) {
	r, err := t.owned(s.Subject, s.Epoch)
	if err != nil {
		return inbox.Settled{}, err
	}
	n, err := t.changed(`UPDATE events SET status = ?, reason = ?, handler = ?, attempts = attempts + ?, settled_at = ?,
		epoch = ?, run_id = ?, original_run_id = ? WHERE sequence = ? AND subject = ? AND status = 'pending'`,
		string(s.Status), s.Reason, s.Handler, s.Attempts, microsOf(s.Now),
		s.Epoch, nullable(s.RunID), nullable(s.OriginalRunID), s.Sequence, r.number)
	if err != nil {
		return inbox.Settled{}, err
	}
	if n == 0 {
		return inbox.Settled{}, inbox.ErrNotPending
	}
	r.pending--
	r.movedOn()
	if s.Last || r.pending == 0 {
		r.letGo()
	}
	settled := inbox.Settled{Pending: r.pending, Held: r.held}
	if r.pending > 0 {
		_, err = t.first("SELECT sequence FROM events WHERE subject = ? AND status = 'pending' ORDER BY sequence LIMIT 1",
			[]any{r.number}, &settled.Next)
	}
	return settled, err
}

func nullable(text string) sql.NullString { return sql.NullString{String: text, Valid: text != ""} }

// Fail records a real attempt that failed and what follows.
func (s *Store) Fail(ctx context.Context, f inbox.Failure) (inbox.Subject, error) {
	type answer struct {
		inbox.Subject
		resumed error // comes with the row, which an error of the write's would not
	}
	a, err := write(ctx, s, func(t *tx) (answer, error) {
		subject, err := t.fail(f)
		if errors.Is(err, inbox.ErrResumed) {
			return answer{subject, err}, nil
		}
		return answer{Subject: subject}, err
	})
	if err == nil {
		err = a.resumed
	}
	return a.Subject, err
}

func (t *tx) fail(f inbox.Failure) (inbox.Subject, error) {
	r, err := t.owned(f.Subject, f.Epoch)
	if err != nil {
		return inbox.Subject{}, err
	}
	var one int
	found, err := t.first("SELECT 1 FROM events WHERE sequence = ? AND subject = ? AND status = 'pending'",
		[]any{f.Sequence, r.number}, &one)
	switch {
	case err != nil:
		return inbox.Subject{}, err
	case !found:
		return inbox.Subject{}, inbox.ErrNotPending
	case f.Streak != r.streak || f.Holds != r.holds:
		return r.subject(), inbox.ErrResumed
	}
	_, err = t.exec("UPDATE events SET attempts = attempts + 1, reason = ?, handler = ? WHERE sequence = ?", f.Error, f.Handler, f.Sequence)
	if err != nil {
		return inbox.Subject{}, err
	}
	now := microsOf(f.Now)
	r.streak++
	r.spent += int64(f.Spent)
	r.lastError, r.failedAt, r.nextWake = f.Error, now, microsOf(f.NextWake)
	if f.Hold != nil {
		// Under an operator's hold the policy's counts and its time stand all the
		// same: what comes after the operator's resume or the hold's end is a probe.
		r.holds++
		r.nextWake = microsOf(f.Hold.Until)
		if !r.heldByOperator() {
			r.hold(now, r.nextWake, inbox.HeldByPolicy, f.Hold.Reason)
		}
	}
	r.letGo()
	r.sweepFrom(now)
	return r.subject(), nil
}

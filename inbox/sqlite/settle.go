package sqlite

import (
	"context"
	"database/sql"
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
	return inbox.Settled{Pending: r.pending, Held: r.held}, nil
}

func nullable(text string) sql.NullString { return sql.NullString{String: text, Valid: text != ""} }

// Fail records a real attempt that failed and what follows.
func (s *Store) Fail(ctx context.Context, f inbox.Failure) (inbox.Subject, error) {
	return write(ctx, s, func(t *tx) (inbox.Subject, error) { return t.fail(f) })
}

func (t *tx) fail(f inbox.Failure) (inbox.Subject, error) {
	r, err := t.owned(f.Subject, f.Epoch)
	if err != nil {
		return inbox.Subject{}, err
	}
	n, err := t.changed(`UPDATE events SET attempts = attempts + 1, reason = ?, handler = ?
		WHERE sequence = ? AND subject = ? AND status = 'pending'`, f.Error, f.Handler, f.Sequence, r.number)
	if err != nil {
		return inbox.Subject{}, err
	}
	if n == 0 {
		return inbox.Subject{}, inbox.ErrNotPending
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
	r.sweepFrom(now)
	return r.subject(), nil
}

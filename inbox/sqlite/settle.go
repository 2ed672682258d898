package sqlite

import (
	"context"
	"errors"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// Settle gives an event its outcome durably.
func (s *Store) Settle(ctx context.Context, settlement inbox.Settlement) (inbox.Settled, error) {
	if err := row.CheckSettlement(settlement); err != nil {
		return inbox.Settled{}, err
	}
	return write(ctx, s, func(t *tx) (inbox.Settled, error) { return t.settle(settlement) })
}

const settleSQL = `UPDATE events SET status = ?, reason = ?, handler = ?, attempts = attempts + ?, settled_at = ?,
	epoch = ?, run_id = ?, original_run_id = ? WHERE sequence = ? AND subject = ? AND status = 'pending'`

func (t *tx) settle(s inbox.Settlement) (inbox.Settled, error) {
	r, err := t.owned(s.Subject, s.Epoch)
	if err != nil {
		return inbox.Settled{}, err
	}
	n, err := t.changed(settleSQL,
		s.Status, s.Reason, s.Handler, s.Attempts, row.TimeOf(s.Now),
		s.Epoch, nullable(s.RunID), nullable(s.OriginalRunID), s.Sequence, r.Number)
	if err != nil {
		return inbox.Settled{}, err
	}
	if n == 0 {
		return inbox.Settled{}, inbox.ErrNotPending
	}
	r.Settle(s.Last)
	settled := inbox.Settled{Pending: r.Pending, Held: r.Held}
	if r.Pending > 0 {
		settled.Next, err = t.headOf(r)
	}
	return settled, err
}

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
	found, err := t.first("SELECT 1 FROM events WHERE sequence = ? AND subject = ? AND status = 'pending'",
		[]any{f.Sequence, r.Number}, func(columns) {})
	switch {
	case err != nil:
		return inbox.Subject{}, err
	case !found:
		return inbox.Subject{}, inbox.ErrNotPending
	}
	if err := r.Fail(f); err != nil {
		return r.Subject(), err
	}
	err = t.exec("UPDATE events SET attempts = attempts + 1, reason = ?, handler = ? WHERE sequence = ?", f.Error, f.Handler, f.Sequence)
	return r.Subject(), err
}

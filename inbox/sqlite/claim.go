package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// Claim asks for the right to run a subject's handlers.
func (s *Store) Claim(ctx context.Context, c inbox.Claim) (inbox.Claimed, error) {
	return write(ctx, s, func(t *tx) (inbox.Claimed, error) { return t.claim(c) })
}

func (t *tx) claim(c inbox.Claim) (inbox.Claimed, error) {
	r, err := t.subject(c.Subject)
	if err != nil {
		return inbox.Claimed{}, err
	}
	if r == nil {
		return inbox.Claimed{Subject: inbox.Subject{ID: c.Subject}}, nil
	}
	if busy, is := r.InHand(c); is {
		return busy, nil
	}
	reopened, err := t.reopen(r, c)
	if err != nil {
		return inbox.Claimed{}, err
	}
	return r.Take(c, reopened, t.nextEpoch), nil
}

// Release ends a claim's work that neither Settle nor Fail has ended.
func (s *Store) Release(ctx context.Context, subject string, epoch int64, wake time.Time) error {
	_, err := write(ctx, s, func(t *tx) (struct{}, error) {
		r, err := t.owned(subject, epoch)
		if err == nil {
			r.Release(wake)
		}
		return struct{}{}, err
	})
	if errors.Is(err, inbox.ErrFenced) {
		return nil // there is nothing of that claim's to end
	}
	return err
}

// reopen makes pending again what other runs of a reset run's original settled
// after the reset point. It excludes the run's own settlements, so doing it twice
// does nothing twice; and what an operator set aside has no run, so it stays so.
func (t *tx) reopen(r *row.Row, c inbox.Claim) (int, error) {
	if !r.Reopens(c) {
		return 0, nil
	}
	before, err := t.headOf(r)
	if err != nil {
		return 0, err
	}
	n, err := t.changed(`UPDATE events SET status = 'pending', redo = redo + 1, reason = '', settled_at = NULL,
		epoch = 0, run_id = NULL, original_run_id = NULL
		WHERE subject = ? AND status <> 'pending' AND original_run_id = ? AND run_id <> ? AND epoch > ?`,
		r.Number, c.OriginalRunID, c.RunID, c.AfterEpoch)
	if err != nil || n == 0 {
		return 0, err
	}
	after, err := t.headOf(r)
	if err != nil {
		return 0, err
	}
	r.Reopened(n, before, after)
	return n, nil
}

// headOf returns the sequence of a subject's first pending event, 0 if there is none.
func (t *tx) headOf(r *row.Row) (sequence int64, err error) {
	_, err = t.first("SELECT sequence FROM events WHERE subject = ? AND status = 'pending' ORDER BY sequence LIMIT 1",
		[]any{r.Number}, func(c columns) { sequence = c.int64() })
	return sequence, err
}

// head returns a subject's first pending event, nil if there is none.
func (t *tx) head(r *row.Row) (*inbox.Event, error) {
	if err := t.flushFresh(); err != nil {
		return nil, err
	}
	var events []inbox.Event
	err := t.all(headOfSubject, []any{r.Number}, readEvents(&events))
	if err != nil || len(events) == 0 {
		return nil, err
	}
	return &events[0], nil
}

// owned returns a subject's row if the epoch is still its owner's.
func (t *tx) owned(subject string, epoch int64) (*row.Row, error) {
	r, err := t.subject(subject)
	if err != nil {
		return nil, err
	}
	if !r.Owned(epoch) {
		return nil, inbox.ErrFenced
	}
	return r, nil
}

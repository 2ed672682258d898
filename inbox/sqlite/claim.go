package sqlite

import (
	"context"
	"errors"

	"github.com/holdfast-project/holdfast/inbox"
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
	now := microsOf(c.Now)
	r.releaseIfOver(now)
	if r.inHandOfAnother(c.RunID, now) {
		// Not even reopened: what the other run has in hand it may still settle, and
		// a reset run does that again too, when it comes back.
		return inbox.Claimed{Subject: r.untaken(), InHandUntil: r.busyUntil.time()}, nil
	}
	reopened, err := t.reopen(r, c)
	if err != nil {
		return inbox.Claimed{}, err
	}
	if r.pending == 0 || r.held || r.nextWake.after(now) {
		return inbox.Claimed{Subject: r.untaken(), Reopened: reopened}, nil
	}
	r.epoch = t.nextEpoch()
	r.take(c.RunID, now, microsOf(c.BusyUntil))
	return inbox.Claimed{Subject: r.subject(), Reopened: reopened}, nil
}

// Release ends a claim's work that neither Settle nor Fail has ended.
func (s *Store) Release(ctx context.Context, subject string, epoch int64) error {
	_, err := write(ctx, s, func(t *tx) (struct{}, error) {
		r, err := t.owned(subject, epoch)
		if err == nil {
			r.letGo()
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
func (t *tx) reopen(r *row, c inbox.Claim) (int, error) {
	// Whoever settled since the run's last claim made a claim of its own first: so
	// a reset run that goes on undisturbed never searches its subject's history.
	if c.RunID == c.OriginalRunID || r.epoch <= c.AfterEpoch {
		return 0, nil
	}
	before, err := t.head(r)
	if err != nil {
		return 0, err
	}
	n, err := t.changed(`UPDATE events SET status = 'pending', redo = redo + 1, reason = '', settled_at = NULL,
		epoch = 0, run_id = NULL, original_run_id = NULL
		WHERE subject = ? AND status <> 'pending' AND original_run_id = ? AND run_id <> ? AND epoch > ?`,
		r.number, c.OriginalRunID, c.RunID, c.AfterEpoch)
	if err != nil || n == 0 {
		return 0, err
	}
	r.pending += n
	after, err := t.head(r)
	if err != nil {
		return 0, err
	}
	if !r.held && (before == nil || after.Sequence != before.Sequence) {
		r.movedOn() // the failures were those of another head
	}
	return n, nil
}

// head returns a subject's first pending event, nil if there is none.
func (t *tx) head(r *row) (*inbox.Event, error) {
	var scanned scannedEvent
	found, err := t.first(headOfSubject, []any{r.number}, scanned.fields()...)
	if err != nil || !found {
		return nil, err
	}
	event, err := scanned.read()
	return &event, t.check(err)
}

// owned returns a subject's row if the epoch is still its owner's.
func (t *tx) owned(subject string, epoch int64) (*row, error) {
	r, err := t.subject(subject)
	if err != nil {
		return nil, err
	}
	if r == nil || epoch <= 0 || r.epoch != epoch {
		return nil, inbox.ErrFenced
	}
	return r, nil
}

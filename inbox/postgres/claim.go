package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// Claim asks for the right to run a subject's handlers.
func (s *Store) Claim(ctx context.Context, c inbox.Claim) (inbox.Claimed, error) {
	if row.IsReset(c) {
		return transact(ctx, s, func(t *tx) (inbox.Claimed, error) { return t.claimOfReset(c) })
	}
	var claimed inbox.Claimed
	err := s.change(ctx, &change{subject: c.Subject, epoch: true, usual: &usual{claim: &c, claimed: &claimed}, decide: func(k *known) error {
		// An epoch for a caller that has gone would fence off whoever came after it.
		if err := ctx.Err(); err != nil {
			return err
		}
		if k.row == nil {
			claimed = inbox.Claimed{Subject: inbox.Subject{ID: c.Subject}}
			return nil
		}
		var busy bool
		if claimed, busy = k.row.InHand(c); !busy {
			claimed = k.row.Take(c, 0, k.nextEpoch)
		}
		return nil
	}})
	if err != nil {
		return inbox.Claimed{}, err
	}
	return claimed, nil
}

// Release ends a claim's work that neither Settle nor Fail has ended.
func (s *Store) Release(ctx context.Context, subject string, epoch int64, wake time.Time) error {
	return s.change(ctx, &change{subject: subject, decide: func(k *known) error {
		if k.row.Owned(epoch) { // else there is nothing of that claim's to end
			k.row.Release(wake)
		}
		return nil
	}})
}

// claimOfReset is the claim of a run that a reset has made: it first makes pending
// again what other runs of its original settled after the reset point. It excludes
// the run's own settlements, so doing it twice does nothing twice; and what an
// operator set aside has no run, so it stays so.
func (t *tx) claimOfReset(c inbox.Claim) (inbox.Claimed, error) {
	r, err := t.subject(c.Subject)
	if errors.Is(err, inbox.ErrNotFound) {
		return inbox.Claimed{Subject: inbox.Subject{ID: c.Subject}}, nil
	}
	if err != nil {
		return inbox.Claimed{}, err
	}
	busy, is := r.InHand(c)
	if is {
		return busy, nil
	}
	reopened := 0
	if r.Reopens(c) {
		before, err := t.headOf(r)
		if err != nil {
			return inbox.Claimed{}, err
		}
		tag, err := t.conn.Exec(t.ctx, `UPDATE events SET status = 'pending', redo = redo + 1, reason = '', settled_at = NULL,
			epoch = 0, run_id = NULL, original_run_id = NULL
			WHERE subject = $1 AND status <> 'pending' AND original_run_id = $2 AND run_id <> $3 AND epoch > $4`,
			r.Number, text(c.OriginalRunID), text(c.RunID), c.AfterEpoch)
		if err != nil {
			return inbox.Claimed{}, err
		}
		reopened = int(tag.RowsAffected())
		after, err := t.headOf(r)
		if err != nil {
			return inbox.Claimed{}, err
		}
		r.Reopened(reopened, before, after)
	}
	var epoch int64
	if err := t.conn.QueryRow(t.ctx, "SELECT nextval('epochs')").Scan(&epoch); err != nil {
		return inbox.Claimed{}, err
	}
	return r.Take(c, reopened, func() int64 { return epoch }), nil
}

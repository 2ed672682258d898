package postgres

import (
	"context"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// Settle gives an event its outcome durably.
func (s *Store) Settle(ctx context.Context, settlement inbox.Settlement) (inbox.Settled, error) {
	if err := row.CheckSettlement(settlement); err != nil {
		return inbox.Settled{}, err
	}
	var settled inbox.Settled
	asUsual := &usual{settlement: &settlement, settled: &settled}
	err := s.change(ctx, &change{subject: settlement.Subject, sequence: settlement.Sequence, usual: asUsual, decide: func(k *known) error {
		switch {
		case !k.row.Owned(settlement.Epoch):
			return inbox.ErrFenced
		case !k.pending:
			return inbox.ErrNotPending
		}
		k.row.Settle(settlement.Last)
		k.settled = &settlement
		settled = inbox.Settled{Pending: k.row.Pending, Next: k.next, Held: k.row.Held}
		return nil
	}})
	if err != nil {
		return inbox.Settled{}, err
	}
	return settled, nil
}

// Fail records a real attempt that failed and what follows.
func (s *Store) Fail(ctx context.Context, f inbox.Failure) (inbox.Subject, error) {
	var subject inbox.Subject
	err := s.change(ctx, &change{subject: f.Subject, sequence: f.Sequence, decide: func(k *known) error {
		switch {
		case !k.row.Owned(f.Epoch):
			return inbox.ErrFenced
		case !k.pending:
			return inbox.ErrNotPending
		}
		err := k.row.Fail(f)
		if err == nil {
			k.failed = &f
		}
		subject = k.row.Subject() // also with inbox.ErrResumed
		return err
	}})
	return subject, err
}

const (
	eventsSettle = `UPDATE events e SET status = x.status, reason = x.reason, handler = x.handler,
			attempts = e.attempts + x.attempts, settled_at = x.settled_at,
			epoch = x.epoch, run_id = x.run_id, original_run_id = x.original_run_id
		FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[],
			$7::bigint[], $8::text[], $9::text[])
			AS x (sequence, status, reason, handler, attempts, settled_at, epoch, run_id, original_run_id)
		WHERE e.sequence = x.sequence`

	eventsFail = `UPDATE events e SET attempts = e.attempts + 1, reason = x.reason, handler = x.handler
		FROM unnest($1::bigint[], $2::text[], $3::text[]) AS x (sequence, reason, handler)
		WHERE e.sequence = x.sequence`
)

func settleArgs(all []*inbox.Settlement) []any {
	return []any{
		column(all, func(s *inbox.Settlement) int64 { return s.Sequence }),
		column(all, func(s *inbox.Settlement) text { return text(s.Status) }),
		column(all, func(s *inbox.Settlement) text { return text(s.Reason) }),
		column(all, func(s *inbox.Settlement) text { return text(s.Handler) }),
		column(all, func(s *inbox.Settlement) int64 { return int64(s.Attempts) }),
		column(all, func(s *inbox.Settlement) stamp { return stampOf(s.Now) }),
		column(all, func(s *inbox.Settlement) int64 { return s.Epoch }),
		column(all, func(s *inbox.Settlement) optional { return optional(s.RunID) }),
		column(all, func(s *inbox.Settlement) optional { return optional(s.OriginalRunID) }),
	}
}

func failArgs(all []*inbox.Failure) []any {
	return []any{
		column(all, func(f *inbox.Failure) int64 { return f.Sequence }),
		column(all, func(f *inbox.Failure) text { return text(f.Error) }),
		column(all, func(f *inbox.Failure) text { return text(f.Handler) }),
	}
}

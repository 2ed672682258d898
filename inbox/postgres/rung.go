package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// isRung is what inbox.Drainer.Rung asks of a subject that has pending events: $1 is before, $2 is now, $3 is
// when a hand began at the latest if it was not noted under a wrong clock, as
// row.InHand has it.
const isRung = `sweep_at <= $1 AND NOT held AND streak = 0 AND (next_wake IS NULL OR next_wake <= $2)
	AND (busy_until IS NULL OR busy_until <= $2 OR busy_since > $3)`

const (
	// Whoever is locked is passed over: a claim, an append or another one who asks has
	// it. Who is in hand is to be swept later, so the index has hardly anybody that the
	// other conditions refuse.
	waitingSQL = "WITH due AS MATERIALIZED (SELECT number, sweep_at FROM subjects WHERE queued AND " + isRung +
		" ORDER BY sweep_at LIMIT $4 FOR UPDATE SKIP LOCKED)," + rungSQL

	// These do not say queued: the index of all who are might be gone through.
	heldSQL      = "SELECT id FROM subjects WHERE id = ANY ($1) AND pending > 0 AND held"
	stillRungSQL = "SELECT id FROM subjects WHERE id = ANY ($4) AND pending > 0 AND " + isRung
)

// Rung returns subjects that wait for their run, and notes that they were rung at
// now, so that another worker that asks gets others.
func (s *Store) Rung(ctx context.Context, now, before time.Time, limit int) ([]string, error) {
	if limit <= 0 {
		return nil, nil
	}
	return s.rung(ctx, "look for subjects that wait", waitingSQL, now, before, limit)
}

// StillRung returns those of the subjects that Rung would return.
func (s *Store) StillRung(ctx context.Context, subjects []string, now, before time.Time) ([]string, error) {
	return among(subjects, func() ([]string, error) {
		return s.rung(ctx, "look whether subjects still wait", stillRungSQL, now, before, texts(subjects))
	})
}

// Held returns those of the subjects that are held and have pending events.
func (s *Store) Held(ctx context.Context, subjects []string) ([]string, error) {
	return among(subjects, func() ([]string, error) {
		return s.ids(ctx, "look whether subjects are held", heldSQL, texts(subjects))
	})
}

// among returns those of the subjects that are found, in their order.
func among(subjects []string, find func() ([]string, error)) ([]string, error) {
	if len(subjects) == 0 {
		return nil, nil
	}
	found, err := find()
	if err != nil {
		return nil, err
	}
	is := map[string]bool{}
	for _, id := range found {
		is[id] = true
	}
	return slices.DeleteFunc(slices.Clone(subjects), func(id string) bool { return !is[id] }), nil
}

func (s *Store) rung(ctx context.Context, what, query string, now, before time.Time, which any) ([]string, error) {
	return s.ids(ctx, what, query, stampOf(before), stampOf(now), stamp(row.TimeOf(now).Plus(row.ClockSlack)), which)
}

func (s *Store) ids(ctx context.Context, what, query string, args ...any) ([]string, error) {
	return read(ctx, s, what, func(ctx context.Context, conn *pgx.Conn) (subjects []string, err error) {
		rows, _ := conn.Query(ctx, query, args...)
		found, err := pgx.CollectRows(rows, pgx.RowTo[text])
		for _, id := range found {
			subjects = append(subjects, string(id))
		}
		return subjects, err
	})
}

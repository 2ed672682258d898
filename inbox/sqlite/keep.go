package sqlite

import (
	"context"
	"time"

	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// Lead is always true: the file's lock makes this process the whole fleet.
func (s *Store) Lead(ctx context.Context) (bool, error) { return true, ctx.Err() }

// Ping makes a commit of its own, or shares one: it tells what an append would.
func (s *Store) Ping(ctx context.Context) error {
	_, err := write(ctx, s, func(t *tx) (int, error) {
		return t.changed("UPDATE counters SET value = value + 1 WHERE name = 'ping'")
	})
	return err
}

// Unrung returns subjects that nobody seems to know about, and notes that they
// were rung at now.
func (s *Store) Unrung(ctx context.Context, now, before time.Time, limit int) ([]string, error) {
	if limit <= 0 {
		return nil, nil
	}
	return write(ctx, s, func(t *tx) ([]string, error) {
		if err := t.endIdleHolds(row.TimeOf(now), limit); err != nil {
			return nil, err
		}
		return t.unrung(row.TimeOf(now), row.TimeOf(before), limit)
	})
}

func (t *tx) unrung(now, before row.Time, limit int) ([]string, error) {
	if err := t.flush(); err != nil {
		return nil, err
	}
	subjects, err := t.ids(`SELECT id FROM subjects INDEXED BY subjects_to_sweep
		WHERE waits = 1 AND sweep_at < ? AND sweep_at <= ? ORDER BY sweep_at LIMIT ?`, before, now, limit)
	if err != nil {
		return nil, err
	}
	// Whoever may be tried now and yet is to be swept long after now was noted
	// under a wrong clock. The index alone passes over those that are held or wait.
	astray, err := t.ids(`SELECT id FROM subjects INDEXED BY subjects_to_sweep
		WHERE waits = 1 AND sweep_at > ? AND (held = 0 OR held_until <= ?) AND (next_wake IS NULL OR next_wake <= ?)
		ORDER BY sweep_at LIMIT ?`, now.Plus(row.ClockSlack), now, now, limit-len(subjects))
	if err != nil {
		return nil, err
	}
	subjects = append(subjects, astray...)
	for _, id := range subjects {
		r, err := t.subject(id)
		if err != nil {
			return nil, err
		}
		r.SweepAt = now
	}
	return subjects, nil
}

// endIdleHolds ends the holds of subjects at rest whose time has come: no claim
// will come to do it.
func (t *tx) endIdleHolds(now row.Time, limit int) error {
	if err := t.flush(); err != nil {
		return err
	}
	subjects, err := t.ids(`SELECT id FROM subjects INDEXED BY subjects_held
		WHERE held = 1 AND held_until <= ? AND pending = 0 LIMIT ?`, now, limit)
	if err != nil {
		return err
	}
	numbers := map[int64]bool{}
	for _, id := range subjects {
		r, err := t.subject(id)
		if err != nil {
			return err
		}
		r.ReleaseIfOver(now)
		numbers[r.Number] = true
	}
	return t.pruneSubjects(numbers)
}

func (t *tx) ids(query string, args ...any) (ids []string, err error) {
	err = t.all(query, args, readIDs(&ids))
	return ids, err
}

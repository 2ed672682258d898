package sqlite

import (
	"context"
	"database/sql"
	"time"
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
		if err := t.flush(); err != nil {
			return nil, err
		}
		var subjects []string
		err := t.all(`SELECT id FROM subjects INDEXED BY subjects_to_sweep
			WHERE pending > 0 AND sweep_at < ? AND sweep_at <= ? ORDER BY sweep_at LIMIT ?`,
			[]any{microsOf(before), microsOf(now), limit}, func(rows *sql.Rows) error {
				var id string
				err := rows.Scan(&id)
				subjects = append(subjects, id)
				return err
			})
		if err != nil {
			return nil, err
		}
		for _, id := range subjects {
			r, err := t.subject(id)
			if err != nil {
				return nil, err
			}
			r.sweepAt = microsOf(now)
		}
		return subjects, nil
	})
}

// Prune deletes old settled events in one short transaction.
func (s *Store) Prune(ctx context.Context, before time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, nil
	}
	return write(ctx, s, func(t *tx) (int, error) { return t.prune(microsOf(before), limit) })
}

type prunable struct {
	sequence, payload int64
	subject           sql.NullInt64
	source, key       string
}

func (t *tx) prune(before micros, limit int) (int, error) {
	var events []prunable
	err := t.all(`SELECT sequence, payload, subject, source, key FROM events INDEXED BY events_settled
		WHERE settled_at < ? AND status <> 'pending' ORDER BY settled_at LIMIT ?`,
		[]any{before, limit}, func(rows *sql.Rows) error {
			var e prunable
			err := rows.Scan(&e.sequence, &e.payload, &e.subject, &e.source, &e.key)
			events = append(events, e)
			return err
		})
	if err != nil {
		return 0, err
	}
	subjects := map[int64]bool{}
	for _, e := range events {
		if err := t.pruneOne(e); err != nil {
			return 0, err
		}
		if e.subject.Valid {
			subjects[e.subject.Int64] = true
		}
	}
	return len(events), t.pruneSubjects(subjects)
}

func (t *tx) pruneOne(e prunable) error {
	if e.key != "" {
		_, err := t.exec("DELETE FROM keys WHERE source = ? AND key = ? AND sequence = ?", e.source, e.key, e.sequence)
		if err != nil {
			return err
		}
	}
	if _, err := t.exec("DELETE FROM events WHERE sequence = ?", e.sequence); err != nil {
		return err
	}
	if _, err := t.exec("UPDATE payloads SET refs = refs - 1 WHERE id = ?", e.payload); err != nil {
		return err
	}
	_, err := t.exec("DELETE FROM payloads WHERE id = ? AND refs <= 0", e.payload)
	return err
}

// pruneSubjects deletes rows that nothing refers to. A drain that still has an
// epoch of one is fenced: a row made anew has none, and epochs are never given twice.
func (t *tx) pruneSubjects(numbers map[int64]bool) error {
	if err := t.flush(); err != nil {
		return err
	}
	t.forget()
	for number := range numbers {
		_, err := t.exec(`DELETE FROM subjects WHERE number = ? AND pending = 0 AND held = 0
			AND NOT EXISTS (SELECT 1 FROM events WHERE subject = ?)`, number, number)
		if err != nil {
			return err
		}
	}
	return nil
}

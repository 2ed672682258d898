package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// Ping writes to the server's log and waits for its disk, as an append does, but
// touches no table.
func (s *Store) Ping(ctx context.Context) error {
	select {
	case <-s.closing:
		return errClosed
	default:
	}
	_, err := read(ctx, s, "write to the inbox", func(ctx context.Context, conn *pgx.Conn) (none struct{}, err error) {
		_, err = conn.Exec(ctx, "SELECT pg_logical_emit_message(true, 'holdfast', 'ping')")
		return none, err
	})
	return err
}

// unrungSQL passes over who is locked: a claim, an append or another sweeper has
// it, and the next sweep comes. Whoever may be tried now and yet is to be swept
// long after now was noted under a wrong clock; the index alone passes over those
// that are held or wait.
const (
	unrungSQL = `WITH due AS MATERIALIZED (SELECT number, sweep_at FROM subjects
			WHERE queued AND sweep_at < $1 AND sweep_at <= $2 ORDER BY sweep_at LIMIT $3 FOR UPDATE SKIP LOCKED),` + rungSQL
	astraySQL = `WITH due AS MATERIALIZED (SELECT number, sweep_at FROM subjects
			WHERE queued AND sweep_at > $1 AND (NOT held OR held_until <= $2) AND (next_wake IS NULL OR next_wake <= $2)
			ORDER BY sweep_at LIMIT $3 FOR UPDATE SKIP LOCKED),` + rungSQL
	rungSQL = `
		rung AS (UPDATE subjects s SET sweep_at = $2 FROM due WHERE s.number = due.number RETURNING s.id, due.sweep_at)
		SELECT id FROM rung ORDER BY sweep_at`
)

// Unrung returns subjects that nobody seems to know about, and notes that they
// were rung at now.
func (s *Store) Unrung(ctx context.Context, now, before time.Time, limit int) ([]string, error) {
	if limit <= 0 {
		return nil, nil
	}
	if err := s.endIdleHolds(ctx, now, limit); err != nil {
		return nil, err
	}
	return read(ctx, s, "look for subjects to ring", func(ctx context.Context, conn *pgx.Conn) (subjects []string, err error) {
		for _, look := range []struct {
			query string
			than  stamp
		}{
			{unrungSQL, stampOf(before)},
			{astraySQL, stamp(row.TimeOf(now).Plus(row.ClockSlack))},
		} {
			rows, _ := conn.Query(ctx, look.query, look.than, stampOf(now), limit-len(subjects))
			found, err := pgx.CollectRows(rows, pgx.RowTo[text])
			if err != nil {
				return nil, err
			}
			for _, id := range found {
				subjects = append(subjects, string(id))
			}
		}
		return subjects, nil
	})
}

// endIdleHolds ends the holds of subjects at rest whose time has come: no claim
// will come to do it.
func (s *Store) endIdleHolds(ctx context.Context, now time.Time, limit int) error {
	over, err := read(ctx, s, "look for holds that are over", func(ctx context.Context, conn *pgx.Conn) ([]text, error) {
		rows, _ := conn.Query(ctx, "SELECT id FROM subjects WHERE held AND held_until <= $1 AND NOT queued LIMIT $2", stampOf(now), limit)
		return pgx.CollectRows(rows, pgx.RowTo[text])
	})
	if err != nil || len(over) == 0 {
		return err
	}
	_, err = transact(ctx, s, func(t *tx) (none struct{}, err error) {
		rows, _ := t.conn.Query(t.ctx, lockRows+" SKIP LOCKED", over)
		if err := t.keep(rows); err != nil {
			return none, err
		}
		var numbers []int64
		for _, kept := range t.rows {
			if kept.row.Pending == 0 {
				kept.row.ReleaseIfOver(row.TimeOf(now))
				numbers = append(numbers, kept.row.Number)
			}
		}
		if err := t.save(); err != nil {
			return none, err
		}
		_, err = t.conn.Exec(t.ctx, `DELETE FROM subjects s WHERE s.number = ANY ($1) AND NOT s.queued AND NOT s.held
			AND NOT EXISTS (SELECT 1 FROM events e WHERE e.subject = s.number)`, numbers)
		return none, err
	})
	return err
}

// pruneBytes bounds the bodies that one Prune deletes.
const pruneBytes = 4 << 20

// Prune deletes old settled events in one short transaction. What somebody has
// locked at that moment it leaves for the next time.
func (s *Store) Prune(ctx context.Context, before time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, nil
	}
	return read(ctx, s, "prune", func(ctx context.Context, conn *pgx.Conn) (n int, err error) {
		err = conn.QueryRow(ctx, "SELECT prune_1($1, $2, $3)", stampOf(before), limit, pruneBytes).Scan(&n)
		return n, err
	})
}

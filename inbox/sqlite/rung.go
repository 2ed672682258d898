package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// isRung is what inbox.Drainer.Rung asks of a subject: ?1 is now, ?2 is before, ?3 is
// when a hand began at the latest if it was not noted under a wrong clock, as
// row.InHand has it.
const isRung = `waits = 1 AND sweep_at <= ?2 AND held = 0 AND streak = 0 AND (next_wake IS NULL OR next_wake <= ?1)
	AND (busy_until IS NULL OR busy_until <= ?1 OR busy_since > ?3)`

// Who is in hand is to be swept later, so the index has hardly anybody that the
// other conditions refuse.
const rungSQL = "SELECT id FROM subjects INDEXED BY subjects_to_sweep WHERE " + isRung + " ORDER BY sweep_at LIMIT ?4"

// Rung returns subjects that wait for their run. It only reads: this process is the
// whole fleet, and knows whom it has been given.
func (s *Store) Rung(ctx context.Context, now, before time.Time, limit int) (subjects []string, err error) {
	if limit <= 0 {
		return nil, nil
	}
	err = s.read(ctx, func(c *conn) error {
		return c.query(rungSQL, append(rungArgs(now, before), limit), readIDs(&subjects))
	})
	if err != nil {
		return nil, fmt.Errorf("look for subjects that wait: %w", err)
	}
	return subjects, nil
}

// StillRung returns those of the subjects that Rung would return.
func (s *Store) StillRung(ctx context.Context, subjects []string, now, before time.Time) ([]string, error) {
	return s.among(ctx, "look whether subjects still wait", subjects, stillRungSQL, rungArgs(now, before)...)
}

// Held returns those of the subjects that are held and have pending events.
func (s *Store) Held(ctx context.Context, subjects []string) ([]string, error) {
	return s.among(ctx, "look whether subjects are held", subjects, heldSQL)
}

// amongStep is how many subjects one statement asks about, each a variable.
const amongStep = 1000

// among returns those of the subjects that a statement finds, in their order. The
// statement has the given arguments, and then the subjects.
func (s *Store) among(ctx context.Context, what string, subjects []string, sql func(subjects int) string, args ...any) ([]string, error) {
	is := map[string]bool{}
	for some := range slices.Chunk(subjects, amongStep) {
		all := slices.Clone(args)
		for _, id := range some {
			all = append(all, id)
		}
		var found []string
		err := s.read(ctx, func(c *conn) error { return c.queryOnce(sql(len(some)), all, readIDs(&found)) })
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		for _, id := range found {
			is[id] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(subjects), func(id string) bool { return !is[id] }), nil
}

func stillRungSQL(subjects int) string {
	return "SELECT id FROM subjects WHERE id IN (?4" + strings.Repeat(", ?", subjects-1) + ") AND " + isRung
}

func heldSQL(subjects int) string {
	return "SELECT id FROM subjects WHERE id IN (?" + strings.Repeat(", ?", subjects-1) + ") AND pending > 0 AND +held = 1"
}

func rungArgs(now, before time.Time) []any {
	return []any{row.TimeOf(now), row.TimeOf(before), row.TimeOf(now).Plus(row.ClockSlack)}
}

func readIDs(ids *[]string) func(columns) error {
	return func(c columns) error {
		*ids = append(*ids, c.text())
		return nil
	}
}

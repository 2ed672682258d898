package sqlite

import (
	"context"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// totals are kept by the writer, so that counting costs no query: whoever
// watches a backlog of a million should not have to read it.
type totals struct {
	pending, held, retrying, waiting int
}

func (t *totals) of(state inbox.State) *int {
	switch state {
	case inbox.StateHeld:
		return &t.held
	case inbox.StateRetrying:
		return &t.retrying
	case inbox.StatePending:
		return &t.waiting
	default:
		return new(int)
	}
}

// moved counts a subject that was in one condition and is in another.
func (t *totals) moved(from, to row.Row) {
	*t.of(from.State())--
	*t.of(to.State())++
	t.pending += to.Pending - from.Pending
}

func (t *totals) add(other totals) {
	t.pending += other.pending
	t.held += other.held
	t.retrying += other.retrying
	t.waiting += other.waiting
}

func (t *totals) counts() inbox.Counts {
	return inbox.Counts{Pending: t.pending, Subjects: map[inbox.State]int{
		inbox.StateHeld: t.held, inbox.StateRetrying: t.retrying, inbox.StatePending: t.waiting,
	}}
}

func countTotals(c *conn) (t totals, err error) {
	_, err = c.first(`SELECT
		coalesce(sum(pending), 0),
		coalesce(sum(held), 0),
		coalesce(sum(NOT held AND streak > 0 AND pending > 0), 0),
		coalesce(sum(NOT held AND streak = 0 AND pending > 0), 0)
		FROM subjects WHERE number IN (
			SELECT number FROM subjects INDEXED BY subjects_to_sweep WHERE waits = 1
			UNION SELECT number FROM subjects INDEXED BY subjects_held WHERE held = 1)`, nil, func(c columns) {
		t.pending, t.held, t.retrying, t.waiting = c.int(), c.int(), c.int(), c.int()
	})
	return t, err
}

// Count returns how many subjects are in each state, and how many events are pending.
func (s *Store) Count(ctx context.Context) (inbox.Counts, error) {
	return s.writer.counts(), ctx.Err()
}

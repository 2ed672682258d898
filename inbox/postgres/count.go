package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-project/holdfast/inbox"
)

// Counting reads a row for each subject that is not idle. Below countCheap of them
// that is done each time; above, an answer stands for countRest times as long as it
// took, so that whoever watches a backlog costs the server a few percent at most.
const (
	countCheap = 10_000
	countRest  = 20
)

// countCache is the last answer, while it was a dear one.
type countCache struct {
	sync.Mutex
	counts inbox.Counts
	until  time.Time
}

const countSQL = `SELECT
	coalesce(sum(pending), 0)::bigint,
	count(*) FILTER (WHERE held),
	count(*) FILTER (WHERE NOT held AND streak > 0 AND queued),
	count(*) FILTER (WHERE NOT held AND streak = 0 AND queued)
	FROM (SELECT pending, held, streak, queued FROM subjects WHERE queued
		UNION ALL SELECT pending, held, streak, queued FROM subjects WHERE held AND NOT queued) s`

// Count returns how many subjects are in each state, and how many events are pending.
func (s *Store) Count(ctx context.Context) (inbox.Counts, error) {
	s.counts.Lock()
	defer s.counts.Unlock()
	if time.Now().Before(s.counts.until) {
		return s.counts.counts, ctx.Err()
	}
	began := time.Now()
	subjects := 0
	counts, err := read(ctx, s, "count", func(ctx context.Context, conn *pgx.Conn) (inbox.Counts, error) {
		var pending, held, retrying, waiting int
		err := conn.QueryRow(ctx, countSQL).Scan(&pending, &held, &retrying, &waiting)
		subjects = held + retrying + waiting
		return inbox.Counts{Pending: pending, Subjects: map[inbox.State]int{
			inbox.StateHeld: held, inbox.StateRetrying: retrying, inbox.StatePending: waiting,
		}}, err
	})
	if err == nil && subjects > countCheap {
		s.counts.counts, s.counts.until = counts, time.Now().Add(countRest*time.Since(began))
	}
	return counts, err
}

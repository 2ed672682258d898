package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// How long a batch waits for the locks of others: the first time as long as a busy
// neighbour may take, then as long as two that came at the same moment.
const (
	firstPatience = "500ms"
	nextPatience  = "100ms"
	// stuckPause is how often it is tried again.
	stuckPause = 50 * time.Millisecond
)

// stuck are the deliveries that wait because somebody has locked their subjects, or
// is about to use their keys. They wait here, without a connection and without
// locks, until their context ends.
type stuck struct {
	sync.Mutex
	waiting  []*appending
	subjects map[string]int // of those that wait
	bytes    int64
	working  bool
}

func (s *stuck) size() (deliveries int, bytes int64) {
	s.Lock()
	defer s.Unlock()
	return len(s.waiting), s.bytes
}

// divide takes out of a batch what is about a subject that others wait for already.
func (s *stuck) divide(batch []*appending) (free, held []*appending) {
	s.Lock()
	defer s.Unlock()
	if len(s.subjects) == 0 {
		return batch, nil
	}
	return divide(batch, func(subject string) bool { return s.subjects[subject] > 0 })
}

func divide(batch []*appending, isHeld func(subject string) bool) (free, held []*appending) {
	for _, a := range batch {
		if a.touches(isHeld) {
			held = append(held, a)
		} else {
			free = append(free, a)
		}
	}
	return free, held
}

func (a *appending) touches(isHeld func(subject string) bool) bool {
	for i := range a.delivery.Events {
		if isHeld(a.delivery.Events[i].Subject) {
			return true
		}
	}
	return false
}

func (s *stuck) count(batch []*appending, by int) {
	for _, a := range batch {
		s.bytes += int64(by * a.bytes)
		for i := range a.delivery.Events {
			subject := a.delivery.Events[i].Subject
			if s.subjects[subject] += by; s.subjects[subject] == 0 {
				delete(s.subjects, subject)
			}
		}
	}
}

// wait has deliveries tried again and again, beside everybody else's.
func (s *Store) wait(held []*appending) {
	if len(held) == 0 {
		return
	}
	s.stuck.Lock()
	defer s.stuck.Unlock()
	s.stuck.waiting = append(s.stuck.waiting, held...)
	s.stuck.count(held, 1)
	if !s.stuck.working {
		s.stuck.working = true
		s.working.Go(s.unstick)
	}
}

// unstick works until nobody waits. Whoever is added meanwhile is seen too.
func (s *Store) unstick() {
	for closing := false; ; {
		s.stuck.Lock()
		batch := s.stuck.waiting
		if len(batch) == 0 {
			s.stuck.working = false
			s.stuck.Unlock()
			return
		}
		s.stuck.waiting = nil
		s.stuck.Unlock()

		held := s.tryAgain(batch, closing)
		s.stuck.Lock()
		s.stuck.count(batch, -1)
		s.stuck.count(held, 1)
		s.stuck.waiting = append(held, s.stuck.waiting...)
		s.stuck.Unlock()
		if len(held) > 0 {
			closing = !s.pause(stuckPause)
		}
	}
}

// tryAgain stores what it can and returns the rest.
func (s *Store) tryAgain(batch []*appending, last bool) (held []*appending) {
	var wanted []*appending
	for _, a := range batch {
		if err := a.ctx.Err(); err != nil {
			a.finish(fmt.Errorf("wait for a lock that somebody has on the delivery's subject or key: %w", err))
		} else {
			wanted = append(wanted, a)
		}
	}
	for len(wanted) > 0 {
		n := s.fit(wanted)
		free, locked := s.divideByLocks(wanted[:n])
		held = append(append(held, locked...), s.storeApart(free, nextPatience)...)
		wanted = wanted[n:]
	}
	if !last {
		return held
	}
	for _, a := range held {
		a.finish(errClosed)
	}
	return nil
}

// fit is how many of those that wait may share a commit: one at least.
func (s *Store) fit(all []*appending) (n int) {
	for weight, bytes := 0, 0; n < len(all) && (n == 0 || weight < s.options.BatchLength && bytes < s.options.BatchBytes); n++ {
		weight, bytes = weight+all[n].weight, bytes+all[n].bytes
	}
	return n
}

// divideByLocks takes out of a batch what is about a subject whose row somebody has
// locked. If it cannot be found out, nothing is.
func (s *Store) divideByLocks(batch []*appending) (free, held []*appending) {
	ctx, cancel := context.WithTimeout(context.Background(), statementPatience)
	defer cancel()
	conn, err := s.conn(ctx)
	if err != nil {
		return batch, nil
	}
	defer conn.Release()
	// It lets go of what it locks at once, being a transaction of its own.
	rows, _ := conn.Query(ctx, `WITH free AS MATERIALIZED (
			SELECT id FROM subjects WHERE id = ANY ($1) ORDER BY id FOR UPDATE SKIP LOCKED)
		SELECT id FROM subjects WHERE id = ANY ($1) AND id NOT IN (SELECT id FROM free)`, subjectsOf(batch))
	locked, err := pgx.CollectRows(rows, pgx.RowTo[text])
	if err != nil {
		s.failed(err)
		return batch, nil
	}
	is := map[string]bool{}
	for _, id := range locked {
		is[string(id)] = true
	}
	return divide(batch, func(subject string) bool { return is[subject] })
}

func subjectsOf(batch []*appending) (ids []text) {
	for _, a := range batch {
		for i := range a.delivery.Events {
			ids = append(ids, text(a.delivery.Events[i].Subject))
		}
	}
	return ids
}

package inboxtest

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/holdfast-project/holdfast/inbox"
)

// operate does a verb and requires the right answer.
func (m *model) operate(r *rapid.T, s *modelSubject, v inbox.Verb, allowed bool) bool {
	v.Subject, v.Now, v.By, v.Reason = s.id, m.now, "ann", "because"
	_, err := m.store.Operate(m.Context(), v)
	var refused *inbox.RefusedError
	switch {
	case !s.known:
		require.ErrorIs(r, err, inbox.ErrNotFound)
	case !allowed:
		require.ErrorAs(r, err, &refused, v.Verb)
	default:
		require.NoError(r, err)
	}
	return s.known && allowed
}

func (m *model) pause(r *rapid.T) {
	s := m.pick(r)
	var until time.Time
	if rapid.Bool().Draw(r, "ends") {
		until = m.now.Add(time.Hour)
	}
	over := !s.until.IsZero() && !s.until.After(m.now)
	allowed := !s.held || s.by == inbox.HeldByPolicy || over
	if m.operate(r, s, inbox.Verb{Verb: inbox.VerbPause, Until: until}, allowed) {
		s.held, s.by, s.until = true, "ann", until
		s.sweepFrom(m.now)
	}
}

func (m *model) resume(r *rapid.T) {
	s := m.pick(r)
	if m.operate(r, s, inbox.Verb{Verb: inbox.VerbResume}, s.held || s.streak > 0) {
		s.held, s.by, s.until = false, "", time.Time{}
		s.movedOn()
		s.sweepFrom(atOnce)
	}
}

func (m *model) park(r *rapid.T) {
	s := m.pick(r)
	sequence := rapid.SampledFrom(append([]int64{0}, slices.Concat(s.pending, m.settled)...)).Draw(r, "sequence")
	head := len(s.pending) > 0 && s.pending[0] == sequence
	if !m.operate(r, s, inbox.Verb{Verb: inbox.VerbPark, Sequence: sequence}, slices.Contains(s.pending, sequence)) {
		return
	}
	m.done(s, sequence, modelOutcome{status: inbox.StatusParked})
	if head {
		s.movedOn()
		if s.by == inbox.HeldByPolicy {
			s.held, s.by, s.until = false, "", time.Time{}
		}
		s.sweepFrom(atOnce)
	}
}

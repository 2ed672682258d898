package inboxtest

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// atOnce is when a subject waits since that an operator has asked for: before all others.
var atOnce = time.Unix(0, 0)

// sweepFrom sets the time since which a subject waits to be rung or taken by the
// relief lane, if it is neither held nor waits for its next attempt; zero: not at all.
func (s *modelSubject) sweepFrom(since time.Time) {
	switch {
	case s.held:
		s.sweepAt = s.until
	case s.nextWake.After(since):
		s.sweepAt = s.nextWake
	default:
		s.sweepAt = since
	}
}

// raise appends a sequence.
func (s *modelSubject) raise(sequence int64, now time.Time) {
	if len(s.pending) == 0 {
		s.sweepFrom(now)
	}
	s.pending = append(s.pending, sequence)
}

func (s *modelSubject) isRung(now, before time.Time) bool {
	return len(s.pending) > 0 && !s.held && s.streak == 0 && !s.busyUntil.After(now) &&
		!s.sweepAt.IsZero() && !s.sweepAt.After(before)
}

// rung asks for who waits, which of the model's store are this round's subjects.
func (m *model) rung(r *rapid.T) {
	m.pick(r)
	before := m.now.Add(-time.Duration(rapid.IntRange(0, 90).Draw(r, "since")) * time.Minute)
	var ids, want []string
	for _, s := range m.subjects {
		ids = append(ids, s.id)
		if s.isRung(m.now, before) {
			want = append(want, s.id)
		}
	}
	still, err := m.store.StillRung(m.Context(), ids, m.now, before)
	require.NoError(r, err)
	require.Equal(r, want, append([]string(nil), still...))
	rung, err := m.store.Rung(m.Context(), m.now, before, 1000)
	require.NoError(r, err)
	rung = slices.DeleteFunc(rung, func(id string) bool { return !slices.Contains(ids, id) })
	require.ElementsMatch(r, want, rung)
	at := map[string]time.Time{}
	for _, s := range m.subjects {
		at[s.id] = s.sweepAt
		if m.shared && slices.Contains(want, s.id) {
			s.sweepAt = m.now
		}
	}
	require.True(r, slices.IsSortedFunc(rung, func(a, b string) int { return at[a].Compare(at[b]) }))
}

// letGo ends a claim's work, whose epoch may be stale.
func (m *model) letGo(r *rapid.T) {
	s := m.pick(r)
	if len(s.epochs) == 0 {
		return
	}
	epoch := rapid.SampledFrom(s.epochs).Draw(r, "epoch")
	var wake time.Time
	if rapid.Bool().Draw(r, "waits") {
		wake = m.now.Add(time.Duration(rapid.IntRange(0, 9).Draw(r, "for")) * time.Minute)
	}
	require.NoError(r, m.store.Release(m.Context(), s.id, epoch, wake))
	if epoch != s.epochs[len(s.epochs)-1] {
		return
	}
	s.free()
	if !wake.IsZero() {
		s.sweepFrom(wake.Add(30 * time.Second))
	}
}

func (s *modelSubject) free() { s.busyRun, s.busyUntil = "", time.Time{} }

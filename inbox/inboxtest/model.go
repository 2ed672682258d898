package inboxtest

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/holdfast-project/holdfast/inbox"
)

// modelRounds bounds what rapid would do: each step is a commit, and a busy disk
// may need 40 ms for one.
const modelRounds = 40

// testModel does random operations to two subjects of a store and to a model of
// a few lines, and compares.
func testModel(t *testing.T, open Opener) {
	t.Helper()
	store, another := open(t)
	var rounds atomic.Int64
	rapid.Check(t, func(r *rapid.T) {
		round := rounds.Add(1)
		if round > modelRounds {
			return
		}
		m := &model{T: r, store: store, shared: another != nil, now: start, keys: map[string]int64{}, outcomes: map[int64]modelOutcome{}}
		for _, letter := range []string{"a", "b"} {
			m.subjects = append(m.subjects, &modelSubject{id: fmt.Sprintf("model/%d%s", round, letter)})
		}
		r.Repeat(map[string]func(*rapid.T){
			"append": m.append, "claim": m.claim, "settle": m.settle, "fail": m.fail, "let go": m.letGo,
			"pause": m.pause, "resume": m.resume, "park": m.park, "replay": m.replay, "rung": m.rung, "": m.check,
		})
	})
}

type model struct {
	*rapid.T
	store    inbox.Inbox
	shared   bool // by several processes
	now      time.Time
	subjects []*modelSubject
	keys     map[string]int64 // to sequences
	settled  []int64
	outcomes map[int64]modelOutcome // of what is settled
}

// modelOutcome is how an event was settled: by a run, or by an operator.
type modelOutcome struct {
	subject string
	status  inbox.Status
	run     string
	epoch   int64
}

type modelSubject struct {
	id       string
	known    bool
	pending  []int64
	epochs   []int64
	held     bool
	by       string
	until    time.Time
	streak   int
	holds    int
	nextWake time.Time

	busyRun   string // the run that has it in hand
	busyUntil time.Time
	sweepAt   time.Time
	runs      []string // of the epochs
}

func (s *modelSubject) movedOn() { s.streak, s.holds, s.nextWake = 0, 0, time.Time{} }

// pick moves the clock and draws a subject.
func (m *model) pick(r *rapid.T) *modelSubject {
	m.now = m.now.Add(time.Duration(rapid.IntRange(0, 90).Draw(r, "minutes")) * time.Minute)
	return rapid.SampledFrom(m.subjects).Draw(r, "subject")
}

// target draws an epoch and a sequence that may be stale, and tells what must
// come of settling with them.
func (m *model) target(r *rapid.T, s *modelSubject) (epoch, sequence int64, run string, want error) {
	if len(s.epochs) == 0 {
		return 0, 1, "", inbox.ErrFenced
	}
	latest := len(s.epochs) - 1
	i := latest
	if rapid.IntRange(0, 9).Draw(r, "stale") == 0 {
		i = rapid.IntRange(0, latest).Draw(r, "epoch")
	}
	if len(s.pending) > 0 {
		sequence = s.pending[0]
	}
	if len(m.settled) > 0 && (sequence == 0 || rapid.IntRange(0, 9).Draw(r, "settled") == 0) {
		sequence = rapid.SampledFrom(m.settled).Draw(r, "sequence")
	}
	switch {
	case i != latest:
		want = inbox.ErrFenced
	case !slices.Contains(s.pending, sequence):
		want = inbox.ErrNotPending
	}
	return s.epochs[i], sequence, s.runs[i], want
}

func (m *model) done(s *modelSubject, sequence int64, o modelOutcome) {
	s.pending = slices.DeleteFunc(s.pending, func(other int64) bool { return other == sequence })
	o.subject = s.id
	m.settled, m.outcomes[sequence] = append(m.settled, sequence), o
}

func (m *model) append(r *rapid.T) {
	s := m.pick(r)
	key := rapid.SampledFrom([]string{"", "", "k1", "k2", "k3"}).Draw(r, "key")
	e := newEvent(s.id, "")
	if key != "" {
		e.Key = s.id + key
	}
	e.ReceivedAt = m.now
	receipts, err := m.store.Append(m.Context(), delivery(e))
	require.NoError(r, err)
	first, duplicate := m.keys[e.Key]
	require.Equal(r, duplicate, receipts[0].Duplicate)
	if duplicate {
		require.Equal(r, first, receipts[0].Sequence)
		return
	}
	require.Equal(r, len(s.pending) == 0, receipts[0].Ring)
	if e.Key != "" {
		m.keys[e.Key] = receipts[0].Sequence
	}
	s.known = true
	s.raise(receipts[0].Sequence, m.now)
}

func (m *model) replay(r *rapid.T) {
	m.pick(r)
	if len(m.settled) == 0 {
		return
	}
	sequence := rapid.SampledFrom(m.settled).Draw(r, "sequence")
	replayed, err := m.store.Replay(m.Context(), inbox.Replay{Sequences: []int64{sequence}, Now: m.now, By: "ann"})
	require.NoError(r, err)
	copied := replayed.Events[0]
	for _, s := range m.subjects {
		if s.id == copied.Subject {
			require.Equal(r, len(s.pending) == 0, len(replayed.Ring) == 1)
			s.raise(copied.Sequence, m.now)
		}
	}
}

// check compares all that can be seen.
func (m *model) check(r *rapid.T) {
	for _, s := range m.subjects {
		entries, err := m.store.Next(m.Context(), s.id, 1000, 1<<20)
		require.NoError(r, err)
		var pending []int64
		for _, entry := range entries {
			pending = append(pending, entry.Sequence)
		}
		require.Equal(r, append([]int64(nil), s.pending...), pending)
		view, err := m.store.Subject(m.Context(), s.id)
		if !s.known {
			require.ErrorIs(r, err, inbox.ErrNotFound)
			continue
		}
		require.NoError(r, err)
		require.Equal(r, len(s.pending), view.Pending)
		require.Equal(r, len(s.pending) > 0, view.Head != nil)
		require.Equal(r, []any{s.held, s.by, s.until}, []any{view.Held, view.HeldBy, view.HeldUntil})
		require.Equal(r, []any{s.streak, s.holds, s.nextWake}, []any{view.Streak, view.Holds, view.NextWake})
	}
	for _, sequence := range m.settled[max(0, len(m.settled)-3):] {
		event, err := m.store.Event(m.Context(), sequence)
		require.NoError(r, err)
		require.Equal(r, []any{m.outcomes[sequence].status, m.outcomes[sequence].run}, []any{event.Status, event.Run})
	}
}

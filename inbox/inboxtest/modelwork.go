package inboxtest

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/holdfast-project/holdfast/inbox"
)

// modelOriginal is the run that the model's other runs are resets of.
const modelOriginal = "r1"

// originalOf is the original of a run. The relief lane has none, nor has an operator.
func originalOf(run string) string {
	if run == "" || inbox.IsRelief(run) {
		return ""
	}
	return modelOriginal
}

func (m *model) claim(r *rapid.T) {
	s := m.pick(r)
	run := rapid.SampledFrom([]string{modelOriginal, modelOriginal, "r2", "r3", inbox.ReliefRun("1"), inbox.ReliefRun("2")}).Draw(r, "run")
	after := rapid.SampledFrom(append([]int64{0}, s.epochs...)).Draw(r, "after")
	until := m.now.Add(2 * time.Hour)
	claimed, err := m.store.Claim(m.Context(), inbox.Claim{
		Subject: s.id, Now: m.now, BusyUntil: until, RunID: run, OriginalRunID: originalOf(run), AfterEpoch: after,
	})
	require.NoError(r, err)
	requireFirst(r, m.store, claimed)
	if s.held && !s.until.IsZero() && !s.until.After(m.now) {
		s.held, s.by, s.until = false, "", time.Time{}
		s.sweepFrom(s.sweepAt)
	}
	if s.busyRun != run && s.busyUntil.After(m.now) {
		require.Equal(r, s.busyUntil, claimed.InHandUntil)
		require.Equal(r, s.busyRun, claimed.InHandBy)
		require.Zero(r, claimed.Subject.Epoch)
		require.Zero(r, claimed.Reopened)
		return
	}
	require.True(r, claimed.InHandUntil.IsZero())
	require.Equal(r, m.reopen(s, run, after), claimed.Reopened)
	require.Equal(r, len(s.pending), claimed.Subject.Pending)
	if len(s.pending) == 0 || s.held || s.nextWake.After(m.now) {
		require.Zero(r, claimed.Subject.Epoch)
		return
	}
	last := int64(0)
	if len(s.epochs) > 0 {
		last = s.epochs[len(s.epochs)-1]
	}
	require.Greater(r, claimed.Subject.Epoch, last)
	s.epochs, s.runs = append(s.epochs, claimed.Subject.Epoch), append(s.runs, run)
	s.busyRun, s.busyUntil = run, until
	s.sweepFrom(until)
}

// reopen makes pending again what other runs settled after an epoch, if the run
// is a reset one.
func (m *model) reopen(s *modelSubject, run string, after int64) int {
	head := int64(0)
	if len(s.pending) > 0 {
		head = s.pending[0]
	}
	before := len(s.pending)
	isReset := run != modelOriginal && !inbox.IsRelief(run)
	m.settled = slices.DeleteFunc(m.settled, func(sequence int64) bool {
		o := m.outcomes[sequence]
		again := isReset && o.subject == s.id && o.run != run && originalOf(o.run) == modelOriginal && o.epoch > after
		if again {
			s.pending = append(s.pending, sequence)
		}
		return again
	})
	slices.Sort(s.pending)
	reopened := len(s.pending) - before
	if reopened > 0 && !s.held && s.pending[0] != head {
		s.movedOn()
	}
	return reopened
}

func (m *model) settle(r *rapid.T) {
	s := m.pick(r)
	epoch, sequence, run, want := m.target(r, s)
	last := rapid.Bool().Draw(r, "last")
	status := rapid.SampledFrom([]inbox.Status{inbox.StatusDelivered, inbox.StatusParked, inbox.StatusFailed}).Draw(r, "status")
	settled, err := m.store.Settle(m.Context(), inbox.Settlement{
		Subject: s.id, Epoch: epoch, Sequence: sequence, Status: status, Now: m.now, Attempts: 1,
		Last: last, RunID: run, OriginalRunID: originalOf(run),
	})
	if want != nil {
		require.ErrorIs(r, err, want)
		return
	}
	require.NoError(r, err)
	m.done(s, sequence, modelOutcome{status: status, run: run, epoch: epoch})
	s.movedOn()
	next := int64(0)
	if len(s.pending) > 0 {
		next = s.pending[0]
	}
	require.Equal(r, inbox.Settled{Pending: len(s.pending), Next: next, Held: s.held}, settled)
	if last || next == 0 {
		s.free()
	}
}

func (m *model) fail(r *rapid.T) {
	s := m.pick(r)
	epoch, sequence, _, want := m.target(r, s)
	f := inbox.Failure{Subject: s.id, Epoch: epoch, Sequence: sequence, Error: "no", Now: m.now, NextWake: m.now.Add(time.Minute)}
	if rapid.Bool().Draw(r, "hold") {
		f.Hold = &inbox.Hold{Until: m.now.Add(time.Hour), Reason: "critical"}
	}
	f.Streak = max(0, s.streak-rapid.IntRange(0, 5).Draw(r, "streak")/4)
	f.Holds = max(0, s.holds-rapid.IntRange(0, 5).Draw(r, "holds")/5)
	if want == nil && (f.Streak != s.streak || f.Holds != s.holds) {
		want = inbox.ErrResumed
	}
	row, err := m.store.Fail(m.Context(), f)
	if want != nil {
		require.ErrorIs(r, err, want)
		require.Equal(r, want == inbox.ErrResumed, row.ID == s.id, "the row comes only with this error") //nolint:errorlint // our own value
		return
	}
	require.NoError(r, err)
	s.free()
	s.streak++
	s.nextWake = f.NextWake
	if f.Hold != nil {
		s.holds++
		s.nextWake = f.Hold.Until
		if !s.held || s.by == inbox.HeldByPolicy {
			s.held, s.by, s.until = true, inbox.HeldByPolicy, f.Hold.Until
		}
	}
	s.sweepFrom(m.now)
}

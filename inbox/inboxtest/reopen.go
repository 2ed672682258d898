package inboxtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

// run is a Temporal run that drains.
type run struct {
	box
	id, original string
}

func (r run) take(subject string, afterEpoch int64) inbox.Claimed {
	r.t.Helper()
	claimed, err := r.Claim(r.t.Context(), inbox.Claim{
		Subject: subject, Now: at(1), BusyUntil: at(2), RunID: r.id, OriginalRunID: r.original, AfterEpoch: afterEpoch,
	})
	require.NoError(r.t, err)
	return claimed
}

func (r run) settle(claimed inbox.Claimed, sequence int64, status inbox.Status) {
	r.t.Helper()
	s := settlement(claimed.Subject, sequence)
	s.RunID, s.OriginalRunID, s.Status, s.Last = r.id, r.original, status, true
	_, err := r.Settle(r.t.Context(), s)
	require.NoError(r.t, err)
}

func testReopen(t *testing.T, open Opener) {
	t.Helper()
	t.Run("AResetDoesAgainWhatFollowedItsPoint", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 4)
		other := b.put("redo/b", 1)
		first := run{b, "r1", "r1"}
		kept := first.take("redo/a", 0)
		first.settle(kept, all[0].Sequence, inbox.StatusDelivered)
		undone := first.take("redo/a", kept.Subject.Epoch)
		require.Zero(t, undone.Reopened)
		first.settle(undone, all[1].Sequence, inbox.StatusDelivered)
		first.settle(undone, all[2].Sequence, inbox.StatusParked)
		first.settle(first.take("redo/b", 0), other[0].Sequence, inbox.StatusDelivered)

		reset := run{b, "r2", "r1"}
		claimed := reset.take("redo/a", kept.Subject.Epoch)
		require.Equal(t, 2, claimed.Reopened)
		require.Equal(t, 3, claimed.Subject.Pending)
		require.Equal(t, sequences(all[1:]), b.pending("redo/a"))
		event := b.event(all[2].Sequence)
		require.Equal(t, 1, event.Redo)
		require.True(t, event.SettledAt.IsZero())
		require.Empty(t, event.Reason)
		require.Equal(t, 1, event.Attempts, "what was tried was tried")
		require.Zero(t, b.event(all[3].Sequence).Redo)
		require.Zero(t, b.event(other[0].Sequence).Redo)
	})
	t.Run("TheSameClaimAgainReopensNothing", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		first := run{b, "r1", "r1"}
		old := first.take("redo/a", 0)
		first.settle(old, all[0].Sequence, inbox.StatusDelivered)
		first.settle(old, all[1].Sequence, inbox.StatusDelivered)

		reset := run{b, "r2", "r1"}
		lost := reset.take("redo/a", 0)
		require.Equal(t, 2, lost.Reopened)
		reset.settle(lost, all[0].Sequence, inbox.StatusDelivered)
		again := reset.take("redo/a", 0) // its first answer never reached the history
		require.Zero(t, again.Reopened)
		require.Equal(t, sequences(all[1:]), b.pending("redo/a"))
		reset.settle(again, all[1].Sequence, inbox.StatusDelivered)
		require.Zero(t, reset.take("redo/a", again.Subject.Epoch).Reopened)
	})
	t.Run("AResetOfAResetRedoesBoth", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 3)
		first := run{b, "r1", "r1"}
		first.settle(first.take("redo/a", 0), all[0].Sequence, inbox.StatusDelivered)
		second := run{b, "r2", "r1"}
		claimed := second.take("redo/a", 0)
		require.Equal(t, 1, claimed.Reopened)
		second.settle(claimed, all[0].Sequence, inbox.StatusDelivered)
		second.settle(claimed, all[1].Sequence, inbox.StatusDelivered)

		third := run{b, "r3", "r1"}
		require.Equal(t, 2, third.take("redo/a", 0).Reopened)
		require.Equal(t, sequences(all), b.pending("redo/a"))
		require.Equal(t, 2, b.event(all[0].Sequence).Redo)
		require.Equal(t, 1, b.event(all[1].Sequence).Redo)
	})
	t.Run("ARunOfAnotherOriginalIsLeftAlone", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 1)
		first := run{b, "r1", "r1"}
		first.settle(first.take("redo/a", 0), all[0].Sequence, inbox.StatusDelivered)
		require.Zero(t, run{b, "s2", "s1"}.take("redo/a", 0).Reopened)
		require.Zero(t, run{b, "r9", "r9"}.take("redo/a", 0).Reopened, "it is no reset")
	})
	t.Run("WhatAnOperatorParkedStaysParked", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		first := run{b, "r1", "r1"}
		first.settle(first.take("redo/a", 0), all[0].Sequence, inbox.StatusDelivered)
		b.operate(parkOf("redo/a", all[1].Sequence))
		require.Equal(t, 1, run{b, "r2", "r1"}.take("redo/a", 0).Reopened)
		require.Equal(t, inbox.StatusParked, b.event(all[1].Sequence).Status)
	})
	t.Run("WhatIsReopenedIsStillADuplicate", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 1)
		first := run{b, "r1", "r1"}
		first.settle(first.take("redo/a", 0), all[0].Sequence, inbox.StatusDelivered)
		run{b, "r2", "r1"}.take("redo/a", 0)
		again := b.append(newEvent("redo/a", "redo/a-0"))[0]
		require.True(t, again.Duplicate)
		require.False(t, again.Ring)
	})
	t.Run("NothingIsReopenedUnderAnothersHand", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 3)
		first := run{b, "r1", "r1"}
		first.settle(first.take("redo/a", 0), all[0].Sequence, inbox.StatusDelivered)
		inHand := first.take("redo/a", 0)

		reset := run{b, "r2", "r1"}
		claimed := reset.take("redo/a", 0)
		require.Equal(t, at(2), claimed.InHandUntil)
		require.Zero(t, claimed.Reopened)
		require.Zero(t, claimed.Subject.Epoch)
		require.Equal(t, sequences(all[1:]), b.pending("redo/a"))
		first.settle(inHand, all[1].Sequence, inbox.StatusDelivered)
		claimed = reset.take("redo/a", 0)
		require.Equal(t, 2, claimed.Reopened, "also what was in hand")
		require.NotZero(t, claimed.Subject.Epoch)
		require.Equal(t, sequences(all), b.pending("redo/a"))
	})
	t.Run("IsDoneOnceAlsoIfNothingIsTaken", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		first := run{b, "r1", "r1"}
		first.settle(first.take("redo/a", 0), all[0].Sequence, inbox.StatusDelivered)
		b.operate(pauseOf("redo/a", time.Time{}))
		reset := run{b, "r2", "r1"}
		for _, want := range []int{1, 0, 0} {
			claimed := reset.take("redo/a", 0)
			require.Equal(t, want, claimed.Reopened)
			require.Zero(t, claimed.Subject.Epoch)
			require.True(t, claimed.Subject.Held)
			require.Equal(t, 2, claimed.Subject.Pending)
		}
		b.operate(resumeOf("redo/a"))
		claimed := reset.take("redo/a", 0)
		require.Zero(t, claimed.Reopened)
		require.NotZero(t, claimed.Subject.Epoch)
		require.Equal(t, 1, b.event(all[0].Sequence).Redo)
	})
	t.Run("FromRestMakesWorkForTheSweeper", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 1)
		first := run{b, "r1", "r1"}
		first.settle(first.take("redo/a", 0), all[0].Sequence, inbox.StatusDelivered)
		b.operate(pauseOf("redo/a", at(30)))
		require.Equal(t, 1, run{b, "r2", "r1"}.take("redo/a", 0).Reopened)
		require.Empty(t, b.unrung(at(29)))
		require.Equal(t, []string{"redo/a"}, b.unrung(at(31)))
	})
	t.Run("TheFailuresOfALaterHeadAreForgotten", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		first := run{b, "r1", "r1"}
		claimed := first.take("redo/a", 0)
		first.settle(claimed, all[0].Sequence, inbox.StatusDelivered)
		b.fail(claimed.Subject, all[1].Sequence, nil)
		reset := run{b, "r2", "r1"}.take("redo/a", 0)
		require.Equal(t, 1, reset.Reopened)
		require.Zero(t, reset.Subject.Streak, "the first pending event is another one, which has not failed")
		require.True(t, reset.Subject.NextWake.IsZero())
	})
}

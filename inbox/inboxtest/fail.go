package inboxtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

func testFail(t *testing.T, open Opener) {
	t.Helper()
	t.Run("RecordsTheAttempt", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		owner := b.claim("redo/a", at(1))
		after := b.fail(b.fail(owner, all[0].Sequence, nil), all[0].Sequence, nil)
		want := inbox.Subject{
			ID: "redo/a", Name: "redo/a", Source: "redo", Pending: 2, Epoch: owner.Epoch,
			Streak: 2, Spent: 6 * time.Second, NextWake: at(4), LastError: "status 500", FailedAt: at(2),
		}
		require.Equal(t, want, after)
		view := b.subject("redo/a")
		require.Equal(t, want, view.Subject)
		require.Equal(t, inbox.StateRetrying, view.State())
		require.Equal(t, 2, view.Head.Attempts)
		require.Equal(t, "status 500", view.Head.Reason)
		require.Equal(t, "app", view.Head.Handler)
		require.Equal(t, inbox.StatusPending, view.Head.Status)
		require.Equal(t, sequences(all), b.pending("redo/a"))
	})
	t.Run("Holds", func(t *testing.T) {
		b := setup(t, open)
		sequence := b.put("redo/a", 1)[0].Sequence
		owner := b.fail(b.claim("redo/a", at(1)), sequence, nil)
		after := b.fail(owner, sequence, &inbox.Hold{Until: at(62), Reason: "status 404"})
		require.True(t, after.Held)
		require.Equal(t, inbox.StateHeld, after.State())
		require.Equal(t, at(62), after.HeldUntil)
		require.Equal(t, at(62), after.NextWake)
		require.Equal(t, inbox.HeldByPolicy, after.HeldBy)
		require.Equal(t, "status 404", after.HeldReason)
		require.Equal(t, 1, after.Holds)
		require.Equal(t, 2, after.Streak)

		probe := b.claim("redo/a", at(62))
		require.False(t, probe.Held)
		again := b.fail(probe, sequence, &inbox.Hold{Until: at(182), Reason: "status 404"})
		require.True(t, again.Held)
		require.Equal(t, 2, again.Holds)
		require.Equal(t, 3, again.Streak)
	})
	t.Run("AnOperatorsHoldIsNeverReplaced", func(t *testing.T) {
		b := setup(t, open)
		sequence := b.put("redo/a", 1)[0].Sequence
		owner := b.claim("redo/a", at(1))
		b.operate(pauseOf("redo/a", time.Time{}))
		after := b.fail(owner, sequence, &inbox.Hold{Until: at(62), Reason: "status 404"})
		require.True(t, after.Held)
		require.Equal(t, "ann", after.HeldBy)
		require.Equal(t, "look", after.HeldReason)
		require.True(t, after.HeldUntil.IsZero())
		require.Equal(t, 1, after.Holds, "the attempt after it is a probe")
		require.Equal(t, 1, after.Streak)
		require.Empty(t, b.unrung(at(100_000)))
	})
	t.Run("JudgedBeforeAResumeIsNotRecorded", func(t *testing.T) {
		b := setup(t, open)
		sequence := b.put("redo/a", 1)[0].Sequence
		b.fail(b.claim("redo/a", at(1)), sequence, &inbox.Hold{Until: at(60), Reason: "critical"})
		probe := b.claim("redo/a", at(60))
		resumed := b.operate(resumeOf("redo/a"))
		for name, f := range map[string]inbox.Failure{
			"Streak": {Streak: 1}, "Holds": {Holds: 1}, "Both": {Streak: 1, Holds: 1}, "Ahead": {Streak: 2},
		} {
			stale := failure(probe, sequence, &inbox.Hold{Until: at(180), Reason: "critical"})
			stale.Streak, stale.Holds = f.Streak, f.Holds
			row, err := b.Fail(t.Context(), stale)
			require.ErrorIs(t, err, inbox.ErrResumed, name)
			require.Equal(t, resumed.Subject, row, name)
			require.Equal(t, probe.Epoch, row.Epoch, "its owner goes on with it")
			require.Equal(t, resumed, b.subject("redo/a"), name)
		}
		require.Equal(t, at(61), b.takeAs("another", "redo/a", at(60)).InHandUntil, "its work has not ended")

		again := b.fail(resumed.Subject, sequence, nil)
		require.Equal(t, 1, again.Streak)
		require.Zero(t, again.Holds)
		require.Equal(t, 2, b.event(sequence).Attempts, "the attempt was counted once")
	})
	t.Run("FencedAndNotPendingComeBeforeResumed", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		old := b.claim("redo/a", at(1))
		owner := b.claim("redo/a", at(1))
		old.Streak, owner.Streak = 7, 7
		_, err := b.Fail(t.Context(), failure(old, all[0].Sequence, nil))
		require.ErrorIs(t, err, inbox.ErrFenced)
		b.operate(parkOf("redo/a", all[0].Sequence))
		_, err = b.Fail(t.Context(), failure(owner, all[0].Sequence, nil))
		require.ErrorIs(t, err, inbox.ErrNotPending)
		_, err = b.Fail(t.Context(), failure(owner, all[1].Sequence, nil))
		require.ErrorIs(t, err, inbox.ErrResumed)
	})
	t.Run("OneSubjectsTroubleIsItsOwn", func(t *testing.T) {
		b := setup(t, open)
		bad, good := b.put("redo/a", 1)[0], b.put("redo/b", 1)[0]
		b.fail(b.claim("redo/a", at(1)), bad.Sequence, &inbox.Hold{Until: at(60)})
		require.Equal(t, inbox.Settled{}, b.deliver(b.claim("redo/b", at(1)), good.Sequence))
	})
}

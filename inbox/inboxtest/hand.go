package inboxtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

// testHand is about what a run has in hand: no other run may start beside it.
func testHand(t *testing.T, open Opener) {
	t.Helper()
	free := func(t *testing.T, b box) {
		t.Helper()
		other := b.takeAs("another", "redo/a", at(1))
		require.True(t, other.InHandUntil.IsZero())
		require.NotZero(t, other.Subject.Epoch)
	}
	t.Run("AnotherRunGetsNothing", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		owner := b.claim("redo/a", at(1)) // until 2
		row := b.subject("redo/a").Subject
		for _, run := range []string{"another", ""} {
			other := b.takeAs(run, "redo/a", at(1))
			require.Equal(t, at(2), other.InHandUntil)
			require.Equal(t, "run", other.InHandBy)
			require.Zero(t, other.Subject.Epoch)
			other.Subject.Epoch = row.Epoch
			require.Equal(t, row, other.Subject)
		}
		require.Equal(t, row, b.subject("redo/a").Subject)
		require.NoError(t, b.Own(t.Context(), "redo/a", owner.Epoch))
		require.Equal(t, inbox.Settled{Pending: 1, Next: all[1].Sequence}, b.deliver(owner, all[0].Sequence))
		require.Equal(t, at(2), b.takeAs("another", "redo/a", at(1)).InHandUntil, "it goes on with the next")
		require.NotZero(t, b.takeAs("another", "redo/a", at(2)).Subject.Epoch, "it must be over by then")
		_, err := b.Settle(t.Context(), settlement(owner, all[1].Sequence))
		require.ErrorIs(t, err, inbox.ErrFenced)
	})
	t.Run("TheSameRunAlwaysMay", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		for _, run := range []string{"run", ""} {
			lost := b.takeAs(run, "redo/a", at(10))
			again := b.takeAs(run, "redo/a", at(10))
			require.Greater(t, again.Subject.Epoch, lost.Subject.Epoch)
			require.NoError(t, b.Release(t.Context(), "redo/a", again.Subject.Epoch, time.Time{}))
		}
	})
	t.Run("EndsWithAFailure", func(t *testing.T) {
		b := setup(t, open)
		sequence := b.put("redo/a", 1)[0].Sequence
		f := failure(b.claim("redo/a", at(1)), sequence, nil)
		f.NextWake = at(1)
		_, err := b.Fail(t.Context(), f)
		require.NoError(t, err)
		free(t, b)
	})
	t.Run("EndsWithTheLastSettlement", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		s := settlement(b.claim("redo/a", at(1)), all[0].Sequence)
		s.Last = true
		_, err := b.Settle(t.Context(), s)
		require.NoError(t, err)
		free(t, b)
	})
	t.Run("EndsWhenNothingIsLeft", func(t *testing.T) {
		b := setup(t, open)
		sequence := b.put("redo/a", 1)[0].Sequence
		b.deliver(b.claim("redo/a", at(1)), sequence)
		b.append(newEvent("redo/a", "more"))
		free(t, b)
	})
	t.Run("EndsWithARelease", func(t *testing.T) {
		b := setup(t, open)
		sequence := b.put("redo/a", 1)[0].Sequence
		old, owner := b.claim("redo/a", at(1)), b.claim("redo/a", at(1))
		for _, epoch := range []int64{old.Epoch, 0, -1, owner.Epoch + 1} {
			require.NoError(t, b.Release(t.Context(), "redo/a", epoch, time.Time{}), "that is not its to end")
		}
		require.NoError(t, b.Release(t.Context(), "redo/nobody", owner.Epoch, time.Time{}))
		require.Equal(t, at(2), b.takeAs("another", "redo/a", at(1)).InHandUntil)
		require.NoError(t, b.Release(t.Context(), "redo/a", owner.Epoch, time.Time{}))
		require.NoError(t, b.Own(t.Context(), "redo/a", owner.Epoch), "its epoch is not taken away")
		free(t, b)
		_, err := b.Settle(t.Context(), settlement(owner, sequence))
		require.ErrorIs(t, err, inbox.ErrFenced)
	})
	t.Run("DoesNotEndWithARefusal", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		owner := b.claim("redo/a", at(1))
		b.operate(parkOf("redo/a", all[0].Sequence))
		_, err := b.Settle(t.Context(), settlement(owner, all[0].Sequence))
		require.ErrorIs(t, err, inbox.ErrNotPending)
		_, err = b.Fail(t.Context(), failure(owner, all[0].Sequence, nil))
		require.ErrorIs(t, err, inbox.ErrNotPending)
		require.Equal(t, at(2), b.takeAs("another", "redo/a", at(1)).InHandUntil, "its holder goes on with the next")
	})
	t.Run("NoVerbTouchesIt", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 3)
		owner := b.claim("redo/a", at(1))
		b.operate(pauseOf("redo/a", time.Time{}))
		other := b.takeAs("another", "redo/a", at(1))
		require.Equal(t, at(2), other.InHandUntil)
		require.True(t, other.Subject.Held)
		b.operate(resumeOf("redo/a"))
		b.operate(parkOf("redo/a", all[1].Sequence))
		b.operate(pauseOf("redo/a", time.Time{}))
		require.Equal(t, at(2), b.takeAs("another", "redo/a", at(1)).InHandUntil)
		require.Equal(t, inbox.Settled{Pending: 1, Next: all[2].Sequence, Held: true}, b.deliver(owner, all[0].Sequence))
	})
	t.Run("AClaimWithoutAnEndHoldsNobodyUp", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		_, err := b.Claim(t.Context(), inbox.Claim{Subject: "redo/a", Now: at(1), RunID: "run", OriginalRunID: "run"})
		require.NoError(t, err)
		free(t, b)
	})
}

package inboxtest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

// contextOf returns a context that the test may cancel.
func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}

func testSettle(t *testing.T, open Opener) {
	t.Helper()
	t.Run("RecordsTheOutcome", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 3)
		owner := b.claim("redo/a", at(1))
		for i, status := range []inbox.Status{inbox.StatusDelivered, inbox.StatusParked, inbox.StatusFailed} {
			s := settlement(owner, all[i].Sequence)
			s.Status, s.Reason, s.Attempts = status, "because", i
			settled, err := b.Settle(t.Context(), s)
			require.NoError(t, err)
			require.Equal(t, inbox.Settled{Pending: 2 - i, Next: after(all, i)}, settled)
			event := b.event(all[i].Sequence)
			require.Equal(t, status, event.Status)
			require.Equal(t, "because", event.Reason)
			require.Equal(t, "log", event.Handler)
			require.Equal(t, i, event.Attempts)
			require.Equal(t, at(2), event.SettledAt)
		}
		require.Equal(t, inbox.StateIdle, b.subject("redo/a").State())
		require.Nil(t, b.subject("redo/a").Head)
	})
	t.Run("TellsTheFirstThatIsPending", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 5)
		b.put("redo/b", 1)
		owner := b.claim("redo/a", at(1))
		b.operate(parkOf("redo/a", all[1].Sequence))
		require.Equal(t, inbox.Settled{Pending: 3, Next: all[2].Sequence}, b.deliver(owner, all[0].Sequence))
		require.Equal(t, inbox.Settled{Pending: 2, Next: all[2].Sequence}, b.deliver(owner, all[3].Sequence))
		b.operate(parkOf("redo/a", all[4].Sequence))
		require.Equal(t, inbox.Settled{}, b.deliver(owner, all[2].Sequence))
	})
	t.Run("TwiceIsNotPending", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		owner := b.claim("redo/a", at(1))
		b.deliver(owner, all[0].Sequence)
		s := settlement(owner, all[0].Sequence)
		s.Status, s.Now = inbox.StatusParked, at(9)
		_, err := b.Settle(t.Context(), s)
		require.ErrorIs(t, err, inbox.ErrNotPending)
		_, err = b.Fail(t.Context(), failure(owner, all[0].Sequence, nil))
		require.ErrorIs(t, err, inbox.ErrNotPending)
		event := b.event(all[0].Sequence)
		require.Equal(t, inbox.StatusDelivered, event.Status)
		require.Equal(t, at(2), event.SettledAt)
		require.Equal(t, 1, b.subject("redo/a").Pending)
		require.Zero(t, b.subject("redo/a").Streak)
		require.Equal(t, inbox.Settled{}, b.deliver(owner, all[1].Sequence), "the holder goes on with the next")
	})
	t.Run("WhatIsNotTheSubjectsIsNotPending", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		other := b.put("redo/b", 1)[0]
		owner := b.claim("redo/a", at(1))
		for _, sequence := range []int64{other.Sequence, other.Sequence + 1000} {
			_, err := b.Settle(t.Context(), settlement(owner, sequence))
			require.ErrorIs(t, err, inbox.ErrNotPending)
		}
		require.Equal(t, 1, b.subject("redo/a").Pending)
		require.Equal(t, 1, b.subject("redo/b").Pending)
	})
	t.Run("OnlyAnOutcomeSettles", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 1)
		s := settlement(b.claim("redo/a", at(1)), all[0].Sequence)
		for _, status := range []inbox.Status{"", inbox.StatusPending, inbox.StatusQuarantined, "done"} {
			s.Status = status
			_, err := b.Settle(t.Context(), s)
			require.Error(t, err)
		}
		require.Equal(t, sequences(all), b.pending("redo/a"))
	})
	t.Run("ClearsTheStreakOfTheHead", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		owner := b.claim("redo/a", at(1))
		b.fail(owner, all[0].Sequence, nil)
		b.deliver(owner, all[0].Sequence)
		require.Equal(t, 2, b.event(all[0].Sequence).Attempts)
		want := inbox.Subject{ID: "redo/a", Name: "redo/a", Source: "redo", Pending: 1, Epoch: owner.Epoch}
		require.Equal(t, want, b.subject("redo/a").Subject)
	})
}

package inboxtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

func testPause(t *testing.T, open Opener) {
	t.Helper()
	t.Run("IsSeenAtTheNextSettlement", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		owner := b.claim("redo/a", at(1))
		b.operate(pauseOf("redo/a", time.Time{}))
		require.Equal(t, inbox.Settled{Pending: 1, Next: all[1].Sequence, Held: true}, b.deliver(owner, all[0].Sequence))
		view := b.subject("redo/a")
		require.True(t, view.Held, "moving on does not end it")
		require.Equal(t, "ann", view.HeldBy)
		require.True(t, b.claim("redo/a", at(9)).Held)
	})
	t.Run("AtRestHoldsWhatComes", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 1)
		b.deliver(b.claim("redo/a", at(1)), all[0].Sequence)
		view := b.operate(pauseOf("redo/a", time.Time{}))
		require.Equal(t, inbox.StateHeld, view.State())
		require.Nil(t, view.Head)
		require.True(t, b.append(newEvent("redo/a", "later"))[0].Ring)
		require.True(t, b.claim("redo/a", at(9)).Held)
		require.Empty(t, b.unrung(at(1000)), "the sweeper leaves it alone")
	})
	t.Run("SaysWhatIsThen", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 1)
		view := b.operate(pauseOf("redo/a", at(30)))
		require.True(t, view.Held)
		require.Equal(t, "ann", view.HeldBy)
		require.Equal(t, "look", view.HeldReason)
		require.Equal(t, at(30), view.HeldUntil)
		require.Equal(t, all[0].Sequence, view.Head.Sequence)
		require.Equal(t, b.subject("redo/a"), view)
	})
	t.Run("TwiceIsRefusedUntilItIsOver", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		b.operate(pauseOf("redo/a", at(30)))
		message := b.refused(pauseOf("redo/a", time.Time{}))
		require.Contains(t, message, "ann")
		require.Contains(t, message, at(3).Format(time.RFC3339))
		require.Contains(t, message, at(30).Format(time.RFC3339))
		later := pauseOf("redo/a", time.Time{})
		later.Now, later.By = at(30), "bob"
		require.Equal(t, "bob", b.operate(later).HeldBy)
	})
	t.Run("ReplacesAPolicysHold", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 1)
		b.fail(b.claim("redo/a", at(1)), all[0].Sequence, &inbox.Hold{Until: at(60), Reason: "critical"})
		view := b.operate(pauseOf("redo/a", time.Time{}))
		require.Equal(t, "ann", view.HeldBy)
		require.True(t, view.HeldUntil.IsZero())
		require.Equal(t, 1, view.Streak)
		require.Equal(t, 1, view.Holds)
	})
	t.Run("ThatIsOverAlreadyIsRefused", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		b.refused(pauseOf("redo/a", at(3)))
		b.refused(pauseOf("redo/a", at(-100)))
		require.False(t, b.subject("redo/a").Held)
	})
	t.Run("WhatMakesNoSenseIsRefused", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		b.refused(inbox.Verb{Verb: "stop", Subject: "redo/a", Now: at(3)})
		policy := pauseOf("redo/a", time.Time{})
		policy.By = inbox.HeldByPolicy
		b.refused(policy)
		require.False(t, b.subject("redo/a").Held)
	})
	t.Run("AnUnknownSubjectIsNotFound", func(t *testing.T) {
		b := setup(t, open)
		for _, verb := range []string{inbox.VerbPause, inbox.VerbResume, inbox.VerbPark} {
			_, err := b.Operate(t.Context(), inbox.Verb{Verb: verb, Subject: "redo/nobody", Reason: "r", Sequence: 1, Now: at(1)})
			require.ErrorIs(t, err, inbox.ErrNotFound)
		}
	})
}

func testResume(t *testing.T, open Opener) {
	t.Helper()
	clean := func(t *testing.T, view inbox.SubjectView) {
		t.Helper()
		want := inbox.Subject{ID: "redo/a", Name: "redo/a", Source: "redo", Pending: 1, Epoch: view.Epoch}
		require.Equal(t, want, view.Subject, "a full budget, and nothing of the hold")
	}
	t.Run("EndsAPolicysHold", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 1)
		owner := b.claim("redo/a", at(1))
		b.fail(owner, all[0].Sequence, &inbox.Hold{Until: at(60), Reason: "critical"})
		clean(t, b.operate(resumeOf("redo/a")))
		require.Equal(t, 1, b.subject("redo/a").Head.Attempts, "attempts are history")
		require.Equal(t, []string{"redo/a"}, b.unrung(at(5)))
	})
	t.Run("EndsAnOperatorsPause", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		b.operate(pauseOf("redo/a", time.Time{}))
		clean(t, b.operate(resumeOf("redo/a")))
		require.Equal(t, []string{"redo/a"}, b.unrung(at(5)))
	})
	t.Run("EndsAWait", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 1)
		b.fail(b.claim("redo/a", at(1)), all[0].Sequence, nil)
		clean(t, b.operate(resumeOf("redo/a")))
	})
	t.Run("KeepsTheDrainsEpoch", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 1)
		owner := b.claim("redo/a", at(1))
		b.operate(pauseOf("redo/a", time.Time{}))
		b.operate(resumeOf("redo/a"))
		require.Equal(t, inbox.Settled{}, b.deliver(owner, all[0].Sequence))
	})
	t.Run("WithoutTroubleIsRefused", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 1)
		require.Contains(t, b.refused(resumeOf("redo/a")), "pending")
		b.deliver(b.claim("redo/a", at(1)), all[0].Sequence)
		require.Contains(t, b.refused(resumeOf("redo/a")), "idle")
	})
}

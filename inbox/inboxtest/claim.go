package inboxtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

func testClaim(t *testing.T, open Opener) {
	t.Helper()
	t.Run("FencesWhoeverHadTheSubject", func(t *testing.T) {
		b := setup(t, open)
		sequence := b.put("redo/a", 1)[0].Sequence
		frozen := b.claim("redo/a", at(1))
		owner := b.claim("redo/a", at(1))
		require.Greater(t, owner.Epoch, frozen.Epoch)

		_, err := b.Settle(t.Context(), settlement(frozen, sequence))
		require.ErrorIs(t, err, inbox.ErrFenced)
		_, err = b.Fail(t.Context(), failure(frozen, sequence, &inbox.Hold{Until: at(60)}))
		require.ErrorIs(t, err, inbox.ErrFenced)
		require.ErrorIs(t, b.Own(t.Context(), "redo/a", frozen.Epoch), inbox.ErrFenced)
		require.NoError(t, b.Own(t.Context(), "redo/a", owner.Epoch))

		view := b.subject("redo/a")
		require.Equal(t, 1, view.Pending)
		require.False(t, view.Held)
		require.Zero(t, view.Head.Attempts, "the fenced one left no trace")
		b.deliver(owner, sequence)
		_, err = b.Settle(t.Context(), settlement(frozen, sequence))
		require.ErrorIs(t, err, inbox.ErrFenced, "fenced comes before not pending")
	})
	t.Run("EpochsAreOneSequenceForAllSubjects", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		b.put("redo/b", 1)
		last := int64(0)
		for _, subject := range []string{"redo/a", "redo/b", "redo/b", "redo/a"} {
			claimed := b.claim(subject, at(1))
			require.Greater(t, claimed.Epoch, last)
			last = claimed.Epoch
		}
	})
	t.Run("OneSubjectsClaimFencesNoOther", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		b.put("redo/b", 1)
		owner := b.claim("redo/a", at(1))
		b.claim("redo/b", at(1))
		require.NoError(t, b.Own(t.Context(), "redo/a", owner.Epoch))
	})
	t.Run("ReturnsTheRow", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 3)
		claimed := b.claim("redo/a", at(1))
		require.Equal(t, b.subject("redo/a").Subject, claimed)
		require.Equal(t, 3, claimed.Pending)
	})
	t.Run("AnUnknownSubjectIsEmptyAndStaysUnknown", func(t *testing.T) {
		b := setup(t, open)
		claimed := b.claim("redo/nobody", at(1))
		require.Equal(t, inbox.Subject{ID: "redo/nobody"}, claimed)
		_, err := b.Subject(t.Context(), "redo/nobody")
		require.ErrorIs(t, err, inbox.ErrNotFound)
		require.ErrorIs(t, b.Own(t.Context(), "redo/nobody", 0), inbox.ErrFenced)

		receipt := b.put("redo/nobody", 1)[0]
		_, err = b.Settle(t.Context(), settlement(claimed, receipt.Sequence))
		require.ErrorIs(t, err, inbox.ErrFenced, "no epoch was given, so none may settle")
	})
	t.Run("TakesNothingWhileNoHandlerMayStart", func(t *testing.T) {
		for name, c := range map[string]struct {
			make   func(b box, sequence int64, owner inbox.Subject)
			before int // the minute until which nothing is taken
		}{
			"Held":    {func(b box, s int64, o inbox.Subject) { b.fail(o, s, &inbox.Hold{Until: at(60), Reason: "critical"}) }, 60},
			"Paused":  {func(b box, _ int64, _ inbox.Subject) { b.operate(pauseOf("redo/a", at(60))) }, 60},
			"Waiting": {func(b box, s int64, o inbox.Subject) { b.fail(o, s, nil) }, 4},
			"PausedAndWaiting": {func(b box, s int64, o inbox.Subject) {
				f := failure(o, s, nil)
				f.NextWake = at(60)
				_, err := b.Fail(b.t.Context(), f)
				require.NoError(b.t, err)
				b.operate(pauseOf("redo/a", at(30)))
			}, 60},
		} {
			t.Run(name, func(t *testing.T) {
				b := setup(t, open)
				sequence := b.put("redo/a", 1)[0].Sequence
				owner := b.claim("redo/a", at(1))
				c.make(b, sequence, owner)
				row := b.subject("redo/a").Subject
				for _, minute := range []int{2, c.before - 1} {
					early := b.claim("redo/a", at(minute))
					require.Zero(t, early.Epoch)
					require.Equal(t, row.NextWake, early.NextWake)
				}
				require.NoError(t, b.Own(t.Context(), "redo/a", owner.Epoch), "nobody is fenced for nothing")
				require.Empty(t, b.unrung(at(c.before-1)))
				require.Equal(t, []string{"redo/a"}, b.unrung(at(c.before+1)), "and the sweeper comes in time")
				require.Greater(t, b.claim("redo/a", at(c.before)).Epoch, owner.Epoch)
			})
		}
	})
	t.Run("TakesNothingAtRest", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		b.deliverAll("redo/a")
		row := b.subject("redo/a").Subject
		late := b.claim("redo/a", at(1)) // by a ring that came too late
		require.Zero(t, late.Epoch)
		require.Equal(t, row, b.subject("redo/a").Subject)
		b.append(newEvent("redo/a", "more"))
		require.NotZero(t, b.takeAs("another", "redo/a", at(1)).Subject.Epoch, "nobody has it in hand")
	})
	t.Run("WritesTheEndOfAHoldAlsoIfNothingIsTaken", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		b.deliverAll("redo/a")
		b.operate(pauseOf("redo/a", at(30)))
		require.False(t, b.claim("redo/a", at(30)).Held)
		require.False(t, b.subject("redo/a").Held)
	})
	t.Run("EndsAHoldWhoseTimeHasCome", func(t *testing.T) {
		b := setup(t, open)
		sequence := b.put("redo/a", 1)[0].Sequence
		b.fail(b.claim("redo/a", at(1)), sequence, &inbox.Hold{Until: at(60), Reason: "critical"})
		early := b.claim("redo/a", at(59))
		require.True(t, early.Held)
		require.Equal(t, inbox.HeldByPolicy, early.HeldBy)
		require.Equal(t, "critical", early.HeldReason)

		onTime := b.claim("redo/a", at(60))
		require.False(t, onTime.Held)
		require.Empty(t, onTime.HeldBy)
		require.Empty(t, onTime.HeldReason)
		require.True(t, onTime.HeldUntil.IsZero())
		require.Equal(t, 1, onTime.Streak, "so that the next attempt is a probe")
		require.Equal(t, 1, onTime.Holds)
		require.Equal(t, "status 500", onTime.LastError)
	})
	t.Run("EndsNoEndlessHold", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		b.operate(pauseOf("redo/a", at(0).AddDate(0, 0, 1)))
		require.True(t, b.claim("redo/a", at(10)).Held)
		require.False(t, b.claim("redo/a", at(24*60)).Held)
		b.operate(inbox.Verb{Verb: inbox.VerbPause, Subject: "redo/a", By: "ann", Now: at(24 * 60)})
		require.True(t, b.claim("redo/a", at(1_000_000)).Held)
	})
}

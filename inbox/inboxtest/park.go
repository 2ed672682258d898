package inboxtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

func testPark(t *testing.T, open Opener) {
	t.Helper()
	t.Run("SetsTheNamedEventAside", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 3)
		view := b.operate(parkOf("redo/a", all[1].Sequence))
		require.Equal(t, 2, view.Pending)
		require.Equal(t, all[0].Sequence, view.Head.Sequence)
		event := b.event(all[1].Sequence)
		require.Equal(t, inbox.StatusParked, event.Status)
		require.Contains(t, event.Reason, "poison")
		require.Contains(t, event.Reason, "cat")
		require.Equal(t, at(6), event.SettledAt)
		require.Equal(t, []int64{all[0].Sequence, all[2].Sequence}, b.pending("redo/a"))
	})
	t.Run("InFlightItsSettlementIsNotPending", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		owner := b.claim("redo/a", at(1))
		b.operate(parkOf("redo/a", all[0].Sequence))
		_, err := b.Settle(t.Context(), settlement(owner, all[0].Sequence))
		require.ErrorIs(t, err, inbox.ErrNotPending)
		require.Equal(t, inbox.StatusParked, b.event(all[0].Sequence).Status)
		require.Equal(t, inbox.Settled{}, b.deliver(owner, all[1].Sequence))
	})
	t.Run("OfTheHeadForgetsItsFailures", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		b.fail(b.claim("redo/a", at(1)), all[0].Sequence, &inbox.Hold{Until: at(60), Reason: "critical"})
		view := b.operate(parkOf("redo/a", all[0].Sequence))
		require.Equal(t, inbox.StatePending, view.State())
		require.Zero(t, view.Holds)
		require.Empty(t, view.LastError)
		require.True(t, view.NextWake.IsZero())
		require.Equal(t, []string{"redo/a"}, b.unrung(at(6)), "the sweeper may ring it at once")
	})
	t.Run("OfAnotherEventKeepsThem", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		b.fail(b.claim("redo/a", at(1)), all[0].Sequence, &inbox.Hold{Until: at(60), Reason: "critical"})
		view := b.operate(parkOf("redo/a", all[1].Sequence))
		require.True(t, view.Held)
		require.Equal(t, 1, view.Streak)
		require.Empty(t, b.unrung(at(59)))
	})
	t.Run("LeavesAnOperatorsHold", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		b.fail(b.claim("redo/a", at(1)), all[0].Sequence, nil)
		b.operate(pauseOf("redo/a", time.Time{}))
		view := b.operate(parkOf("redo/a", all[0].Sequence))
		require.True(t, view.Held)
		require.Equal(t, "ann", view.HeldBy)
		require.Zero(t, view.Streak)
		require.Empty(t, b.unrung(at(1000)))
	})
	t.Run("HitsNothingElse", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		other := b.put("redo/b", 1)[0]
		strange := newEvent("", "q")
		strange.Quarantine = "not JSON"
		unknown := b.append(strange)[0]
		b.operate(parkOf("redo/a", all[0].Sequence))
		require.Contains(t, b.refused(parkOf("redo/a", all[0].Sequence)), "parked")
		require.Contains(t, b.refused(parkOf("redo/a", other.Sequence)), "redo/b")
		require.NotEmpty(t, b.refused(parkOf("redo/a", unknown.Sequence)))
		require.Contains(t, b.refused(parkOf("redo/a", unknown.Sequence+1000)), "no event")
		require.Contains(t, b.refused(parkOf("redo/a", 0)), "sequence")
		bare := parkOf("redo/a", all[1].Sequence)
		bare.Reason = ""
		require.Contains(t, b.refused(bare), "reason")
		require.Equal(t, []int64{all[1].Sequence}, b.pending("redo/a"))
		require.Equal(t, []int64{other.Sequence}, b.pending("redo/b"))
	})
}

func testAudit(t *testing.T, open Opener) {
	t.Helper()
	t.Run("TellsWhatWasDoneTheNewestFirst", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		b.operate(pauseOf("redo/a", at(30)))
		b.refused(pauseOf("redo/a", at(40)))
		b.operate(resumeOf("redo/a"))
		b.operate(parkOf("redo/a", all[0].Sequence))
		want := []inbox.AuditEntry{
			{At: at(6), Verb: inbox.VerbPark, Subject: "redo/a", Sequence: all[0].Sequence, Reason: "poison", By: "cat"},
			{At: at(5), Verb: inbox.VerbResume, Subject: "redo/a", By: "bob"},
			{At: at(3), Verb: inbox.VerbPause, Subject: "redo/a", Reason: "look", By: "ann", Until: at(30)},
		}
		entries, err := b.Audit(t.Context(), "redo/a", 0)
		require.NoError(t, err)
		require.Equal(t, want, entries)
		entries, err = b.Audit(t.Context(), "redo/a", 1)
		require.NoError(t, err)
		require.Equal(t, want[:1], entries)
	})
	t.Run("ARequestIsCarriedOutOnce", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		b.put("redo/b", 1)
		pause, park := pauseOf("redo/a", time.Time{}), parkOf("redo/a", all[0].Sequence)
		pause.RequestID, park.RequestID = "u1", "u2"
		b.operate(park)
		require.Equal(t, b.subject("redo/a"), b.operate(park), "and no refusal the second time")
		b.operate(pause)
		b.operate(resumeOf("redo/a"))
		require.False(t, b.operate(pause).Held, "it does not pause again what was resumed")
		entries, err := b.Audit(t.Context(), "redo/a", 0)
		require.NoError(t, err)
		require.Len(t, entries, 3)
		other := pauseOf("redo/b", time.Time{})
		other.RequestID = "u1"
		require.True(t, b.operate(other).Held, "a request is one subject's")
	})
	t.Run("ARefusedRequestMayBeTriedAgain", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		resume := resumeOf("redo/a")
		resume.RequestID = "u1"
		b.refused(resume)
		b.operate(pauseOf("redo/a", time.Time{}))
		require.False(t, b.operate(resume).Held)
	})
}

package inboxtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

// relieve claims for a relief run.
func (b box) relieve(unique, subject string, now time.Time) inbox.Claimed {
	b.t.Helper()
	claimed, err := b.Claim(b.t.Context(), inbox.Claim{
		Subject: subject, Now: now, BusyUntil: now.Add(time.Minute), RunID: inbox.ReliefRun(unique),
	})
	require.NoError(b.t, err)
	return claimed
}

// relieved settles for a relief run.
func (b box) relieved(unique string, owner inbox.Subject, sequence int64) {
	b.t.Helper()
	s := settlement(owner, sequence)
	s.RunID, s.OriginalRunID, s.Last = inbox.ReliefRun(unique), "", true
	_, err := b.Settle(b.t.Context(), s)
	require.NoError(b.t, err)
}

// testRelief is about the relief lane's claims and settlements.
func testRelief(t *testing.T, open Opener) {
	t.Helper()
	t.Run("OneHandAtATime", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 3)
		owner := b.claim("redo/a", at(1)) // until 2
		refused := b.relieve("1", "redo/a", at(1))
		require.Equal(t, []any{at(2), "run"}, []any{refused.InHandUntil, refused.InHandBy})
		require.Zero(t, refused.Subject.Epoch)
		require.NoError(t, b.Own(t.Context(), "redo/a", owner.Epoch))
		require.NoError(t, b.Release(t.Context(), "redo/a", owner.Epoch, time.Time{}))

		lane := b.relieve("1", "redo/a", at(1))
		require.Empty(t, lane.InHandBy)
		require.Greater(t, lane.Subject.Epoch, owner.Epoch)
		_, err := b.Settle(t.Context(), settlement(owner, all[0].Sequence))
		require.ErrorIs(t, err, inbox.ErrFenced)
		for _, other := range []inbox.Claimed{b.takeAs("run", "redo/a", at(1)), b.relieve("2", "redo/a", at(1))} {
			require.Equal(t, []any{at(2), inbox.ReliefRun("1")}, []any{other.InHandUntil, other.InHandBy})
			require.Zero(t, other.Subject.Epoch)
		}
		b.relieved("1", lane.Subject, all[0].Sequence)

		next := b.takeAs("run", "redo/a", at(1))
		require.NotZero(t, next.Subject.Epoch, "the lane is through")
		_, err = b.Settle(t.Context(), settlement(lane.Subject, all[1].Sequence))
		require.ErrorIs(t, err, inbox.ErrFenced)
	})
	t.Run("NoResetDoesItAgain", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 4)
		first := run{b, "r1", "r1"}
		first.settle(first.take("redo/a", 0), all[0].Sequence, inbox.StatusDelivered)
		b.relieved("1", b.relieve("1", "redo/a", at(1)).Subject, all[1].Sequence)
		first.settle(first.take("redo/a", 0), all[2].Sequence, inbox.StatusDelivered)

		require.Equal(t, 2, run{b, "r2", "r1"}.take("redo/a", 0).Reopened)
		require.Equal(t, []int64{all[0].Sequence, all[2].Sequence, all[3].Sequence}, b.pending("redo/a"))
		require.Zero(t, b.event(all[1].Sequence).Redo)
	})
	t.Run("ItIsNoReset", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		b.relieved("1", b.relieve("1", "redo/a", at(1)).Subject, all[0].Sequence)
		claimed := b.relieve("2", "redo/a", at(1))
		require.Zero(t, claimed.Reopened)
		require.Equal(t, 1, claimed.Subject.Pending)
	})
	t.Run("EventsTellWhoSettledThem", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 5)
		unclear := newEvent("redo/a", "unclear")
		unclear.Quarantine = "no such shape"
		quarantined := b.append(unclear)[0]
		first := run{b, "r1", "r1"}
		first.settle(first.take("redo/a", 0), all[0].Sequence, inbox.StatusDelivered)
		b.relieved("1", b.relieve("1", "redo/a", at(1)).Subject, all[1].Sequence)
		b.operate(parkOf("redo/a", all[2].Sequence))
		b.fail(first.take("redo/a", 0).Subject, all[3].Sequence, nil)
		copied, err := b.Replay(t.Context(), inbox.Replay{Sequences: []int64{all[1].Sequence}, Now: at(3), By: "ann"})
		require.NoError(t, err)
		require.Empty(t, copied.Events[0].Run)

		events, err := b.Events(t.Context(), inbox.EventFilter{})
		require.NoError(t, err)
		runs := map[int64]string{}
		for _, event := range events {
			require.Equal(t, event, b.event(event.Sequence))
			runs[event.Sequence] = event.Run
		}
		require.Equal(t, map[int64]string{
			all[0].Sequence: "r1", all[1].Sequence: inbox.ReliefRun("1"), all[2].Sequence: "", all[3].Sequence: "", all[4].Sequence: "",
			quarantined.Sequence: "", copied.Events[0].Sequence: "",
		}, runs)
		require.True(t, inbox.IsRelief(runs[all[1].Sequence]))
		require.False(t, inbox.IsRelief(runs[all[0].Sequence]))
		require.False(t, inbox.IsRelief(""))

		run{b, "r2", "r1"}.take("redo/a", 0)
		require.Empty(t, b.event(all[0].Sequence).Run, "it is pending again")
		require.NotEmpty(t, b.event(all[1].Sequence).Run)
	})
}

// testWake is about a run that lets go, to look again by itself.
func testWake(t *testing.T, open Opener) {
	t.Helper()
	late := at(3).Add(30 * time.Second)
	early := late.Add(-time.Microsecond)
	sweep := func(b box, now time.Time) []string {
		b.t.Helper()
		subjects, err := b.Unrung(b.t.Context(), now, now.Add(time.Microsecond), 10)
		require.NoError(b.t, err)
		return subjects
	}
	letGo := func(b box, wake time.Time) {
		b.t.Helper()
		require.NoError(b.t, b.Release(b.t.Context(), "redo/a", b.claim("redo/a", at(1)).Epoch, wake))
	}
	t.Run("ItIsLeftAloneUntilItIsLate", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		letGo(b, at(3))
		require.Empty(t, b.rung(at(9), early, "redo/a"))
		require.Empty(t, sweep(b, early))
		require.Equal(t, []string{"redo/a"}, b.rung(at(9), late, "redo/a"))
	})
	t.Run("TheSweeperRingsItThen", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		letGo(b, at(3))
		require.Equal(t, []string{"redo/a"}, sweep(b, late))
	})
	t.Run("AnotherRunMayComeAtOnce", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		letGo(b, at(3))
		require.NotZero(t, b.takeAs("another", "redo/a", at(1)).Subject.Epoch)
	})
	t.Run("WithoutAWakeNothingMoves", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		letGo(b, time.Time{})
		require.Empty(t, b.rung(at(9), at(2).Add(-time.Microsecond), "redo/a"))
		require.Equal(t, []string{"redo/a"}, b.rung(at(9), at(2), "redo/a"), "as the claim said")
	})
	t.Run("APauseLastsLonger", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		owner := b.claim("redo/a", at(1))
		b.operate(pauseOf("redo/a", at(60)))
		require.NoError(t, b.Release(t.Context(), "redo/a", owner.Epoch, at(3)))
		require.Empty(t, sweep(b, at(59)))
		b.operate(resumeOf("redo/a"))
		owner = b.claim("redo/a", at(60))
		b.operate(pauseOf("redo/a", time.Time{}))
		require.NoError(t, b.Release(t.Context(), "redo/a", owner.Epoch, at(61)))
		require.Empty(t, sweep(b, at(100_000)))
	})
	t.Run("ARetryComesLater", func(t *testing.T) {
		b := setup(t, open)
		f := failure(inbox.Subject{}, b.put("redo/a", 1)[0].Sequence, nil)
		owner := b.claim("redo/a", at(1))
		f.Subject, f.Epoch, f.NextWake = owner.ID, owner.Epoch, at(60)
		_, err := b.Fail(t.Context(), f)
		require.NoError(t, err)
		require.NoError(t, b.Release(t.Context(), "redo/a", owner.Epoch, at(3)))
		require.Empty(t, sweep(b, at(59)))
		require.Equal(t, []string{"redo/a"}, sweep(b, at(60)))
	})
	t.Run("WhoLostTheEpochMovesNothing", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		old := b.claim("redo/a", at(1))
		b.claim("redo/a", at(1)) // until 2
		require.NoError(t, b.Release(t.Context(), "redo/a", old.Epoch, at(60)))
		require.Equal(t, []string{"redo/a"}, sweep(b, at(2)))
	})
}

package inboxtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

func testUnrung(t *testing.T, open Opener) {
	t.Helper()
	t.Run("ALostRingIsRungOnce", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 2)
		subjects, err := b.Unrung(t.Context(), at(1), start, 10)
		require.NoError(t, err)
		require.Empty(t, subjects, "its own ring may still come")
		subjects, err = b.Unrung(t.Context(), at(2), at(1), 10)
		require.NoError(t, err)
		require.Equal(t, []string{"redo/a"}, subjects)
		subjects, err = b.Unrung(t.Context(), at(3), at(2), 10)
		require.NoError(t, err)
		require.Empty(t, subjects, "it was rung at 2")
		subjects, err = b.Unrung(t.Context(), at(4), at(3), 10)
		require.NoError(t, err)
		require.Equal(t, []string{"redo/a"}, subjects)
	})
	t.Run("TheLongestWaitingComesFirst", func(t *testing.T) {
		b := setup(t, open)
		for i, minute := range []int{3, 1, 4, 2} {
			e := newEvent(fmt.Sprintf("redo/%d", i), "")
			e.ReceivedAt = at(minute)
			b.append(e)
		}
		subjects, err := b.Unrung(t.Context(), at(5), at(5), 3)
		require.NoError(t, err)
		require.Equal(t, []string{"redo/1", "redo/3", "redo/0"}, subjects)
		require.Equal(t, []string{"redo/2"}, b.unrung(at(5)))
	})
	t.Run("LeavesAloneWhoIsBusy", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		b.claim("redo/a", at(10)) // until 11
		require.Empty(t, b.unrung(at(10)))
		require.Equal(t, []string{"redo/a"}, b.unrung(at(12)), "its run has vanished")
	})
	t.Run("LeavesAloneWhoWaits", func(t *testing.T) {
		b := setup(t, open)
		sequence := b.put("redo/a", 1)[0].Sequence
		b.fail(b.claim("redo/a", at(1)), sequence, nil) // next wake at 4
		require.Empty(t, b.unrung(at(3)))
		require.Equal(t, []string{"redo/a"}, b.unrung(at(5)))
		b.claim("redo/a", at(1))
		require.Empty(t, b.unrung(at(3)), "a claim does not shorten the wait")
	})
	t.Run("LeavesAloneWhoIsHeld", func(t *testing.T) {
		b := setup(t, open)
		sequence := b.put("redo/a", 1)[0].Sequence
		b.fail(b.claim("redo/a", at(1)), sequence, &inbox.Hold{Until: at(60)})
		b.claim("redo/a", at(2))
		require.Empty(t, b.unrung(at(59)))
		b.operate(pauseOf("redo/a", at(90)))
		require.Empty(t, b.unrung(at(89)))
		require.Equal(t, []string{"redo/a"}, b.unrung(at(91)))
		b.operate(resumeOf("redo/a"))
		b.operate(pauseOf("redo/a", time.Time{}))
		b.claim("redo/a", at(95))
		require.Empty(t, b.unrung(at(100_000)))
	})
	t.Run("LeavesAloneWhoIsEmpty", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		b.deliverAll("redo/a")
		require.Empty(t, b.unrung(at(100_000)))
	})
	t.Run("OneProcessLeads", func(t *testing.T) {
		b := setup(t, open)
		leaders := 0
		seen := map[inbox.Inbox]bool{}
		for _, handle := range b.handles(3) {
			leads, err := handle.Lead(t.Context())
			require.NoError(t, err)
			if leads && !seen[handle] {
				leaders++
			}
			seen[handle] = true
		}
		require.Equal(t, 1, leaders)
		require.NoError(t, b.Ping(t.Context()))
	})
}

func testSweep(t *testing.T, open Opener) {
	t.Helper()
	t.Run("AWrongClockHidesNobody", func(t *testing.T) {
		b := setup(t, open)
		const years = 4 * 365 * 24 * 60
		for _, id := range []string{"redo/swept", "redo/held", "redo/waits", "redo/paused"} {
			b.put(id, 1)
		}
		b.fail(b.claim("redo/held", at(1)), b.pending("redo/held")[0], &inbox.Hold{Until: at(60), Reason: "critical"})
		late := failure(b.claim("redo/waits", at(1)), b.pending("redo/waits")[0], nil)
		late.NextWake = at(120)
		_, err := b.Fail(t.Context(), late)
		require.NoError(t, err)
		b.operate(pauseOf("redo/paused", time.Time{}))
		require.ElementsMatch(t, []string{"redo/swept", "redo/held", "redo/waits"}, b.unrung(at(years)))
		b.put("redo/claimed", 1)
		require.NotZero(t, b.claim("redo/claimed", at(years)).Epoch)
		appended := newEvent("redo/appended", "k")
		appended.ReceivedAt = at(years)
		b.append(appended)

		require.ElementsMatch(t, []string{"redo/swept", "redo/claimed", "redo/appended"}, b.unrung(at(30)))
		require.Empty(t, b.unrung(at(30)), "they were rung")
		require.NotZero(t, b.takeAs("another", "redo/claimed", at(30)).Subject.Epoch, "and it is in nobody's hand")
		require.Contains(t, b.unrung(at(60)), "redo/held")
		require.NotContains(t, b.unrung(at(119)), "redo/waits")
		require.Contains(t, b.unrung(at(120)), "redo/waits")
	})
	t.Run("APauseThatIsOverEndsAtRestToo", func(t *testing.T) {
		b := setup(t, open)
		for _, id := range []string{"redo/over", "redo/endless", "redo/pruned"} {
			b.put(id, 1)
			b.deliverAll(id)
			b.operate(pauseOf(id, at(30)))
		}
		b.operate(resumeOf("redo/endless"))
		b.operate(pauseOf("redo/endless", time.Time{}))
		_, err := b.Prune(t.Context(), at(9), 10)
		require.NoError(t, err)
		b.put("redo/over", 1)
		b.operate(parkOf("redo/over", b.pending("redo/over")[0]))
		require.Empty(t, b.unrung(at(29)))
		require.True(t, b.subject("redo/over").Held)
		require.Empty(t, b.unrung(at(30)))
		require.Equal(t, inbox.StateIdle, b.subject("redo/over").State())
		require.True(t, b.subject("redo/endless").Held)
		_, err = b.Subject(t.Context(), "redo/pruned")
		require.ErrorIs(t, err, inbox.ErrNotFound, "nothing else of it was left")
	})
}

func testCount(t *testing.T, open Opener) {
	t.Helper()
	b := alone(t, open)
	count := func(pending, waiting, retrying, held int) {
		t.Helper()
		counts, err := b.Count(t.Context())
		require.NoError(t, err)
		require.Equal(t, []int{pending, waiting, retrying, held}, []int{
			counts.Pending, counts.Subjects[inbox.StatePending],
			counts.Subjects[inbox.StateRetrying], counts.Subjects[inbox.StateHeld],
		})
		require.Zero(t, counts.Subjects[inbox.StateIdle], "idle ones are not counted")
	}
	count(0, 0, 0, 0)
	all := b.put("redo/a", 3)
	b.put("redo/b", 1)
	count(4, 2, 0, 0)
	owner := b.fail(b.claim("redo/a", at(1)), all[0].Sequence, nil)
	count(4, 1, 1, 0)
	b.fail(owner, all[0].Sequence, &inbox.Hold{Until: at(60)})
	count(4, 1, 0, 1)
	b.deliverAll("redo/b")
	b.operate(pauseOf("redo/b", time.Time{}))
	count(3, 0, 0, 2)
	b.operate(parkOf("redo/a", all[0].Sequence))
	count(2, 1, 0, 1)
	b.operate(resumeOf("redo/b"))
	count(2, 1, 0, 0)
	b.replay(inbox.Replay{Sequences: []int64{all[0].Sequence}})
	count(3, 1, 0, 0)
	b.deliverAll("redo/a")
	count(0, 0, 0, 0)
}

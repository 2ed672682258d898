package inboxtest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

// rung returns who waits for a run, and requires both ways of asking to agree about
// the subjects of a test.
func (b box) rung(now, before time.Time, all ...string) []string {
	b.t.Helper()
	still, err := b.StillRung(b.t.Context(), all, now, before)
	require.NoError(b.t, err)
	rung, err := b.Rung(b.t.Context(), now, before, 1000)
	require.NoError(b.t, err)
	require.ElementsMatch(b.t, still, rung)
	return rung
}

// ringAgain brings a subject to the front of those that wait, as an operator does.
func (b box) ringAgain(subject string) {
	b.t.Helper()
	b.operate(pauseOf(subject, time.Time{}))
	b.operate(resumeOf(subject))
}

// testRung is about who may be taken by the relief lane. A store that several
// processes share notes whom it has returned, so a test asks for somebody once.
func testRung(t *testing.T, open Opener) {
	t.Helper()
	t.Run("WhoWasRungAtATimeOrBefore", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		later := newEvent("redo/a", "later")
		later.ReceivedAt = at(3)
		b.append(later) // which rings nobody
		require.Empty(t, b.rung(at(4), start.Add(-time.Microsecond), "redo/a"))
		require.Equal(t, []string{"redo/a"}, b.rung(at(4), start, "redo/a"))
	})
	t.Run("TheLongestWaitingComesFirst", func(t *testing.T) {
		b := setup(t, open)
		for i, minute := range []int{3, 1, 4, 2} {
			e := newEvent(fmt.Sprintf("redo/%d", i), "")
			e.ReceivedAt = at(minute)
			b.append(e)
		}
		for _, limit := range []int{0, -1} {
			none, err := b.Rung(t.Context(), at(6), at(5), limit)
			require.NoError(t, err)
			require.Empty(t, none)
		}
		subjects, err := b.Rung(t.Context(), at(6), at(5), 3)
		require.NoError(t, err)
		require.Equal(t, []string{"redo/1", "redo/3", "redo/0"}, subjects)
	})
	t.Run("TheSweepersRingCountsToo", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		require.Equal(t, []string{"redo/a"}, b.unrung(at(2)))
		require.Empty(t, b.rung(at(4), at(2).Add(-time.Microsecond), "redo/a"))
		require.Equal(t, []string{"redo/a"}, b.rung(at(4), at(2), "redo/a"))
	})
	t.Run("NobodyWhoIsHeld", func(t *testing.T) {
		b := setup(t, open)
		all := []string{"redo/paused", "redo/for good", "redo/critical"}
		for _, id := range all {
			b.put(id, 1)
		}
		b.operate(pauseOf("redo/paused", at(30)))
		b.operate(pauseOf("redo/for good", time.Time{}))
		b.fail(b.claim("redo/critical", at(1)), b.pending("redo/critical")[0], &inbox.Hold{Until: at(30)})
		for _, minute := range []int{20, 40, 100_000} {
			require.Empty(t, b.rung(at(minute), at(minute), all...), "also when its time has come: a claim tells, under its lock")
		}
		for _, id := range all {
			b.operate(resumeOf(id))
		}
		require.ElementsMatch(t, all, b.rung(at(40), at(39), all...))
	})
	t.Run("NobodyWhoseFirstEventHasFailed", func(t *testing.T) {
		b := setup(t, open)
		all := []string{"redo/resumed", "redo/parked", "redo/retried"}
		for _, id := range all {
			b.put(id, 2)
			b.fail(b.claim(id, at(1)), b.pending(id)[0], nil) // next wake at 4
		}
		require.Empty(t, b.rung(at(3), at(3), all...))
		require.Empty(t, b.rung(at(9), at(9), all...), "its workflow tries it again")
		b.operate(resumeOf("redo/resumed"))
		b.operate(parkOf("redo/parked", b.pending("redo/parked")[0]))
		require.ElementsMatch(t, []string{"redo/resumed", "redo/parked"}, b.rung(at(9), at(8), all...))
	})
	t.Run("NobodyWhoIsInAHand", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		b.claim("redo/a", at(1)) // until 2
		require.Empty(t, b.rung(at(1), at(1), "redo/a"))
		b.ringAgain("redo/a")
		require.Empty(t, b.rung(at(2).Add(-time.Microsecond), at(1), "redo/a"), "no verb takes it out of the hand")
		require.Equal(t, []string{"redo/a"}, b.rung(at(2), at(1), "redo/a"), "it must be over by then")
	})
	t.Run("AHandUnderAWrongClockIsNone", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		require.NotZero(t, b.claim("redo/a", at(1000)).Epoch)
		b.ringAgain("redo/a")
		require.Equal(t, []string{"redo/a"}, b.rung(at(30), at(29), "redo/a"))
		require.NotZero(t, b.takeAs("another", "redo/a", at(30)).Subject.Epoch, "as its claim says")
	})
	t.Run("NobodyWhoIsEmpty", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		b.deliverAll("redo/a")
		require.Empty(t, b.rung(at(100_000), at(100_000), "redo/a"))
	})
	t.Run("StillRungAnswersInTheOrderOfTheQuestion", func(t *testing.T) {
		b := setup(t, open)
		odd := "redo/\x00\xff'?"
		for _, id := range []string{"redo/a", "redo/b", odd} {
			b.put(id, 1)
		}
		var all []string
		for i := range 2500 {
			all = append(all, fmt.Sprintf("redo/nobody-%d", i))
		}
		all[3], all[1100], all[2499] = "redo/b", odd, "redo/a"
		still, err := b.StillRung(t.Context(), all, at(2), at(1))
		require.NoError(t, err)
		require.Equal(t, []string{"redo/b", odd, "redo/a"}, still)
		still, err = b.StillRung(t.Context(), nil, at(2), at(1))
		require.NoError(t, err)
		require.Empty(t, still)
	})
	t.Run("AnotherWhoAsksGetsOthers", func(t *testing.T) {
		b := setup(t, open)
		if b.another == nil {
			b.put("redo/a", 1)
			for range 2 {
				require.Equal(t, []string{"redo/a"}, b.rung(at(2), at(1), "redo/a"), "the only process knows whom it has")
			}
			return
		}
		othersGetOthers(t, b)
	})
}

// othersGetOthers has four processes ask at once, again and again.
func othersGetOthers(t *testing.T, b box) {
	t.Helper()
	const subjects = 60
	var all []string
	for i := range subjects {
		all = append(all, fmt.Sprintf("redo/%02d", i))
		b.put(all[i], 1)
	}
	handles := b.handles(4)
	begin := make(chan struct{})
	found := make([][]string, len(handles))
	errs := make([]error, len(handles))
	var asking sync.WaitGroup
	for i, handle := range handles {
		asking.Go(func() {
			<-begin
			for range subjects { // an answer may be short because others have locked theirs
				some, err := handle.Rung(t.Context(), at(2), at(1), 3)
				errs[i], found[i] = err, append(found[i], some...)
				if err != nil {
					return
				}
			}
		})
	}
	close(begin)
	asking.Wait()
	var together []string
	for i := range handles {
		require.NoError(t, errs[i])
		together = append(together, found[i]...)
	}
	require.ElementsMatch(t, all, together, "each is given to one")
	still, err := b.StillRung(t.Context(), all, at(2), at(2))
	require.NoError(t, err)
	require.Equal(t, all, still, "they were rung at 2, and nobody has claimed them")
}

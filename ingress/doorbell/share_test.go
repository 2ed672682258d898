package doorbell_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress/doorbell"
)

// shared is a Temporal that many calls keep waiting, and counts those of the flood.
type shared struct {
	answer        func(inFlight int64) time.Duration
	flight, flood atomic.Int64
	calls         atomic.Int64 // of the flood
}

func (s *shared) call(_ context.Context, subject string, _ int) error {
	inFlight := s.flight.Add(1)
	defer s.flight.Add(-1)
	if strings.HasPrefix(subject, "flood/") {
		s.calls.Add(1)
		s.flood.Add(1)
		defer s.flood.Add(-1)
	}
	<-time.After(s.answer(inFlight))
	return nil
}

// busyTemporal has one processor, and free many.
func busyTemporal(inFlight int64) time.Duration {
	return time.Duration(inFlight) * 10 * time.Millisecond
}
func freeTemporal(int64) time.Duration { return 40 * time.Millisecond }

// floodCallers rings many subjects of one source, and now and then one of another while
// beside holds, and returns how many calls of the flood are under way on average at the
// end, and how many there were.
func floodCallers(t *testing.T, answer func(int64) time.Duration, beside func(time.Duration) bool) (callers float64, calls int64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := &shared{answer: answer}
		b := newBench(server.call, func(o *doorbell.Options) { o.Callers = 16 })
		for n := range 100 { // what a call takes at best
			b.ringer.Ring(fmt.Sprintf("calm/%d", n))
			<-time.After(50 * time.Millisecond)
		}
		for n := range 3_000 {
			b.ringer.Ring(fmt.Sprintf("flood/%d", n))
		}
		for n := range 400 {
			if passed := time.Duration(n) * 50 * time.Millisecond; beside(passed) {
				b.ringer.Ring(fmt.Sprintf("calm/%d", n))
			}
			<-time.After(50 * time.Millisecond)
			if synctest.Wait(); n >= 250 { // whoever's call has ended has the next one
				callers += float64(server.flood.Load()) / 150
			}
		}
		calls = server.calls.Load()
		require.NoError(t, b.close(t, time.Hour))
	})
	return callers, calls
}

// TestAFloodBesideOthersKeepsNoBusyTemporalWaiting: the other source's calls would
// queue behind its own in there.
func TestAFloodBesideOthersKeepsNoBusyTemporalWaiting(t *testing.T) {
	t.Parallel()
	callers, calls := floodCallers(t, busyTemporal, func(time.Duration) bool { return true })
	require.Less(t, callers, 1.3)
	require.Greater(t, calls, int64(1_500), "the flood has the rest of it")
}

func TestAFloodBesideOthersHasItsShareOfATemporalWithTheTime(t *testing.T) {
	t.Parallel()
	callers, calls := floodCallers(t, freeTemporal, func(time.Duration) bool { return true })
	require.InDelta(t, 4, callers, 0.1)
	require.Greater(t, calls, int64(1_700))
}

func TestAFloodAloneHasItsShareOfABusyTemporal(t *testing.T) {
	t.Parallel()
	callers, _ := floodCallers(t, busyTemporal, func(passed time.Duration) bool { return passed < 5*time.Second })
	require.InDelta(t, 4, callers, 0.1)
}

// lateCallers rings ever more subjects of one source, which is alone for a time, and of
// another one beside it for 20 s, and returns how many calls of the flood are under way
// on average in the last 10 s.
func lateCallers(t *testing.T, alone time.Duration, answer func(int64) time.Duration) (callers float64) {
	t.Helper()
	const tick = 50 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		server := &shared{answer: answer}
		b := newBench(server.call, func(o *doorbell.Options) { o.Callers = 16 })
		for passed := time.Duration(0); passed < alone+20*time.Second; passed += tick {
			for of := range 8 {
				b.ringer.Ring(fmt.Sprintf("flood/%d/%d", passed, of))
			}
			if passed >= alone {
				b.ringer.Ring(fmt.Sprintf("calm/%d", passed))
			}
			<-time.After(tick)
			if passed >= alone+10*time.Second {
				callers += float64(server.flood.Load()) / 200
			}
		}
		require.Error(t, b.close(t, time.Millisecond))
	})
	return callers
}

// TestAFloodThatWasAloneMakesRoom: nobody has seen for long what a call takes at best.
func TestAFloodThatWasAloneMakesRoom(t *testing.T) {
	t.Parallel()
	slow := func(inFlight int64) time.Duration { return time.Duration(inFlight) * 20 * time.Millisecond }
	require.Less(t, lateCallers(t, 70*time.Second, slow), 1.5)
}

// TestAFloodHasItsShareOfATemporalWhoseCallsVary: that some take far less than most does
// not mean that the others queue.
func TestAFloodHasItsShareOfATemporalWhoseCallsVary(t *testing.T) {
	t.Parallel()
	varying := func(int64) time.Duration { return 10*time.Millisecond + rand.N(40*time.Millisecond) }
	require.Greater(t, lateCallers(t, time.Second, varying), 2.5)
}

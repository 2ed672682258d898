package doorbell_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
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

// lateCallers rings ever more subjects of one source, and of another only after a while,
// and returns how many calls of the flood are under way on average in the end.
func lateCallers(t *testing.T, answer func(int64) time.Duration) (callers float64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := &shared{answer: answer}
		b := newBench(server.call, func(o *doorbell.Options) { o.Callers = 16 })
		for n := range 2_000 {
			for of := range 20 {
				b.ringer.Ring(fmt.Sprintf("flood/%d/%d", n, of))
			}
			if n >= 1_600 {
				b.ringer.Ring(fmt.Sprintf("calm/%d", n))
			}
			<-time.After(50 * time.Millisecond)
			if n >= 1_800 {
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
	require.Less(t, lateCallers(t, busyTemporal), 1.3)
}

// TestAFloodHasItsShareOfATemporalWhoseCallsVary: that some take far less than most does
// not mean that the others queue.
func TestAFloodHasItsShareOfATemporalWhoseCallsVary(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	callers := lateCallers(t, func(int64) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return 10*time.Millisecond + time.Duration(random.Int64N(int64(40*time.Millisecond)))
	})
	require.Greater(t, callers, 3.0)
}

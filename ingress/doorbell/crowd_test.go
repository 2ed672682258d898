package doorbell_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress/doorbell"
)

// floodCrowds has the flood's source crowd the door while now holds.
func floodCrowds(now func() bool) func(*doorbell.Options) {
	return func(o *doorbell.Options) {
		o.Callers, o.Crowds = 16, func(source string) bool { return source == "flood" && now() }
	}
}

func always() bool { return true }

// TestAFloodMakesWayForACrowdOfWebhooks: a part of one caller while webhooks wait at the
// door, and its share of the callers as soon as they do not.
func TestAFloodMakesWayForACrowdOfWebhooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &shared{answer: freeTemporal}
		var crowded atomic.Bool
		b := newBench(server.call, floodCrowds(crowded.Load))
		crowded.Store(true)
		for n := range 1_000 {
			b.ringer.Ring(fmt.Sprintf("flood/%d", n))
		}
		for range 100 {
			<-time.After(40 * time.Millisecond)
			synctest.Wait()
		}
		require.InDelta(t, 28, server.calls.Load(), 4, "one call of 40 ms at a time, with a rest of 100 ms after each")

		// Who has a burst and then rings on is not the one that crowds.
		for n := range 50 {
			b.ringer.Ring(fmt.Sprintf("calm/%d", n))
		}
		synctest.Wait()
		require.EqualValues(t, 4, server.flight.Load()-server.flood.Load())
		before := server.calls.Load()
		for n := range 40 {
			b.ringer.Ring(fmt.Sprintf("calm/later/%d", n))
			<-time.After(25 * time.Millisecond)
		}
		synctest.Wait()
		require.LessOrEqual(t, server.flight.Load()-server.flood.Load(), int64(2), "its burst is over after a second")
		require.InDelta(t, 7, server.calls.Load()-before, 3)

		crowded.Store(false)
		<-time.After(100 * time.Millisecond)
		synctest.Wait()
		require.EqualValues(t, 4, server.flood.Load())
		require.NoError(t, b.close(t, time.Hour))
	})
}

// TestTheDoorHasEightNinths: beside a Temporal that answers in 5 ms.
func TestTheDoorHasEightNinths(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &shared{answer: func(int64) time.Duration { return 5 * time.Millisecond }}
		b := newBench(server.call, floodCrowds(always))
		for n := range 500 {
			b.ringer.Ring(fmt.Sprintf("flood/%d", n))
		}
		<-time.After(9 * time.Second)
		require.InDelta(t, 200, server.calls.Load(), 10)
		require.NoError(t, b.close(t, time.Hour))
	})
}

// TestABacklogOfACalmSourceMakesNoWay: whose webhooks do not crowd the door works off what
// waits, as after a time without Temporal.
func TestABacklogOfACalmSourceMakesNoWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &shared{answer: freeTemporal}
		b := newBench(server.call, floodCrowds(always))
		for n := range 300 {
			b.ringer.Ring(fmt.Sprintf("calm/%d", n))
			b.ringer.Ring(fmt.Sprintf("flood/%d", n))
		}
		for n := range 250 { // 25 a second
			b.ringer.Ring(fmt.Sprintf("calm/later/%d", n))
			<-time.After(40 * time.Millisecond)
		}
		synctest.Wait()
		require.Zero(t, server.flight.Load()-server.flood.Load(), "of the calm one nobody waits")
		require.EqualValues(t, 300, server.calls.Load()+int64(b.ringer.Waiting()), "only the flood's")
		require.InDelta(t, 72, server.calls.Load(), 5)
		require.NoError(t, b.close(t, time.Hour))
	})
}

// TestWhoRestsIsWoken: whatever comes between the end of a call and a crowd.
func TestWhoRestsIsWoken(t *testing.T) {
	t.Parallel()
	for name, pause := range map[string]time.Duration{"AtOnce": 0, "DuringTheRest": 20 * time.Millisecond, "AfterIt": time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := &shared{answer: freeTemporal}
				var crowded atomic.Bool
				b := newBench(server.call, floodCrowds(crowded.Load))
				b.ringer.Ring("flood/first")
				<-time.After(40 * time.Millisecond)
				synctest.Wait()
				require.EqualValues(t, 1, server.calls.Load())
				<-time.After(pause)
				crowded.Store(true)
				for n := range 220 {
					b.ringer.Ring(fmt.Sprintf("flood/%d", n))
				}
				<-time.After(220 * (40 + 100) * time.Millisecond)
				require.Zero(t, b.ringer.Waiting(), "nobody else rings")
				require.NoError(t, b.close(t, time.Hour))
			})
		})
	}
}

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

// TestAFloodMakesWayForACrowdOfWebhooks: one call at a time while webhooks wait at the
// door, and its share of the callers as soon as they do not.
func TestAFloodMakesWayForACrowdOfWebhooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &shared{answer: freeTemporal}
		var crowded atomic.Bool
		b := newBench(server.call, func(o *doorbell.Options) { o.Callers, o.Crowded = 16, crowded.Load })
		crowded.Store(true)
		for n := range 1_000 {
			b.ringer.Ring(fmt.Sprintf("flood/%d", n))
		}
		// The first few come before there are many.
		for range 100 {
			<-time.After(40 * time.Millisecond)
			synctest.Wait()
			require.LessOrEqual(t, server.flood.Load(), int64(4))
		}
		require.EqualValues(t, 1, server.flood.Load())
		require.InDelta(t, 100, server.calls.Load(), 10, "one call of 40 ms after the other")

		for n := range 3 {
			b.ringer.Ring(fmt.Sprintf("calm/%d", n))
		}
		synctest.Wait()
		require.EqualValues(t, 1+3, server.flight.Load(), "who has few rings does not crowd")

		crowded.Store(false)
		<-time.After(100 * time.Millisecond)
		synctest.Wait()
		require.EqualValues(t, 4, server.flood.Load())
		require.NoError(t, b.close(t, time.Hour))
	})
}

package activities_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox/relief"
)

// TestDrainsYield: in the lane and in a workflow's drain, each event waits for what is
// more urgent, and those of a source that need not do not.
func TestDrainsYield(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bubble) {
		a := b.worker(nil)
		a.Yield(func(ctx context.Context, source string) {
			if source != "redo" {
				return
			}
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
		})
		b.append("redo/r1", 10)
		b.append("redox/r1", 10)
		began := time.Now()
		b.drainAs(a, "redox/r1", "run")
		require.Zero(t, time.Since(began))
		b.drainAs(a, "redo/r1", "run")
		require.Equal(t, time.Second, time.Since(began))
		b.append("redo/r2", 10)
		stop := b.lane(a, relief.Always)
		<-time.After(1200 * time.Millisecond)
		stop()
		for _, subject := range []string{"redo/r1", "redo/r2", "redox/r1"} {
			b.requireOnce(subject, 10)
		}
	})
}

// TestAWorkerThatStopsBeginsNothingAfterItHasYielded: it was asked to stop meanwhile.
func TestAWorkerThatStopsBeginsNothingAfterItHasYielded(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bubble) {
		a := b.worker(nil)
		a.Yield(func(context.Context, string) { a.Stop() })
		b.append("redo/r1", 2)
		out := b.drainAs(a, "redo/r1", "run")
		require.Zero(t, out.Settled)
		require.Empty(t, b.sequences("redo/r1"))
	})
}

package activities_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/relief"
	"github.com/holdfast-project/holdfast/workflows"
)

func TestTheLaneCutsNoAttemptOffHoweverLongTheQueue(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bubble) {
		b.handle = takes(900 * time.Millisecond)
		b.lane(b.worker(nil), relief.Always)
		b.append("redo/r1", 80)
		<-time.After(2 * time.Minute)
		b.requireOnce("redo/r1", 80)
		require.Empty(b.t, b.starts.get())
	})
}

func TestTheLaneMakesWayForTheWorkflow(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bubble) {
		b.handle = takes(100 * time.Millisecond)
		a := b.worker(nil)
		b.lane(a, relief.Always)
		b.append("redo/r1", 100)
		<-time.After(time.Second)
		began := time.Now()
		out := b.drainAs(a, "redo/r1", "run")
		require.Positive(b.t, out.Settled)
		require.Less(b.t, time.Since(began), 6*time.Second, "a budget of the lane's, and one of its own")
		require.Equal(b.t, []string{"redo/r1"}, b.starts.get())
		<-time.After(time.Minute)
		b.requireOnce("redo/r1", 100)
	})
}

// TestAWorkflowThatMeetsTheLaneFindsNothingLeft: it waits for the lane, of its own
// worker or of another.
func TestAWorkflowThatMeetsTheLaneFindsNothingLeft(t *testing.T) {
	t.Parallel()
	for name, same := range map[string]bool{"OfItsOwnWorker": true, "OfAnother": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(b *bubble) {
				b.handle = takes(500 * time.Millisecond)
				a := b.worker(nil)
				b.lane(a, relief.Always)
				if !same {
					a = b.worker(nil)
				}
				b.append("redo/r1", 3)
				<-time.After(100 * time.Millisecond)
				began := time.Now()
				out := b.drainAs(a, "redo/r1", "run")
				require.Equal(b.t, workflows.OutcomeEmpty, out.Outcome)
				require.Zero(b.t, out.Settled)
				require.GreaterOrEqual(b.t, time.Since(began), time.Second)
				b.requireOnce("redo/r1", 3)
				require.Empty(b.t, b.starts.get())
			})
		})
	}
}

// TestTheLaneLeavesCalmTrafficAlone: a subject whose workflow comes in time is not the
// lane's, one whose workflow does not is.
func TestTheLaneLeavesCalmTrafficAlone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bubble) {
		a := b.worker(nil)
		b.lane(a, relief.Auto)
		for _, subject := range subjects("redo", 30) {
			b.append(subject, 2)
			<-time.After(relief.Patience - 10*time.Millisecond)
			b.drainAs(a, subject, "run")
			require.Equal(b.t, []string{"run", "run"}, b.runs(subject))
		}
		b.append("redo/late", 1)
		<-time.After(relief.Patience + relief.Patience/2)
		synctest.Wait()
		b.requireOnce("redo/late", 1)
		require.True(b.t, inbox.IsRelief(b.runs("redo/late")[0]))
		b.append("redo/next", 1)
		<-time.After(relief.Patience / 4)
		synctest.Wait()
		b.requireOnce("redo/next", 1) // by then Temporal is known to be slow
		<-time.After(time.Minute)
		b.append("redo/calm again", 1)
		<-time.After(relief.Patience - 10*time.Millisecond)
		require.Empty(b.t, b.sequences("redo/calm again"))
	})
}

// TestTheLaneTriesNothingTwice: what fails or is held is its workflow's, for good.
func TestTheLaneTriesNothingTwice(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{"Retryable": errors.New("503"), "Critical": activities.Critical(errors.New("403"))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(b *bubble) {
				b.handle = func(_ context.Context, e activities.Event) error {
					if e.Sequence == 2 {
						return failure
					}
					return nil
				}
				b.lane(b.worker(nil), relief.Always)
				b.append("redo/r1", 3)
				<-time.After(5 * time.Minute) // a hold ended after a minute
				require.Equal(b.t, []int64{1, 2}, b.sequences("redo/r1"))
				require.Equal(b.t, []string{"redo/r1"}, b.starts.get(), "once, which Temporal remembers")
				require.Equal(b.t, 1, b.view("redo/r1").Streak)
			})
		})
	}
}

func TestTheLaneOfAWorkerThatMayNotWorkTakesNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bubble) {
		may := make(chan bool, 1)
		may <- false
		b.lane(b.worker(nil), relief.Always, func(o *activities.LaneOptions) {
			o.May = func() bool { is := <-may; may <- is; return is }
		})
		b.append("redo/r1", 2)
		<-time.After(time.Minute)
		require.Empty(b.t, b.sequences("redo/r1"))
		require.Zero(b.t, b.view("redo/r1").Epoch)
		<-may
		may <- true
		<-time.After(time.Second)
		b.requireOnce("redo/r1", 2)
	})
}

// TestAWorkerThatStopsFinishesWhatTheLaneHasInHand: the event is settled, and no other
// of its subject begun.
func TestAWorkerThatStopsFinishesWhatTheLaneHasInHand(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bubble) {
		b.handle = takes(3 * time.Second)
		stop := b.lane(b.worker(nil), relief.Always)
		b.append("redo/r1", 3)
		<-time.After(time.Second)
		stop()
		require.Equal(b.t, []int64{1}, b.sequences("redo/r1"))
		require.Equal(b.t, 2, b.view("redo/r1").Pending)
		require.Equal(b.t, []string{"redo/r1"}, b.starts.get())
		b.handle = nil
		b.drainAs(b.worker(nil), "redo/r1", "run")
		b.requireOnce("redo/r1", 3)
	})
}

// TestADestinationThatHangsDelaysNoOtherInTheLane: many more subjects wait for it than
// the lane has places.
func TestADestinationThatHangsDelaysNoOtherInTheLane(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bubble) {
		b.handle = func(ctx context.Context, e activities.Event) error {
			if e.Source == "stuck" {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		b.lane(b.worker(nil), relief.Always)
		well := subjects("redo", 50)
		b.appendAll(subjects("stuck", 400), 1)
		b.appendAll(well, 3)
		<-time.After(3 * time.Second) // for the stuck ones before them: 256 in a fifth of a second
		for _, subject := range well {
			b.requireOnce(subject, 3)
		}
		<-time.After(time.Minute)
		require.GreaterOrEqual(b.t, len(b.starts.get()), 400, "all of them have a workflow that waits")
	})
}

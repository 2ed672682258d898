package activities_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/relief"
	"github.com/holdfast-project/holdfast/workflows"
)

// freeze has the first attempt at event 2 stop the world of its worker until it thaws.
func (b *bubble) freeze() (frozen chan struct{}, thaw func()) {
	frozen, thawed := make(chan struct{}), make(chan struct{})
	var once atomic.Bool
	b.handle = func(_ context.Context, e activities.Event) error {
		if e.Sequence == 2 && once.CompareAndSwap(false, true) {
			close(frozen)
			<-thawed
		}
		return nil
	}
	return frozen, func() { close(thawed) }
}

// requireOneRepeat checks that of four events the one that was frozen in was handled
// twice, and nothing of what its first worker did since is recorded.
func (b *bubble) requireOneRepeat() {
	b.t.Helper()
	<-time.After(time.Minute)
	require.Equal(b.t, []int64{1, 2, 2, 3, 4}, b.sequences("redo/r1"))
	view := b.view("redo/r1")
	require.Zero(b.t, view.Pending)
	require.Zero(b.t, view.Streak)
}

func TestALaneThatWasFrozenIsFencedByTheWorkflow(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bubble) {
		frozen, thaw := b.freeze()
		b.lane(b.worker(nil), relief.Always)
		b.append("redo/r1", 4)
		<-frozen
		healthy := b.worker(nil)
		out := b.drainAs(healthy, "redo/r1", "run")
		require.Equal(b.t, workflows.OutcomeWait, out.Outcome)
		require.Zero(b.t, out.Settled, "what another has in hand is not begun")
		<-time.After(out.Wait)
		out = b.drainAs(healthy, "redo/r1", "run")
		require.Equal(b.t, workflows.OutcomeEmpty, out.Outcome)
		require.Equal(b.t, 3, out.Settled)
		thaw()
		b.requireOneRepeat()
		require.Equal(b.t, []string{"run", "run", "run"}, b.runs("redo/r1")[1:])
	})
}

func TestAWorkflowsDrainThatWasFrozenIsFencedByTheLane(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bubble) {
		frozen, thaw := b.freeze()
		b.append("redo/r1", 4)
		ended := make(chan workflows.DrainOutput)
		zombie := b.worker(nil)
		go func() { ended <- b.drainAs(zombie, "redo/r1", "run") }()
		<-frozen
		b.lane(b.worker(nil), relief.Always)
		<-time.After(15 * time.Second)
		require.Equal(b.t, []int64{1, 2}, b.sequences("redo/r1"), "it may still settle what it has in hand")
		<-time.After(15 * time.Second)
		require.Zero(b.t, b.view("redo/r1").Pending)
		thaw()
		require.Equal(b.t, workflows.OutcomeWait, (<-ended).Outcome)
		b.requireOneRepeat()
	})
}

// TestASlowRecordIsNoReasonToTakeASubject: a worker that tries to settle what it has
// done is not one that is lost.
func TestASlowRecordIsNoReasonToTakeASubject(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bubble) {
		slow := &troubled{Inbox: b.store, beforeSettle: func() error { <-time.After(7500 * time.Millisecond); return nil }}
		b.lane(b.worker(slow), relief.Always)
		<-time.After(time.Second)
		b.append("redo/r1", 1)
		<-time.After(time.Second)
		b.lane(b.worker(nil), relief.Always)
		<-time.After(time.Minute)
		b.requireOnce("redo/r1", 1)
	})
}

// TestNoHandlerStartsThatItsClaimDoesNotCover: whoever was slow to find the event asks
// again, or the next one to claim has it in hand at the same time.
func TestNoHandlerStartsThatItsClaimDoesNotCover(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bubble) {
		b.handle = takes(4900 * time.Millisecond)
		var once sync.Once
		slow := &troubled{Inbox: b.store, beforeNext: func(int) error { once.Do(func() { <-time.After(13 * time.Second) }); return nil }}
		b.lane(b.worker(slow), relief.Always)
		<-time.After(time.Second)
		b.append("redo/r1", 1)
		<-time.After(time.Second)
		b.lane(b.worker(nil), relief.Always)
		<-time.After(2 * time.Minute)
		b.requireOnce("redo/r1", 1)
	})
}

// TestLanesAndWorkflowsOverlapNowhere has the lanes of two workers and the workflows
// of both after the same subjects, while events come.
func TestLanesAndWorkflowsOverlapNowhere(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bubble) {
		const rounds = 20
		all := subjects("redo", 10)
		seed := rand.Uint64()
		b.t.Logf("seed %d", seed)
		var mu sync.Mutex
		random := rand.New(rand.NewPCG(seed, 0))
		chance := func(most time.Duration) time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return time.Duration(random.Int64N(int64(most)))
		}
		b.handle = func(ctx context.Context, e activities.Event) error { return takes(chance(time.Second))(ctx, e) }
		workers := []*activities.Activities{b.worker(nil), b.worker(nil)}
		for _, a := range workers {
			b.lane(a, relief.Always)
		}
		var work sync.WaitGroup
		for _, subject := range all {
			work.Go(func() {
				for n := range rounds {
					b.append(subject, 1)
					if chance(2) == 0 { // its workflow is the first
						b.drainAs(workers[n%2], subject, fmt.Sprint("first", n))
					}
					<-time.After(chance(2 * time.Second))
				}
			})
			work.Go(func() {
				for n := range rounds {
					b.drainAs(workers[n%2], subject, fmt.Sprint("late", n))
					<-time.After(chance(2 * time.Second))
				}
			})
		}
		work.Wait()
		<-time.After(2 * time.Minute)
		relieved := 0
		for _, subject := range all {
			b.requireOnce(subject, rounds)
			for _, run := range b.runs(subject) {
				if inbox.IsRelief(run) {
					relieved++
				}
			}
		}
		require.Greater(b.t, relieved, len(all))
		require.Less(b.t, relieved, len(all)*(rounds-1), "the workflows had their part too")
	})
}

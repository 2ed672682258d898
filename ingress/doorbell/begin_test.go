package doorbell_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-project/holdfast/ingress/doorbell"
	"github.com/holdfast-project/holdfast/workflows"
)

// starter is the part of a Temporal that starts, and answers as it is told.
type starter struct {
	mu     sync.Mutex
	starts []client.StartWorkflowOptions
	answer func(nth int) error
}

func (s *starter) ExecuteWorkflow(_ context.Context, options client.StartWorkflowOptions, workflow any, input ...any) (client.WorkflowRun, error) {
	s.mu.Lock()
	s.starts = append(s.starts, options)
	nth := len(s.starts)
	s.mu.Unlock()
	if workflow != any(workflows.WorkflowType) || len(input) != 1 || input[0] != any(workflows.Input{}) {
		panic("not the workflow of a subject")
	}
	if s.answer == nil {
		return nil, nil
	}
	return nil, s.answer(nth)
}

// newEagerBench is a Temporal whose starts are answered so, and whose signals
// succeed.
func newEagerBench(answer func(nth int) error) (*bench, *starter) {
	s := &starter{answer: answer}
	return newBench(nil, func(o *doorbell.Options) { o.Eager = s }), s
}

func TestAnEagerRingStartsAndSignalsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, s := newEagerBench(nil)
		b.ringer.Ring("redo/r1")
		synctest.Wait()
		require.Empty(t, b.server.of("redo/r1"))
		require.Len(t, s.starts, 1)
		o := s.starts[0]
		require.Equal(t, "redo/r1", o.ID)
		require.Equal(t, workflows.DefaultTaskQueue, o.TaskQueue)
		require.True(t, o.EnableEagerStart)
		require.True(t, o.WorkflowExecutionErrorWhenAlreadyStarted, "or a run that is there would pass for rung")
		require.Equal(t, enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL, o.WorkflowIDConflictPolicy)
		require.Equal(t, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, o.WorkflowIDReusePolicy)
		require.Equal(t, temporal.Priority{FairnessKey: "redo"}, o.Priority)
		source, ok := o.TypedSearchAttributes.GetKeyword(temporal.NewSearchAttributeKeyKeyword(workflows.SearchAttributeSource))
		require.True(t, ok)
		require.Equal(t, "redo", source)
		require.InDelta(t, 1, metric(t, b.registry, "holdfast_rings_total", "rung"), 0)
		require.NoError(t, b.close(t, time.Second))
	})
}

func TestARunThatIsThereIsSignalled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, s := newEagerBench(func(int) error {
			return serviceerror.NewWorkflowExecutionAlreadyStarted("already started", "request", "run")
		})
		b.ringer.Ring("redo/r1")
		synctest.Wait()
		require.Len(t, s.starts, 1)
		calls := b.server.of("redo/r1")
		require.Len(t, calls, 1)
		require.Equal(t, workflows.SignalDoorbell, calls[0].signal)
		require.Equal(t, enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING, calls[0].options.WorkflowIDConflictPolicy)
		require.False(t, calls[0].options.EnableEagerStart, "signal-with-start has none")
		require.InDelta(t, 1, metric(t, b.registry, "holdfast_rings_total", "rung"), 0)
		require.InDelta(t, 0, metric(t, b.registry, "holdfast_rings_total", "failed"), 0)
		require.NoError(t, b.close(t, time.Second))
	})
}

// TestAStartThatFailedIsRepeatedBySignal: it may have started the run all the same,
// and where starts are refused for good, rings still arrive.
func TestAStartThatFailedIsRepeatedBySignal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, s := newEagerBench(func(nth int) error {
			if nth == 1 {
				return context.DeadlineExceeded
			}
			return nil
		})
		b.ringer.Ring("redo/r1")
		synctest.Wait()
		require.Empty(t, b.server.of("redo/r1"))
		<-time.After(time.Minute) // on the bubble's clock
		require.Len(t, s.starts, 1)
		require.Len(t, b.server.of("redo/r1"), 1)
		require.Zero(t, b.ringer.Waiting())

		b.ringer.Ring("redo/r1")
		synctest.Wait()
		require.Len(t, s.starts, 2, "the next ring is a fresh one")
		require.NoError(t, b.close(t, time.Second))
	})
}

func TestATellSignalsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, s := newEagerBench(nil)
		b.ringer.Tell("redo/r1")
		synctest.Wait()
		require.Empty(t, s.starts)
		calls := b.server.of("redo/r1")
		require.Len(t, calls, 1)
		require.Equal(t, workflows.SignalOperate, calls[0].signal)
		require.NoError(t, b.close(t, time.Second))
	})
}

// TestARingDuringAStartIsCarriedToo: the start may have come before its event.
func TestARingDuringAStartIsCarriedToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		b, s := newEagerBench(func(nth int) error {
			if nth == 1 {
				<-gate
				return nil
			}
			return serviceerror.NewWorkflowExecutionAlreadyStarted("already started", "request", "run")
		})
		b.ringer.Ring("redo/r1")
		synctest.Wait()
		b.ringer.Ring("redo/r1")
		close(gate)
		synctest.Wait()
		require.Len(t, s.starts, 2)
		require.Len(t, b.server.of("redo/r1"), 1)
		require.NoError(t, b.close(t, time.Second))
	})
}

package workflows_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-project/holdfast/workflows"
)

// bundle is a run of one subject whose drains answer from a script.
type bundle struct {
	*testsuite.TestWorkflowEnvironment
	drains   []workflows.DrainInput
	script   []any // DrainOutput or error, in order; when used up: empty
	operated []workflows.OperateInput
}

const handler = "POST app/hooks"

func setup(t *testing.T, script ...any) *bundle {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(silent{})
	b := &bundle{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), script: script}
	b.RegisterWorkflowWithOptions(workflows.Subject, workflow.RegisterOptions{Name: workflows.WorkflowType})
	b.RegisterActivityWithOptions(b.drain, activity.RegisterOptions{Name: workflows.ActivityDrain})
	b.RegisterActivityWithOptions(b.operate, activity.RegisterOptions{Name: workflows.ActivityOperate})
	b.SetStartWorkflowOptions(startOptions())
	return b
}

func (b *bundle) drain(ctx context.Context, in workflows.DrainInput) (workflows.DrainOutput, error) {
	if activity.GetInfo(ctx).Attempt > 1 {
		panic("a drain is run once per task")
	}
	b.drains = append(b.drains, in)
	if len(b.drains) > len(b.script) {
		return workflows.DrainOutput{Outcome: workflows.OutcomeEmpty, Epoch: in.AfterEpoch + 1}, nil
	}
	switch out := b.script[len(b.drains)-1].(type) {
	case error:
		return workflows.DrainOutput{}, out
	default:
		return out.(workflows.DrainOutput), nil
	}
}

func (b *bundle) operate(_ context.Context, in workflows.OperateInput) (workflows.Status, error) {
	b.operated = append(b.operated, in)
	return workflows.Status{Subject: in.Subject, State: workflows.StateHeld}, nil
}

func (b *bundle) run(t *testing.T) {
	t.Helper()
	b.ExecuteWorkflow(workflows.WorkflowType, workflows.Input{})
	require.True(t, b.IsWorkflowCompleted())
}

func (b *bundle) status(t *testing.T) workflows.Status {
	t.Helper()
	value, err := b.QueryWorkflow(workflows.QueryStatus)
	require.NoError(t, err)
	var s workflows.Status
	require.NoError(t, value.Get(&s))
	return s
}

func held(wait time.Duration) workflows.DrainOutput {
	return workflows.DrainOutput{
		Outcome: workflows.OutcomeHeld, Epoch: 7, Wait: wait, Reason: "403 Forbidden", By: "holdfast",
		Head: &workflows.Head{Sequence: 42, Type: "return.updated", Handler: handler, Attempts: 1, Error: "403 Forbidden"},
	}
}

func failed() workflows.DrainOutput {
	out := held(0)
	out.Outcome, out.Reason, out.By = workflows.OutcomeRecover, "", ""
	out.Policy.RecoverTimeout = time.Minute
	return out
}

func TestSubjectRests(t *testing.T) {
	t.Parallel()

	t.Run("AtOnceWhenNothingIsLeft", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.run(t)
		require.NoError(t, b.GetWorkflowError())
		require.Len(t, b.drains, 1)
	})

	t.Run("NotBeforeADoorbellIsAnswered", func(t *testing.T) {
		t.Parallel()
		linger := workflows.DrainOutput{Outcome: workflows.OutcomeEmpty, Policy: workflows.Policy{Linger: time.Minute}}
		b := setup(t, linger, linger)
		b.RegisterDelayedCallback(func() { b.SignalWorkflow(workflows.SignalDoorbell, nil) }, 30*time.Second)
		b.run(t)
		require.NoError(t, b.GetWorkflowError())
		require.Len(t, b.drains, 2, "at the start and at the doorbell")
	})

	t.Run("AfterEveryBatch", func(t *testing.T) {
		t.Parallel()
		more := workflows.DrainOutput{Outcome: workflows.OutcomeMore, Epoch: 3, Settled: 100}
		b := setup(t, more, more)
		b.run(t)
		require.Len(t, b.drains, 3)
		require.Equal(t, int64(3), b.drains[2].AfterEpoch, "a drain is told the last epoch in its history")
		require.Equal(t, 200, b.status(t).Settled)
	})
}

func TestSubjectWaits(t *testing.T) {
	t.Parallel()

	t.Run("LongerEachTimeTheInboxCannotBeReached", func(t *testing.T) {
		t.Parallel()
		down := errors.New("disk on fire")
		b := setup(t, down, down, down)
		start := b.Now()
		b.run(t)
		require.NoError(t, b.GetWorkflowError(), "no event and no run is blamed for our own trouble")
		require.Len(t, b.drains, 4)
		require.GreaterOrEqual(t, b.Now().Sub(start), 7*time.Second)
	})

	t.Run("AsLongAsTheDrainSays", func(t *testing.T) {
		t.Parallel()
		wait := workflows.DrainOutput{Outcome: workflows.OutcomeWait, Wait: 10 * time.Minute, Reason: "busy"}
		b := setup(t, wait, wait)
		start := b.Now()
		b.run(t)
		require.GreaterOrEqual(t, b.Now().Sub(start), 20*time.Minute)
		require.Equal(t, []int{0, 1, 2}, []int{b.drains[0].Waits, b.drains[1].Waits, b.drains[2].Waits})
	})
}

func TestSubjectIsHeld(t *testing.T) {
	t.Parallel()

	t.Run("UntilItsTime", func(t *testing.T) {
		t.Parallel()
		b := setup(t, held(24*time.Hour))
		start := b.Now()
		b.RegisterDelayedCallback(func() {
			require.Equal(t, workflows.StateHeld, b.status(t).State)
			require.Len(t, b.drains, 1)
		}, 23*time.Hour)
		b.run(t)
		require.GreaterOrEqual(t, b.Now().Sub(start), 24*time.Hour)
		require.Len(t, b.drains, 2)
	})

	t.Run("UntilAnOperatorActsWhenItHasNoTime", func(t *testing.T) {
		t.Parallel()
		b := setup(t, held(0))
		b.RegisterDelayedCallback(func() { b.SignalWorkflow(workflows.SignalDoorbell, nil) }, time.Hour)
		b.RegisterDelayedCallback(func() { b.SignalWorkflow(workflows.SignalOperate, workflows.Operate{}) }, 1000*time.Hour)
		start := b.Now()
		b.run(t)
		require.NoError(t, b.GetWorkflowError())
		require.GreaterOrEqual(t, b.Now().Sub(start), 1000*time.Hour, "a doorbell opens no hold")
		require.Len(t, b.drains, 2)
	})
}

func TestSubjectRecovers(t *testing.T) {
	t.Parallel()

	t.Run("ByAnActivityNamedAfterItsHandler", func(t *testing.T) {
		t.Parallel()
		b := setup(t, failed())
		attempts := 0
		b.RegisterActivityWithOptions(func(context.Context, workflows.RecoverInput) (workflows.RecoverOutput, error) {
			if attempts++; attempts < 4 {
				return workflows.RecoverOutput{}, temporal.NewApplicationErrorWithOptions("503", workflows.ErrorRetryable,
					temporal.ApplicationErrorOptions{NextRetryDelay: 20 * time.Minute})
			}
			return workflows.RecoverOutput{Epoch: 9, Settled: true}, nil
		}, activity.RegisterOptions{Name: handler})
		start := b.Now()
		b.RegisterDelayedCallback(func() { require.Equal(t, workflows.StateRetrying, b.status(t).State) }, time.Minute)
		b.run(t)
		require.NoError(t, b.GetWorkflowError())
		require.Equal(t, 4, attempts)
		require.GreaterOrEqual(t, b.Now().Sub(start), time.Hour, "the wait between attempts is the activity's")
		require.Equal(t, int64(9), b.drains[1].AfterEpoch)
		require.Equal(t, 1, b.status(t).Settled)
	})

	t.Run("AndLooksAtTheRowWhenItGivesUp", func(t *testing.T) {
		t.Parallel()
		b := setup(t, failed(), held(time.Hour))
		b.RegisterActivityWithOptions(func(context.Context, workflows.RecoverInput) (workflows.RecoverOutput, error) {
			return workflows.RecoverOutput{}, temporal.NewNonRetryableApplicationError("403", workflows.ErrorCritical, nil)
		}, activity.RegisterOptions{Name: handler})
		b.run(t)
		require.NoError(t, b.GetWorkflowError())
		require.Len(t, b.drains, 3)
	})

	t.Run("AtOnceWhenAnOperatorResumes", func(t *testing.T) {
		t.Parallel()
		b := setup(t, failed())
		b.RegisterActivityWithOptions(func(context.Context, workflows.RecoverInput) (workflows.RecoverOutput, error) {
			return workflows.RecoverOutput{}, temporal.NewApplicationErrorWithOptions("503", workflows.ErrorRetryable,
				temporal.ApplicationErrorOptions{NextRetryDelay: 100 * time.Hour})
		}, activity.RegisterOptions{Name: handler})
		start := b.Now()
		b.RegisterDelayedCallback(func() {
			b.UpdateWorkflow(workflows.UpdateResume, "u1", accepted(t), workflows.Operate{Reason: "mended"})
		}, time.Minute)
		b.run(t)
		require.NoError(t, b.GetWorkflowError())
		require.Less(t, b.Now().Sub(start), time.Hour)
		require.Len(t, b.drains, 2)
		require.Equal(t, "update:default-test-run-id/u1", b.operated[0].RequestID)
		require.Equal(t, workflows.UpdateResume, b.operated[0].Verb)
	})
}

func TestOperators(t *testing.T) {
	t.Parallel()

	t.Run("AVerbThatCannotMakeSenseIsRejected", func(t *testing.T) {
		t.Parallel()
		for name, c := range map[string]struct {
			update string
			verb   workflows.Operate
		}{
			"ParkWithoutSequence": {workflows.UpdatePark, workflows.Operate{Reason: "broken"}},
			"ParkWithoutReason":   {workflows.UpdatePark, workflows.Operate{Sequence: 42}},
			"AnotherVerb":         {workflows.UpdatePause, workflows.Operate{Verb: workflows.UpdateResume}},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				b := setup(t, held(time.Hour))
				var rejection error
				b.RegisterDelayedCallback(func() {
					b.UpdateWorkflow(c.update, "u1", &testsuite.TestUpdateCallback{
						OnAccept: func() {}, OnReject: func(err error) { rejection = err }, OnComplete: func(any, error) {},
					}, c.verb)
				}, time.Minute)
				b.run(t)
				require.Error(t, rejection)
				require.Empty(t, b.operated)
			})
		}
	})

	t.Run("SignalsCarryPauseAndResumeOnceEach", func(t *testing.T) {
		t.Parallel()
		b := setup(t, held(0), held(0))
		b.RegisterDelayedCallback(func() {
			b.SignalWorkflow(workflows.SignalOperate, workflows.Operate{Verb: workflows.UpdatePause, By: "batch"})
		}, time.Minute)
		b.RegisterDelayedCallback(func() {
			b.SignalWorkflow(workflows.SignalOperate, workflows.Operate{Verb: workflows.UpdateResume, By: "batch"})
		}, time.Hour)
		b.run(t)
		require.Len(t, b.operated, 2)
		require.NotEqual(t, b.operated[0].RequestID, b.operated[1].RequestID)
	})
}

func TestSubjectIsCanceled(t *testing.T) {
	t.Parallel()
	for _, long := range []bool{false, true} {
		b := setup(t, held(0))
		b.SetContinueAsNewSuggested(long)
		b.RegisterDelayedCallback(b.CancelWorkflow, time.Hour)
		b.run(t)
		require.True(t, temporal.IsCanceledError(b.GetWorkflowError()), "%v", b.GetWorkflowError())
	}
}

func TestAnOutcomeOfANewerWorkerDoesNotSpin(t *testing.T) {
	t.Parallel()
	var script []any
	for range 100 {
		script = append(script, workflows.DrainOutput{Outcome: "lent"})
	}
	b := setup(t, script...)
	start := b.Now()
	b.run(t)
	require.GreaterOrEqual(t, b.Now().Sub(start), 100*time.Second)
}

// TestASignalledVerbOutlastsAnOutage: nobody waits for a signal's answer, so
// nobody would send it again.
func TestASignalledVerbOutlastsAnOutage(t *testing.T) {
	t.Parallel()
	b := setup(t, held(time.Minute))
	var down time.Time
	applied := 0
	b.RegisterActivityWithOptions(func(context.Context, workflows.OperateInput) (workflows.Status, error) {
		if down.IsZero() {
			down = b.Now()
		}
		if b.Now().Sub(down) < 10*time.Minute {
			return workflows.Status{}, errors.New("inbox: connection refused")
		}
		applied++
		return workflows.Status{}, nil
	}, activity.RegisterOptions{Name: workflows.ActivityOperate, DisableAlreadyRegisteredCheck: true})
	b.RegisterDelayedCallback(func() {
		b.SignalWorkflow(workflows.SignalOperate, workflows.Operate{Verb: workflows.UpdatePause, By: "batch"})
	}, time.Second)
	b.run(t)
	require.Equal(t, 1, applied)
}

func TestContinueAsNew(t *testing.T) {
	t.Parallel()
	b := setup(t, held(time.Minute))
	b.SetContinueAsNewSuggested(true)
	b.run(t)
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, b.GetWorkflowError(), &next)
	require.Equal(t, workflows.WorkflowType, next.WorkflowType.Name)
	require.Contains(t, string(next.Input.Payloads[0].Data), workflows.StateHeld, "the next run knows which state is shown")
}

// TestContinueAsNewWhileTheInboxIsAway: an outage of days must not fill the history.
func TestContinueAsNewWhileTheInboxIsAway(t *testing.T) {
	t.Parallel()
	b := setup(t, errors.New("inbox: connection refused"))
	b.SetContinueAsNewSuggested(true)
	b.run(t)
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, b.GetWorkflowError(), &next)
}

// TestContinueAsNewCarriesOutWhatWasSignalled: a verb that came just before the
// seam would be lost with the old run.
func TestContinueAsNewCarriesOutWhatWasSignalled(t *testing.T) {
	t.Parallel()
	b := setup(t, held(0))
	b.SetContinueAsNewSuggested(true)
	b.RegisterDelayedCallback(func() {
		b.SignalWorkflow(workflows.SignalOperate, workflows.Operate{Verb: workflows.UpdatePause, By: "batch"})
	}, time.Minute)
	b.run(t)
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, b.GetWorkflowError(), &next)
	require.Len(t, b.operated, 1)
}

func accepted(t *testing.T) *testsuite.TestUpdateCallback {
	t.Helper()
	return &testsuite.TestUpdateCallback{
		OnAccept:   func() {},
		OnReject:   func(err error) { require.NoError(t, err) },
		OnComplete: func(_ any, err error) { require.NoError(t, err) },
	}
}

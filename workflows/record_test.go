package workflows_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-project/holdfast/workflows"
	"github.com/holdfast-project/holdfast/workflows/temporaltest"
)

// scenario is a course of events to record: what the drains answer, and what is
// done to the run meanwhile.
type scenario struct {
	drains []any // DrainOutput or error, in order; then empty
	act    func(ctx context.Context, t *testing.T, r *recorded)
	// versioned records it on a worker with a version, which leaves its mark in the
	// history.
	versioned bool
}

// recorded is a run that is being recorded.
type recorded struct {
	client client.Client
	id     string
}

func (r *recorded) signal(ctx context.Context, t *testing.T, name string, argument any) {
	t.Helper()
	require.NoError(t, r.client.SignalWorkflow(ctx, r.id, "", name, argument))
}

func (r *recorded) update(ctx context.Context, t *testing.T, name string, verb workflows.Operate) {
	t.Helper()
	handle, err := r.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: r.id, UpdateName: name, Args: []any{verb}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	require.NoError(t, err)
	require.NoError(t, handle.Get(ctx, nil))
}

// await waits until the run says that it is in a state.
func (r *recorded) await(ctx context.Context, t *testing.T, state string) {
	t.Helper()
	require.Eventually(t, func() bool {
		value, err := r.client.QueryWorkflow(ctx, r.id, "", workflows.QueryStatus)
		var status workflows.Status
		return err == nil && value.Get(&status) == nil && status.State == state
	}, 30*time.Second, 20*time.Millisecond)
}

func scenarios() map[string]scenario {
	more := workflows.DrainOutput{Outcome: workflows.OutcomeMore, Epoch: 1, Settled: 100}
	wait := workflows.DrainOutput{Outcome: workflows.OutcomeWait, Epoch: 1, Wait: 50 * time.Millisecond, Reason: "busy"}
	linger := workflows.DrainOutput{Outcome: workflows.OutcomeEmpty, Epoch: 2, Policy: workflows.Policy{Linger: 2 * time.Second}}
	down := errors.New("inbox: connection refused")
	repeat := func(out any, n int) (all []any) {
		for range n {
			all = append(all, out)
		}
		return all
	}
	return map[string]scenario{
		"rest":          {},
		"batches":       {drains: []any{more, more, more}},
		"waits":         {drains: []any{wait, wait}},
		"inbox-away":    {drains: []any{down, down}},
		"recovery":      {drains: []any{failed(), more, failed()}},
		"hold-by-time":  {drains: []any{held(200 * time.Millisecond)}},
		"continued":     {drains: repeat(wait, 60)},
		"recover-loops": {drains: repeat(failed(), 20)},
		"linger": {drains: []any{linger}, act: func(ctx context.Context, t *testing.T, r *recorded) {
			t.Helper()
			r.await(ctx, t, workflows.StateIdle)
			r.signal(ctx, t, workflows.SignalDoorbell, nil)
		}},
		"resumed-by-update": {drains: []any{held(0)}, act: func(ctx context.Context, t *testing.T, r *recorded) {
			t.Helper()
			r.await(ctx, t, workflows.StateHeld)
			r.update(ctx, t, workflows.UpdateResume, workflows.Operate{Reason: "mended", By: "ann"})
		}},
		"operated-by-signal": {drains: []any{held(0), held(0)}, act: func(ctx context.Context, t *testing.T, r *recorded) {
			t.Helper()
			r.await(ctx, t, workflows.StateHeld)
			r.signal(ctx, t, workflows.SignalOperate, workflows.Operate{Verb: workflows.UpdatePause, By: "batch"})
			r.signal(ctx, t, workflows.SignalOperate, workflows.Operate{Verb: workflows.UpdateResume, By: "batch"})
			r.signal(ctx, t, workflows.SignalOperate, workflows.Operate{})
		}},
		"recovery-cut-short": {drains: []any{slow()}, act: func(ctx context.Context, t *testing.T, r *recorded) {
			t.Helper()
			r.await(ctx, t, workflows.StateRetrying)
			r.signal(ctx, t, workflows.SignalOperate, workflows.Operate{})
		}},
		"versioned": {versioned: true, drains: []any{failed(), held(200 * time.Millisecond)}},
		"canceled": {drains: []any{held(0)}, act: func(ctx context.Context, t *testing.T, r *recorded) {
			t.Helper()
			r.await(ctx, t, workflows.StateHeld)
			require.NoError(t, r.client.CancelWorkflow(ctx, r.id, ""))
		}},
	}
}

const slowHandler = "POST slow/hooks"

func slow() workflows.DrainOutput {
	out := failed()
	out.Head.Handler = slowHandler
	return out
}

// TestRecordHistories writes one history per scenario into the folder that
// RECORD_HISTORIES names. make histories runs it with the code of the last
// release: a history that the change under test wrote would prove nothing.
func TestRecordHistories(t *testing.T) {
	folder := os.Getenv("RECORD_HISTORIES")
	if folder == "" {
		t.Skip("make histories runs it")
	}
	c := temporaltest.Client(t)
	for name, s := range scenarios() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for part, history := range record(t, c, name, s) {
				file := name + ".json"
				if part > 0 {
					file = name + "-next.json" // one continuation shows the seam
				}
				if part > 1 {
					break
				}
				data, err := temporalproto.CustomJSONMarshalOptions{Indent: "  "}.Marshal(history)
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(filepath.Join(folder, file), data, 0o600))
			}
		})
	}
}

// record runs a scenario and returns the histories of its chain of runs.
func record(t *testing.T, c client.Client, name string, s scenario) []*historypb.History {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	queue := "record-" + uuid.NewString()
	var mu sync.Mutex
	next := 0
	w := worker.New(c, queue, s.options(queue))
	w.RegisterWorkflowWithOptions(workflows.Subject, workflow.RegisterOptions{Name: workflows.WorkflowType})
	w.RegisterActivityWithOptions(func(context.Context, workflows.DrainInput) (workflows.DrainOutput, error) {
		mu.Lock()
		defer mu.Unlock()
		if next++; next > len(s.drains) {
			return workflows.DrainOutput{Outcome: workflows.OutcomeEmpty, Epoch: 99}, nil
		}
		if err, broken := s.drains[next-1].(error); broken {
			return workflows.DrainOutput{}, err
		}
		return s.drains[next-1].(workflows.DrainOutput), nil
	}, activity.RegisterOptions{Name: workflows.ActivityDrain})
	w.RegisterActivityWithOptions(func(_ context.Context, in workflows.OperateInput) (workflows.Status, error) {
		return workflows.Status{Subject: in.Subject, State: workflows.StatePending}, nil
	}, activity.RegisterOptions{Name: workflows.ActivityOperate})
	attempts := 0
	w.RegisterActivityWithOptions(func(context.Context, workflows.RecoverInput) (workflows.RecoverOutput, error) {
		mu.Lock()
		defer mu.Unlock()
		if attempts++; attempts%2 == 1 {
			return workflows.RecoverOutput{}, temporal.NewApplicationErrorWithOptions("503", workflows.ErrorRetryable,
				temporal.ApplicationErrorOptions{NextRetryDelay: 10 * time.Millisecond})
		}
		return workflows.RecoverOutput{Epoch: 9, Settled: true}, nil
	}, activity.RegisterOptions{Name: handler})
	w.RegisterActivityWithOptions(func(context.Context, workflows.RecoverInput) (workflows.RecoverOutput, error) {
		return workflows.RecoverOutput{}, temporal.NewApplicationErrorWithOptions("503", workflows.ErrorRetryable,
			temporal.ApplicationErrorOptions{NextRetryDelay: time.Hour})
	}, activity.RegisterOptions{Name: slowHandler})
	require.NoError(t, w.Start())
	defer w.Stop()
	if s.versioned {
		makeCurrent(ctx, t, c, queue)
	}

	id := "record/" + name + "-" + uuid.NewString()
	run, err := c.SignalWithStartWorkflow(ctx, id, workflows.SignalDoorbell, nil,
		client.StartWorkflowOptions{ID: id, TaskQueue: queue}, workflows.WorkflowType, workflows.Input{})
	require.NoError(t, err)
	first := run.GetRunID() // Get moves it to the last of the chain
	if s.act != nil {
		s.act(ctx, t, &recorded{client: c, id: id})
	}
	err = run.Get(ctx, nil)
	require.True(t, err == nil || temporal.IsCanceledError(err), "%v", err)
	return chain(ctx, t, c, id, first)
}

func (s scenario) options(deployment string) worker.Options {
	if !s.versioned {
		return worker.Options{}
	}
	return worker.Options{DeploymentOptions: worker.DeploymentOptions{
		UseVersioning: true, DefaultVersioningBehavior: workflow.VersioningBehaviorAutoUpgrade,
		Version: worker.WorkerDeploymentVersion{DeploymentName: deployment, BuildID: "v1"},
	}}
}

// makeCurrent has the versioned worker given work, as soon as the server knows it.
func makeCurrent(ctx context.Context, t *testing.T, c client.Client, deployment string) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := c.WorkerDeploymentClient().GetHandle(deployment).SetCurrentVersion(ctx,
			client.WorkerDeploymentSetCurrentVersionOptions{BuildID: "v1"})
		return err == nil
	}, 30*time.Second, 100*time.Millisecond)
}

// chain reads the histories of a run and of those that continued it.
func chain(ctx context.Context, t *testing.T, c client.Client, id, runID string) []*historypb.History {
	t.Helper()
	var all []*historypb.History
	for runID != "" {
		h := &historypb.History{}
		for i := c.GetWorkflowHistory(ctx, id, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); i.HasNext(); {
			e, err := i.Next()
			require.NoError(t, err)
			h.Events = append(h.Events, e)
		}
		all = append(all, h)
		runID = h.Events[len(h.Events)-1].GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
	}
	return all
}

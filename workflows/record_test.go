package workflows_test

import (
	"context"
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
	run, err := s.begin(ctx, c, client.StartWorkflowOptions{ID: id, TaskQueue: queue})
	require.NoError(t, err)
	first := run.GetRunID() // Get moves it to the last of the chain
	if s.act != nil {
		s.act(ctx, t, &recorded{client: c, id: id})
	}
	err = run.Get(ctx, nil)
	require.True(t, err == nil || temporal.IsCanceledError(err), "%v", err)
	return chain(ctx, t, c, id, first)
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

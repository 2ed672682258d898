package workflows_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-project/holdfast/workflows"
)

// scenario is a course of events to record: what the drains answer, and what is
// done to the run meanwhile.
type scenario struct {
	drains []any // DrainOutput or error, in order; then empty
	act    func(ctx context.Context, t *testing.T, r *recorded)
	// versioned records it on a worker with a version, which leaves its mark in the
	// history.
	versioned bool
	// started records a run that was started without a signal, as an ingress with a
	// worker beside it starts one.
	started bool
}

func (s scenario) begin(ctx context.Context, c client.Client, o client.StartWorkflowOptions) (client.WorkflowRun, error) {
	if s.started {
		o.EnableEagerStart = true
		return c.ExecuteWorkflow(ctx, o, workflows.WorkflowType, workflows.Input{})
	}
	return c.SignalWithStartWorkflow(ctx, o.ID, workflows.SignalDoorbell, nil, o, workflows.WorkflowType, workflows.Input{})
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
		"started":   {started: true, drains: []any{more, failed()}},
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

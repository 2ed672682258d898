package doorbell

import (
	"context"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-project/holdfast/workflows"
)

// EagerStarter is the part of a Temporal client that starts a run and takes its first
// task along with the answer, for a worker that has the same client.
type EagerStarter interface {
	ExecuteWorkflow(ctx context.Context, options client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error)
}

// begin starts a subject's run with eager execution: its first task comes with the
// answer, if a worker of this process has a free slot, and else by way of the task
// queue. That is half of what signal-with-start costs the server: no signal, no task
// handed out, no history read for it. It tells whether there was no run: one that is
// there, or about to complete, has not heard the ring and must be signalled.
//
// No ring is lost between the two. What the SDK sends again after a lost answer bears
// the same request ID, so that it gets the same run and its task. A task that nobody
// got, because the process ended, times out and goes to the task queue.
func (r *Ringer) begin(ctx context.Context, subject string) (started bool, err error) {
	options := r.options(subject)
	options.EnableEagerStart = true
	options.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL
	options.WorkflowExecutionErrorWhenAlreadyStarted = true
	_, err = r.eager.ExecuteWorkflow(ctx, options, workflows.WorkflowType, workflows.Input{})
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return false, nil
	}
	return err == nil, err
}

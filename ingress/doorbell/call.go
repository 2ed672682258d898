package doorbell

import (
	"context"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-project/holdfast/workflows"
)

// Starter is the part of a Temporal client that a Ringer uses.
type Starter interface {
	SignalWithStartWorkflow(ctx context.Context, workflowID, signalName string, signalArg any,
		options client.StartWorkflowOptions, workflow any, workflowArgs ...any) (client.WorkflowRun, error)
}

// maxFairnessKey is Temporal's limit, in bytes. The name of a source is ASCII.
const maxFairnessKey = 64

var sourceAttribute = temporal.NewSearchAttributeKeyKeyword(workflows.SearchAttributeSource)

// call signals a subject's run, and starts one if there is none: whatever became
// of the run before, because a subject at rest has a completed one.
func (r *Ringer) call(ctx context.Context, subject string, tell bool) error {
	signal, argument := workflows.SignalDoorbell, any(nil)
	if tell {
		signal, argument = workflows.SignalOperate, workflows.Operate{}
	}
	source := sourceOf(subject)
	_, err := r.temporal.SignalWithStartWorkflow(ctx, subject, signal, argument, client.StartWorkflowOptions{
		ID:                       subject,
		TaskQueue:                r.taskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		TypedSearchAttributes:    temporal.NewSearchAttributes(sourceAttribute.ValueSet(source)),
		// A server with fairness gives each source its share of the workers, also when
		// one source has filled the task queue. Others pay no attention to it.
		Priority: temporal.Priority{FairnessKey: source[:min(len(source), maxFairnessKey)]},
	}, workflows.WorkflowType, workflows.Input{})
	return err
}

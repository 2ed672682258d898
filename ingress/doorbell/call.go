package doorbell

import (
	"context"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-project/holdfast/inbox"
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

// call carries a ring to Temporal, and returns how long that took to answer.
func (r *Ringer) call(ctx context.Context, rung *ring) (took time.Duration, err error) {
	began := time.Now()
	// A ring that failed may have started the run, and one that tells something
	// comes for a run that is there.
	if r.eager != nil && !rung.telling && rung.failed == 0 {
		if started, err := r.begin(ctx, rung.subject); started || err != nil {
			return time.Since(began), err
		}
		began = time.Now()
	}
	err = r.signal(ctx, rung)
	return time.Since(began), err
}

// signal signals a subject's run, and starts one if there is none: whatever became
// of the run before, because a subject at rest has a completed one.
func (r *Ringer) signal(ctx context.Context, rung *ring) error {
	name, argument := workflows.SignalDoorbell, any(nil)
	if rung.telling {
		name, argument = workflows.SignalOperate, workflows.Operate{}
	}
	options := r.options(rung.subject)
	options.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
	_, err := r.temporal.SignalWithStartWorkflow(ctx, rung.subject, name, argument, options, workflows.WorkflowType, workflows.Input{})
	return err
}

// options are those of a subject's new run.
func (r *Ringer) options(subject string) client.StartWorkflowOptions {
	source := inbox.SourceOf(subject)
	return client.StartWorkflowOptions{
		ID:                    subject,
		TaskQueue:             r.taskQueue,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		TypedSearchAttributes: temporal.NewSearchAttributes(sourceAttribute.ValueSet(source)),
		// A server with fairness gives each source its share of the workers, also when
		// one source has filled the task queue. Others pay no attention to it.
		Priority: temporal.Priority{FairnessKey: source[:min(len(source), maxFairnessKey)]},
	}
}

package main

import (
	"context"

	"go.temporal.io/sdk/client"

	"github.com/holdfast-project/holdfast/ingress/doorbell"
)

// eager returns what starts runs whose first task this process's own worker takes
// along with the answer; nil where every ring is to signal:
//   - without a worker there is nobody to take it;
//   - the server gives a versioned worker work only while its build is the current one,
//     and does not look at that here;
//   - a run that lingers is mostly there, so that the start would be for nothing.
func (p *process) eager() doorbell.EagerStarter {
	if !p.roles.worker || p.versioning.on() || p.work.Linger > 0 {
		return nil
	}
	return &eagerStarter{p}
}

// eagerStarter starts runs eagerly while the worker takes on work: a task that comes
// to one which has stopped is given out again only when its time is up.
type eagerStarter struct{ process *process }

func (s *eagerStarter) ExecuteWorkflow(
	ctx context.Context, options client.StartWorkflowOptions, workflow any, args ...any,
) (client.WorkflowRun, error) {
	options.EnableEagerStart = options.EnableEagerStart && s.process.worker.running.Load()
	return s.process.client.ExecuteWorkflow(ctx, options, workflow, args...)
}

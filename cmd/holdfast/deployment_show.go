package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// buildJSON is a build of a deployment, as `holdfast deployment show -o json` prints it.
type buildJSON struct {
	BuildID   string    `json:"build_id"`
	State     string    `json:"state"` // current, ramping, draining, drained or inactive
	CreatedAt time.Time `json:"created_at"`
	Workers   int       `json:"workers"` // that asked for work lately
}

func deploymentShowCommand(o *deploymentOptions) *cobra.Command {
	output := operatorOptions{}
	c := &cobra.Command{
		Use:   "show",
		Short: "List the builds: which is current, what the others still have, how many workers",
		Long: `Lists the builds of a deployment that Temporal knows. STATE is current for the one
that is given work; workers of any other build can be stopped. WORKERS are those that
asked for work in the last minutes.`,
		Example: `  holdfast deployment show
  holdfast deployment show -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			inJSON, err := output.json()
			if err != nil {
				return err
			}
			temporal, err := o.connect()
			if err != nil {
				return err
			}
			defer temporal.Close()
			ctx, cancel := context.WithTimeout(cmd.Context(), 10*time.Second)
			defer cancel()
			builds, unversioned, err := o.builds(ctx, temporal)
			if err != nil {
				return err
			}
			if inJSON {
				return writeJSON(cmd.OutOrStdout(), map[string]any{
					"deployment": o.Deployment, "builds": builds, "unversioned_workers": unversioned,
				})
			}
			return o.writeBuilds(cmd.OutOrStdout(), builds, unversioned, time.Now())
		},
	}
	c.Flags().StringVarP(&output.output, "output", "o", "table", "`form` of the output: table or json")
	return c
}

// builds lists the deployment's builds, the newest first, and counts the workers
// that wait for work on the task queue without a version.
func (o *deploymentOptions) builds(ctx context.Context, temporal client.Client) (list []buildJSON, unversioned int, err error) {
	known, err := temporal.WorkerDeploymentClient().GetHandle(o.Deployment).Describe(ctx, client.WorkerDeploymentDescribeOptions{})
	if err != nil {
		return nil, 0, o.explain(err)
	}
	workers, err := o.workers(ctx, temporal)
	if err != nil {
		return nil, 0, o.explain(err)
	}
	for _, v := range known.Info.VersionSummaries {
		list = append(list, buildJSON{
			BuildID: v.Version.BuildID, State: stateOf(v, known.Info.RoutingConfig), CreatedAt: v.CreateTime,
			Workers: len(workers[v.Version.BuildID]),
		})
	}
	slices.SortFunc(list, func(a, b buildJSON) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return list, len(workers[""]), nil
}

// workers returns the identities that poll the task queue, by build.
func (o *deploymentOptions) workers(ctx context.Context, temporal client.Client) (map[string]map[string]bool, error) {
	answer, err := temporal.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace: o.namespace, TaskQueue: &taskqueuepb.TaskQueue{Name: o.taskQueue}, TaskQueueType: enumspb.TASK_QUEUE_TYPE_WORKFLOW,
	})
	if err != nil {
		return nil, err
	}
	workers := map[string]map[string]bool{}
	for _, p := range answer.GetPollers() {
		build := ""
		if d := p.GetDeploymentOptions(); d.GetWorkerVersioningMode() == enumspb.WORKER_VERSIONING_MODE_VERSIONED {
			if d.GetDeploymentName() != o.Deployment {
				continue
			}
			build = d.GetBuildId()
		}
		if workers[build] == nil {
			workers[build] = map[string]bool{}
		}
		workers[build][p.GetIdentity()] = true
	}
	return workers, nil
}

func stateOf(v client.WorkerDeploymentVersionSummary, routing client.WorkerDeploymentRoutingConfig) string {
	switch {
	case routing.CurrentVersion != nil && *routing.CurrentVersion == v.Version:
		return "current"
	case routing.RampingVersion != nil && *routing.RampingVersion == v.Version:
		return "ramping"
	}
	switch v.DrainageStatus {
	case client.WorkerDeploymentVersionDrainageStatusDraining:
		return "draining"
	case client.WorkerDeploymentVersionDrainageStatusDrained:
		return "drained"
	default:
		return "inactive" // never was current
	}
}

func (o *deploymentOptions) writeBuilds(w io.Writer, builds []buildJSON, unversioned int, now time.Time) error {
	lines := columns(w)
	fmt.Fprintln(lines, "BUILD ID\tSTATE\tWORKERS\tFIRST SEEN")
	current := false
	for _, b := range builds {
		current = current || b.State == "current"
		fmt.Fprintf(lines, "%s\t%s\t%d\t%s\n", clean(b.BuildID), b.State, b.Workers, relative(b.CreatedAt, now))
	}
	if err := lines.Flush(); err != nil {
		return err
	}
	if unversioned > 0 {
		fmt.Fprintf(w, "%s without a version on task queue %s.\n", counted(unversioned, "worker"), clean(o.taskQueue))
	}
	if !current {
		fmt.Fprintf(w, "No build is the current one: versioned workers are given no work. holdfast deployment set-current --deployment %s --build-id … chooses one.\n", quoted(o.Deployment))
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-project/holdfast/workflows"
)

// deploymentOptions are what both commands about Worker Versioning know.
type deploymentOptions struct {
	*globals
	Versioning
	taskQueue string
	namespace string
}

func deploymentCommand(g *globals) *cobra.Command {
	o := &deploymentOptions{globals: g}
	c := &cobra.Command{
		Use:   "deployment",
		Short: "See and choose the build that is given work (Worker Versioning)",
		Long: `With HOLDFAST_DEPLOYMENT set, workers are versioned: Temporal gives work only to
the build that is the deployment's current one. Running subjects move to a new
current build with their next step.

Both commands find Temporal by the same TEMPORAL_ settings as the workers.`,
	}
	c.PersistentFlags().StringVar(&o.Deployment, "deployment", "", "`name` of the deployment (default from HOLDFAST_DEPLOYMENT)")
	c.AddCommand(deploymentSetCurrentCommand(o), deploymentShowCommand(o))
	return c
}

// connect completes the options from the environment and connects to Temporal.
// Close the client.
func (o *deploymentOptions) connect() (client.Client, error) {
	var problems []error
	for name, field := range map[string]*string{"HOLDFAST_DEPLOYMENT": &o.Deployment, "HOLDFAST_BUILD_ID": &o.BuildID, "HOLDFAST_TASK_QUEUE": &o.taskQueue} {
		value, err := o.env.setting(name, "")
		if *field == "" {
			*field = value
		}
		problems = append(problems, err)
	}
	if o.taskQueue == "" {
		o.taskQueue = workflows.DefaultTaskQueue
	}
	if o.Deployment == "" {
		problems = append(problems, errors.New("which deployment? Set HOLDFAST_DEPLOYMENT, as for the workers, or say --deployment"))
	}
	options, err := temporalOptions()
	if err := allProblems(append(problems, err)...); err != nil {
		return nil, err
	}
	o.namespace = namespaceOf(options)
	return dialTemporal(options, slog.New(slog.DiscardHandler))
}

func deploymentSetCurrentCommand(o *deploymentOptions) *cobra.Command {
	var wait time.Duration
	c := &cobra.Command{
		Use:   "set-current",
		Short: "Give new and running subjects to the workers of a build",
		Long: `Makes a build the deployment's current one: the subjects that start and those that
are running go to its workers, and the workers of the build before are given no new
work. A worker of the build must be running. To take it back, name the old build.`,
		Example: `  holdfast deployment set-current
  holdfast deployment set-current --build-id v1.4.0 --wait 2m`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			temporal, err := o.connect()
			if err != nil {
				return err
			}
			defer temporal.Close()
			id := o.buildID()
			if id == "" {
				return errors.New("which build? Say --build-id, or set HOLDFAST_BUILD_ID: this binary has no version of its own")
			}
			before, err := o.setCurrent(cmd.Context(), temporal, id, wait)
			switch {
			case err != nil:
				return err
			case before == id:
				fmt.Fprintf(cmd.OutOrStdout(), "Build %s already is the current one of deployment %s.\n", clean(id), o.Deployment)
			default:
				fmt.Fprintf(cmd.OutOrStdout(), "Build %s is the current one of deployment %s; before it: %s.\n", clean(id), o.Deployment, clean(orNone(before)))
			}
			return nil
		},
	}
	c.Flags().StringVar(&o.BuildID, "build-id", "", "the `build` (default from HOLDFAST_BUILD_ID, else this binary's version)")
	c.Flags().DurationVar(&wait, "wait", 0, "`time` to wait for Temporal and for the build's first worker")
	return c
}

func orNone(build string) string {
	if build == "" {
		return "none"
	}
	return build
}

// setCurrent makes a build the current one and returns the one before. It tries
// again until wait is over, as long as that can help.
func (o *deploymentOptions) setCurrent(ctx context.Context, temporal client.Client, id string, wait time.Duration) (before string, err error) {
	for deadline := time.Now().Add(wait); ; {
		before, err = o.setCurrentOnce(ctx, temporal, id)
		if err == nil || ctx.Err() != nil || !time.Now().Before(deadline) {
			return before, err
		}
		if !sleep(ctx, time.Second) {
			return "", ctx.Err()
		}
	}
}

func (o *deploymentOptions) setCurrentOnce(ctx context.Context, temporal client.Client, id string) (before string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	handle := temporal.WorkerDeploymentClient().GetHandle(o.Deployment)
	known, err := handle.Describe(ctx, client.WorkerDeploymentDescribeOptions{})
	if err != nil {
		return "", o.explain(err)
	}
	if now := known.Info.RoutingConfig.CurrentVersion; now != nil {
		before = now.BuildID
	}
	if before == id {
		return before, nil
	}
	found := false
	for _, v := range known.Info.VersionSummaries {
		found = found || v.Version.BuildID == id
	}
	if !found {
		return "", o.noSuchBuild(id, known.Info)
	}
	if _, err = handle.SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{
		BuildID: id, ConflictToken: known.ConflictToken,
	}); err != nil {
		return "", o.explain(err)
	}
	return before, nil
}

// noSuchBuild says which builds there are instead.
func (o *deploymentOptions) noSuchBuild(id string, info client.WorkerDeploymentInfo) error {
	text := fmt.Sprintf("no worker of build %s has been seen in deployment %s", clean(id), o.Deployment)
	for i, v := range info.VersionSummaries {
		separator := ", "
		if i == 0 {
			separator = "; there are: "
		}
		text += separator + clean(v.Version.BuildID)
	}
	return errors.New(text + ". Start one, or say --wait 2m")
}

// explain says in our words what Temporal refuses.
func (o *deploymentOptions) explain(err error) error {
	var missing *serviceerror.NotFound
	var unavailable *serviceerror.Unavailable
	switch {
	case errors.As(err, &missing):
		return fmt.Errorf("no versioned worker of deployment %s has been seen in namespace %s: start one with HOLDFAST_DEPLOYMENT=%s, or say --wait 2m",
			o.Deployment, o.namespace, o.Deployment)
	case errors.As(err, &unavailable), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("Temporal cannot be reached: %w; see TEMPORAL_ADDRESS, or say --wait 2m", err) //nolint:staticcheck // a name
	default:
		return fmt.Errorf("deployment %s: %w", o.Deployment, err)
	}
}

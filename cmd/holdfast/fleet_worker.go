package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/workflows"
)

// workerRetry is how long a worker that could not start, or lost its namespace,
// waits before it starts again.
const workerRetry = 2 * time.Second

// fleetWorker is a Temporal worker that starts when Temporal is there, and starts
// again when Temporal came back without what it knew.
type fleetWorker struct {
	client     client.Client
	namespace  string
	taskQueue  string
	activities *activities.Activities
	config     activities.Config
	log        *slog.Logger
	running    atomic.Bool
}

// run works until ctx ends, then lets the events in hand be settled. Its error is
// a namespace that is not prepared, at the first contact with Temporal only: later
// the ingress beside it must go on accepting.
func (w *fleetWorker) run(ctx context.Context) error {
	for first := true; ; {
		err := w.once(ctx, &first)
		var missing *missingAttributesError
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &missing) && first:
			return err
		case err != nil:
			w.log.Warn("the worker waits for Temporal", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(workerRetry):
		}
	}
}

// once runs one worker until ctx ends or Temporal refuses it.
func (w *fleetWorker) once(ctx context.Context, first *bool) error {
	if err := checkAttributes(ctx, w.client, w.namespace); err != nil {
		return err
	}
	*first = false
	fatal := make(chan error, 1)
	sdk := worker.New(w.client, w.taskQueue, worker.Options{
		// Events in hand are finished before the process ends, so that a deploy
		// repeats nothing.
		WorkerStopTimeout: w.config.StopTimeout(),
		OnFatalError: func(err error) {
			select {
			case fatal <- err:
			default:
			}
		},
	})
	sdk.RegisterWorkflowWithOptions(workflows.Subject, workflow.RegisterOptions{Name: workflows.WorkflowType})
	w.activities.Register(sdk)
	if err := sdk.Start(); err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	w.running.Store(true)
	defer w.running.Store(false)
	select {
	case <-ctx.Done():
		w.activities.Stop()
		sdk.Stop()
		return nil
	case err := <-fatal:
		sdk.Stop()
		return fmt.Errorf("the worker was refused: %w", err)
	}
}

// ready tells why the worker takes no work, or nil.
func (w *fleetWorker) ready(context.Context) error {
	if !w.running.Load() {
		return errors.New("the worker is not connected to Temporal")
	}
	return nil
}

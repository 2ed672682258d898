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

const (
	// workerRetry is how long a worker that could not start, or lost its namespace,
	// waits before it starts again.
	workerRetry = 2 * time.Second

	// A Temporal that starts beside us takes a few seconds. Until workerPatience is
	// over it is looked for every workerLook, and its absence is no reason to warn.
	workerPatience = 15 * time.Second
	workerLook     = 200 * time.Millisecond
)

// fleetWorker is a Temporal worker that starts when Temporal is there, and starts
// again when Temporal came back without what it knew.
type fleetWorker struct {
	client     client.Client
	namespace  string
	taskQueue  string
	activities *activities.Activities
	config     activities.Config
	tuning     activities.Tuning
	versioning Versioning
	log        *slog.Logger
	running    atomic.Bool // and takes on work
	current    atomic.Bool // this build is the one that is given work
}

// run works until ctx ends, then lets the events in hand be settled. Its error is
// a namespace that is not prepared, at the first contact with Temporal only: later
// the ingress beside it must go on accepting.
func (w *fleetWorker) run(ctx context.Context) error {
	var failing time.Time // since when Temporal is not there, zero if it is
	for first := true; ; {
		reached, err := w.once(ctx)
		if reached {
			first, failing = false, time.Time{}
		}
		wait := workerLook
		var missing *missingAttributesError
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &missing) && first:
			return err
		case reached:
			wait = workerRetry
			w.log.Warn("the worker starts again", slog.Any("error", err))
		case failing.IsZero():
			failing = time.Now()
			w.log.Info("waiting for Temporal", slog.Any("error", err))
		case time.Since(failing) > workerPatience:
			wait = workerRetry
			w.log.Warn("the worker waits for Temporal; webhooks are accepted meanwhile",
				slog.Duration("for", time.Since(failing).Round(time.Second)), slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// once runs one worker until ctx ends or Temporal refuses it, and tells whether
// Temporal was there and prepared.
func (w *fleetWorker) once(ctx context.Context) (reached bool, err error) {
	if err := checkAttributes(ctx, w.client, w.namespace); err != nil {
		return false, err
	}
	fatal := make(chan error, 1)
	options := w.tuning.Options()
	options.DeploymentOptions = w.versioning.options()
	// Events in hand are finished before the process ends, so that a deploy repeats
	// nothing.
	options.WorkerStopTimeout = w.config.StopTimeout()
	options.OnFatalError = func(err error) {
		select {
		case fatal <- err:
		default:
		}
	}
	sdk := worker.New(w.client, w.taskQueue, options)
	sdk.RegisterWorkflowWithOptions(workflows.Subject, workflow.RegisterOptions{Name: workflows.WorkflowType})
	w.activities.Register(sdk)
	if err := sdk.Start(); err != nil {
		return true, fmt.Errorf("start the worker: %w", err)
	}
	w.running.Store(true)
	defer w.running.Store(false)
	watching, unwatch := context.WithCancel(ctx)
	defer unwatch()
	go w.watchVersion(watching)
	select {
	case <-ctx.Done():
		w.running.Store(false) // before its end, so that no first task comes to it by way of a start
		w.log.Info("finishing events in hand", slog.Duration("up_to", w.config.StopTimeout()))
		w.activities.Stop()
		sdk.Stop()
		return true, nil
	case err := <-fatal:
		sdk.Stop()
		return true, fmt.Errorf("the worker was refused: %w", err)
	}
}

// ready tells why the worker takes no work, or nil.
func (w *fleetWorker) ready(context.Context) error {
	if !w.running.Load() {
		return errors.New("the worker is not connected to Temporal")
	}
	return nil
}

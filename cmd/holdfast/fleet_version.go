package main

import (
	"context"
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
)

const (
	// versionLook is how often a versioned worker looks whether it is given work.
	versionLook = 5 * time.Second
	// versionPatience is for the server to note a new worker's version, and for an
	// operator or a script that makes it the current one right after the start.
	versionPatience = 10 * time.Second
)

// watchVersion logs whether this build is the one that is given work, at the start
// and whenever that changes, until ctx ends. A worker whose build is not current
// waits in silence otherwise, and that looks like a fleet that hangs.
func (w *fleetWorker) watchVersion(ctx context.Context) {
	if !w.versioning.on() {
		return
	}
	const unknown, current, idle = 0, 1, 2
	said, since := unknown, time.Now()
	for wait := time.Second; sleep(ctx, wait); wait = versionLook {
		now, err := w.currentBuild(ctx)
		about := []any{
			slog.String("deployment", w.versioning.Deployment), slog.String("build_id", w.versioning.buildID()),
			slog.String("current", now),
		}
		if err != nil {
			continue // Temporal is away, which is said elsewhere, or does not know the build yet
		}
		isCurrent := now == w.versioning.buildID()
		w.current.Store(isCurrent)
		switch {
		case isCurrent:
			if said != current {
				w.log.Info("this build is the current one: it is given work", about...)
			}
			said = current
		case said == current:
			w.log.Warn("another build is the current one: this worker is given no new work and can be stopped", about...)
			said = idle
		case said == unknown && time.Since(since) > versionPatience:
			w.log.Warn("this build is not the current one: it is given no work until it is; run the command",
				append(about, slog.String("command", w.versioning.setCurrent()))...)
			said = idle
		}
	}
}

// mayWork tells whether this build is the one that is given work, as far as is known.
func (w *fleetWorker) mayWork() bool { return !w.versioning.on() || w.current.Load() }

// setCurrent is the command that gives this build work.
func (v Versioning) setCurrent() string {
	return "holdfast deployment set-current --deployment " + quoted(v.Deployment) + " --build-id " + quoted(v.buildID())
}

// currentBuild returns the deployment's current build; empty if there is none.
func (w *fleetWorker) currentBuild(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, versionLook)
	defer cancel()
	answer, err := w.client.WorkerDeploymentClient().GetHandle(w.versioning.Deployment).Describe(ctx, client.WorkerDeploymentDescribeOptions{})
	if err != nil {
		return "", err
	}
	if now := answer.Info.RoutingConfig.CurrentVersion; now != nil {
		return now.BuildID, nil
	}
	return "", nil
}

// sleep waits and tells whether ctx lasted.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

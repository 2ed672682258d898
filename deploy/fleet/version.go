package fleet

import (
	"context"
	"maps"
	"time"
)

// firstBuild is the build ID of the workers that a fleet begins with.
const firstBuild = "build-1"

// stopPatience is longer than a worker may take to finish the events in hand.
const stopPatience = time.Minute

// setCurrent makes a build the one that gets work, as an operator does.
func (f *Fleet) setCurrent(ctx context.Context, build string) error {
	settings := maps.Clone(f.common)
	settings["TEMPORAL_ADDRESS"] = f.TemporalAddress
	settings["HOLDFAST_DEPLOYMENT"] = f.deployment
	settings["HOLDFAST_BUILD_ID"] = build
	// Temporal knows a build only when its first worker has asked for work.
	return insist(ctx, "make "+build+" the current build", func(ctx context.Context) error {
		return tool(ctx, settings, f.options.Programs.Holdfast, "deployment", "set-current")
	})
}

// Deploy replaces every worker by one of a new build, as a rolling deployment does:
// the new ones start, get the work, and then the old ones stop in good order. The
// new workers have new names.
func (f *Fleet) Deploy(ctx context.Context, build string) error {
	old := f.Workers()
	var fresh []*Holdfast
	for range old {
		w, err := f.worker(ctx, f.nextWorker(), build)
		if err != nil {
			return err
		}
		fresh = append(fresh, w)
		if err := w.launch(); err != nil {
			return err
		}
	}
	f.addWorkers(fresh)
	for _, w := range fresh {
		if err := w.Ready(ctx); err != nil {
			return err
		}
	}
	if err := f.setCurrent(ctx, build); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stopPatience)
	defer cancel()
	for _, w := range old {
		if err := w.Stop(ctx); err != nil {
			return err
		}
	}
	f.dropWorkers(old)
	return nil
}

package activities_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/relief"
	"github.com/holdfast-project/holdfast/workflows"
)

// reliefModes are the ways in which every promise is to be kept. Each is a fleet of
// its own kind: with off only workflows drain; with always the lane does, and workflows
// have what it leaves them; with auto both are after the same subjects, because the
// workers' lane is open and an ingress, another process, notices every other time.
var reliefModes = []relief.Mode{relief.Off, relief.Auto, relief.Always}

// apart are those modes in which one kind of drain does not hide the other: for what
// takes long.
var apart = []relief.Mode{relief.Off, relief.Always}

// newFleetIn is newFleet with a relief lane in every worker, if the mode has one.
func newFleetIn(t *testing.T, mode relief.Mode, routes ...string) *fleet {
	t.Helper()
	f := newFleet(t, routes...)
	f.relief, f.window = mode, relief.NewWindow(mode)
	if mode == relief.Auto {
		f.keepOpen()
	}
	return f
}

// keepOpen has subjects wait for their workflows, as far as the lane can tell.
func (f *fleet) keepOpen() {
	tick := time.NewTicker(100 * time.Millisecond)
	ended := make(chan struct{})
	f.window.Waited(f.source, time.Time{}, time.Now())
	go func() {
		defer close(ended)
		for {
			select {
			case now := <-tick.C:
				f.window.Waited(f.source, time.Time{}, now)
			case <-f.t.Context().Done():
				return
			}
		}
	}()
	f.t.Cleanup(func() { <-ended; tick.Stop() })
}

// startLane runs a worker's lane, if the mode has one, and returns what stops it.
func (f *fleet) startLane(a *activities.Activities) (stop func()) {
	if f.window.Off() {
		return func() {}
	}
	lane := activities.NewLane(a, activities.LaneOptions{Window: f.window, Bell: f})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); lane.Run(ctx) }()
	f.lanes.add(lane)
	return func() { cancel(); <-ended }
}

// leave leaves a subject to the lane, as an ingress does. One that is held gets its
// workflow after a second, one that the lane does not take when it has had its time,
// which is long: these tests want to see what the lane does.
func (f *fleet) leave(subject string) {
	f.lanes.tell()
	f.later(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for range 30 {
			select {
			case <-tick.C:
			case <-f.t.Context().Done():
				return
			}
			now, asked := time.Now(), []string{subject}
			still, err := f.store.StillRung(f.t.Context(), asked, now, now)
			held, alsoErr := f.store.Held(f.t.Context(), asked)
			switch {
			case len(held) > 0:
				f.startNow(subject)
				return
			case errors.Join(err, alsoErr) == nil && len(still) == 0:
				return
			}
		}
		f.startNow(subject)
	})
}

// Start starts a subject's workflow, for a lane.
func (f *fleet) Start(subject string) { f.later(func() { f.startNow(subject) }) }

func (f *fleet) startNow(subject string) {
	_, err := f.client.SignalWithStartWorkflow(f.t.Context(), subject, workflows.SignalDoorbell, nil,
		client.StartWorkflowOptions{ID: subject, TaskQueue: f.queue}, workflows.WorkflowType, workflows.Input{})
	if err != nil && f.t.Context().Err() == nil {
		f.t.Error(err)
	}
}

// later does something that the test's end waits for.
func (f *fleet) later(do func()) { f.background.Go(do) }

// runs returns which run settled each of a subject's events.
func (f *fleet) runs(subject string) []string {
	f.t.Helper()
	var all []string
	for _, e := range f.events(subject) {
		all = append(all, e.Run)
	}
	return all
}

// requireRelieved checks that the lane had its part in what became of these subjects,
// if there is one. In mode auto one subject alone may be the workflow's.
func (f *fleet) requireRelieved(subjects ...string) {
	f.t.Helper()
	relieved := 0
	for _, subject := range subjects {
		for _, run := range f.runs(subject) {
			if inbox.IsRelief(run) {
				relieved++
			}
		}
	}
	switch {
	case f.relief == relief.Off:
		require.Zero(f.t, relieved)
	case f.relief == relief.Always, len(subjects) > 1:
		require.Positive(f.t, relieved, "events that went through the relief lane")
	}
}

// awaitQuiet waits until a subject is idle and no run of it is under way.
func (f *fleet) awaitQuiet(subject string) {
	f.t.Helper()
	f.awaitState(subject, inbox.StateIdle)
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	err := f.client.GetWorkflow(ctx, subject, "").Get(ctx, nil)
	var none *serviceerror.NotFound
	if !errors.As(err, &none) { // the lane may have left it none
		require.NoError(f.t, err)
	}
}

// lanes are those of a fleet's workers.
type lanes struct{ all []*activities.Lane }

func (l *lanes) add(lane *activities.Lane) { l.all = append(slices.Clip(l.all), lane) }

func (l *lanes) tell() {
	for _, lane := range l.all {
		lane.Tell()
	}
}

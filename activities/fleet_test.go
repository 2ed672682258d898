package activities_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/relief"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
	"github.com/holdfast-project/holdfast/workflows"
	"github.com/holdfast-project/holdfast/workflows/temporaltest"
)

// patience bounds every wait of these tests; none of them comes near it.
const patience = 2 * time.Minute

var fleets atomic.Int64

// fleet is a real inbox and workers on the package's real Temporal server, with a
// task queue and a source of its own.
type fleet struct {
	t        *testing.T
	store    *sqlite.Store
	client   client.Client
	queue    string
	source   string
	config   activities.Config
	tuning   activities.Tuning
	handlers []activities.Handler

	relief     relief.Mode
	window     *relief.Window
	lanes      lanes
	rings      atomic.Int64
	background sync.WaitGroup
}

// newFleet returns a fleet without workers whose events go to the targets of
// routes, written without the source: "*=http://…". The policy is a fast one.
func newFleet(t *testing.T, routes ...string) *fleet {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "inbox.db"), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	f := &fleet{
		t: t, store: store, client: temporaltest.Client(t), source: fmt.Sprintf("s%d", fleets.Add(1)),
		config: activities.Config{
			DestinationConcurrency: 32, FirstAttemptTimeout: 5 * time.Second, DeliveryTimeout: 5 * time.Second,
			RetryInitial: 50 * time.Millisecond, RetryMaxInterval: time.Second, RetryBudget: time.Hour,
			PauseInitial: time.Hour, PauseMax: 24 * time.Hour,
		},
		tuning: activities.Tuning{ConcurrentDrains: 1000, ConcurrentRecoveries: 1000, MaxPollers: 20, CachedRuns: 5000},
	}
	f.queue = f.source + "-" + uuid.NewString()
	t.Cleanup(f.background.Wait)
	for _, r := range routes {
		f.config.Routes = append(f.config.Routes, f.source+"/"+r)
	}
	return f
}

// activities returns a worker's activities that no worker runs yet.
func (f *fleet) activities(store activities.Store) (*activities.Activities, *activities.Routes) {
	f.t.Helper()
	log := slog.New(slog.NewTextHandler(testWriter{f.t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	d := activities.NewDestinations(f.config, log)
	f.t.Cleanup(d.Close)
	routes, err := activities.NewRoutes(f.config.Routes, d, f.handlers)
	require.NoError(f.t, err)
	return activities.New(store, routes, f.config, prometheus.NewRegistry(), log), routes
}

// start starts a worker and returns what stops it as a process would.
func (f *fleet) start() (stop func()) { return f.startOn(f.store) }

func (f *fleet) startOn(store activities.Store) (stop func()) {
	f.t.Helper()
	a, _ := f.activities(store)
	options := f.tuning.Options()
	options.WorkerStopTimeout = f.config.StopTimeout()
	w := worker.New(f.client, f.queue, options)
	w.RegisterWorkflowWithOptions(workflows.Subject, workflow.RegisterOptions{Name: workflows.WorkflowType})
	a.Register(w)
	require.NoError(f.t, w.Start())
	stopLane := f.startLane(a)
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			a.Stop()
			w.Stop()
			stopLane()
		}
	}
	f.t.Cleanup(stop)
	return stop
}

// subject returns a subject ID of this fleet's source.
func (f *fleet) subject(name string) string { return f.source + "/" + name }

// accept appends n events of a subject, each in a request of its own, and rings
// as an ingress does.
func (f *fleet) accept(subject string, n int) []inbox.Receipt {
	f.t.Helper()
	return f.acceptAs(subject, n, func(*inbox.NewEvent) {})
}

func (f *fleet) acceptAs(subject string, n int, change func(*inbox.NewEvent)) []inbox.Receipt {
	f.t.Helper()
	var all []inbox.Receipt
	for range n {
		receipts := f.appendAs(subject, change)
		if receipts[0].Ring {
			f.ring(subject)
		}
		all = append(all, receipts...)
	}
	return all
}

// append appends an event of a type and rings nobody.
func (f *fleet) append(subject, kind string) {
	f.t.Helper()
	f.appendAs(subject, func(e *inbox.NewEvent) { e.Type = kind })
}

func (f *fleet) appendAs(subject string, change func(*inbox.NewEvent)) []inbox.Receipt {
	f.t.Helper()
	e := inbox.NewEvent{
		EventID: uuid.NewString(), Source: f.source, Provider: "redo", Subject: subject, SubjectName: subject,
		Type: "return.updated", Key: uuid.NewString(), ReceivedAt: time.Now(),
	}
	change(&e)
	receipts, err := f.store.Append(f.t.Context(), inbox.Delivery{
		ContentType: "application/json", Body: []byte(`{"subject":"` + subject + `"}`), Events: []inbox.NewEvent{e},
	})
	require.NoError(f.t, err)
	return receipts
}

// ring rings a subject's doorbell, or leaves it to the relief lane.
func (f *fleet) ring(subject string) {
	if f.relief == relief.Always || f.relief == relief.Auto && f.rings.Add(1)%2 == 0 {
		f.leave(subject)
		return
	}
	f.signal(subject, workflows.SignalDoorbell, nil)
}

// operate carries out a verb as the operator API does: the row first, then the run.
func (f *fleet) operate(v inbox.Verb) error {
	f.t.Helper()
	v.Now, v.By = time.Now(), "ann"
	if _, err := f.store.Operate(f.t.Context(), v); err != nil {
		return err
	}
	f.signal(v.Subject, workflows.SignalOperate, workflows.Operate{})
	return nil
}

func (f *fleet) signal(subject, name string, argument any) {
	f.t.Helper()
	_, err := f.client.SignalWithStartWorkflow(f.t.Context(), subject, name, argument,
		client.StartWorkflowOptions{ID: subject, TaskQueue: f.queue}, workflows.WorkflowType, workflows.Input{})
	require.NoError(f.t, err)
}

func (f *fleet) view(subject string) inbox.SubjectView {
	f.t.Helper()
	view, err := f.store.Subject(f.t.Context(), subject)
	require.NoError(f.t, err)
	return view
}

// awaitState waits until a subject is in a state.
func (f *fleet) awaitState(subject string, state inbox.State) {
	f.t.Helper()
	require.Eventually(f.t, func() bool { return f.view(subject).State() == state }, patience, 10*time.Millisecond,
		"%s never became %s", subject, state)
}

// events returns a subject's events in sequence order.
func (f *fleet) events(subject string) []inbox.Event {
	f.t.Helper()
	events, err := f.store.Events(f.t.Context(), inbox.EventFilter{Subject: subject, Limit: 1000})
	require.NoError(f.t, err)
	return events
}

// statuses returns the statuses of a subject's events in sequence order.
func (f *fleet) statuses(subject string) string {
	var all []string
	for _, e := range f.events(subject) {
		all = append(all, string(e.Status))
	}
	return strings.Join(all, " ")
}

// awaitRest waits until a subject's run has completed.
func (f *fleet) awaitRest(subject string) {
	f.t.Helper()
	if !f.window.Off() {
		f.awaitQuiet(subject)
		return
	}
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	require.NoError(f.t, f.client.GetWorkflow(ctx, subject, "").Get(ctx, nil))
}

// testWriter shows the log of a test that failed.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	if w.t.Context().Err() == nil {
		w.t.Logf("%s", p)
	}
	return len(p), nil
}

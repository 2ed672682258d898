package doorbell_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-project/holdfast/ingress/doorbell"
	"github.com/holdfast-project/holdfast/workflows"
	"github.com/holdfast-project/holdfast/workflows/temporaltest"
)

// patience bounds every wait on the real server.
const patience = time.Minute

// house is a real Temporal with the real workflow and the real ringer. Of the inbox
// it has the counts, and the rule: who finds 0 rings.
type house struct {
	client client.Client
	ringer *doorbell.Ringer
	queue  string
	looked func(subject string) // at the end of each drain, whose last look found nothing

	mu      sync.Mutex
	change  *sync.Cond
	pending map[string]int
	handled map[string]int
	drains  map[string]int
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{
		client: temporaltest.Client(t), queue: "doorbell-" + uuid.NewString(),
		pending: map[string]int{}, handled: map[string]int{}, drains: map[string]int{}, looked: func(string) {},
	}
	h.change = sync.NewCond(&h.mu)
	h.ringer = doorbell.NewRinger(doorbell.Options{
		Temporal: h.client, Eager: h.client, TaskQueue: h.queue,
		Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		require.NoError(t, h.ringer.Close(ctx))
	})
	return h
}

// work starts a worker and returns what stops it.
func (h *house) work(t *testing.T) (stop func()) {
	t.Helper()
	w := worker.New(h.client, h.queue, worker.Options{})
	w.RegisterWorkflowWithOptions(workflows.Subject, workflow.RegisterOptions{Name: workflows.WorkflowType})
	w.RegisterActivityWithOptions(h.drain, activity.RegisterOptions{Name: workflows.ActivityDrain})
	require.NoError(t, w.Start())
	stop = sync.OnceFunc(w.Stop)
	t.Cleanup(stop)
	return stop
}

func (h *house) drain(_ context.Context, in workflows.DrainInput) (workflows.DrainOutput, error) {
	out := workflows.DrainOutput{Outcome: workflows.OutcomeEmpty, Epoch: 1}
	h.mu.Lock()
	h.drains[in.Subject]++
	for h.pending[in.Subject] > 0 {
		h.pending[in.Subject]--
		h.handled[in.Subject]++
		out.Settled++
	}
	h.change.Broadcast()
	h.mu.Unlock()
	h.looked(in.Subject)
	return out, nil
}

// append accepts an event and rings as an ingress does.
func (h *house) append(subject string) {
	h.mu.Lock()
	h.pending[subject]++
	first := h.pending[subject] == 1
	h.mu.Unlock()
	if first {
		h.ringer.Ring(subject)
	}
}

// await waits until a condition holds of the counts; false if patience is over.
func (h *house) await(condition func() bool) bool {
	over := false
	timer := time.AfterFunc(patience, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		over = true
		h.change.Broadcast()
	})
	defer timer.Stop()
	h.mu.Lock()
	defer h.mu.Unlock()
	for !condition() && !over {
		h.change.Wait()
	}
	return condition()
}

// history returns the events of a subject's last run, which it waits for.
func (h *house) history(t *testing.T, subject string) []*historypb.HistoryEvent {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, h.client.GetWorkflow(ctx, subject, "").Get(ctx, nil))
	var all []*historypb.HistoryEvent
	for i := h.client.GetWorkflowHistory(ctx, subject, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); i.HasNext(); {
		e, err := i.Next()
		require.NoError(t, err)
		all = append(all, e)
	}
	return all
}

func kinds(history []*historypb.HistoryEvent) (all []enumspb.EventType) {
	for _, e := range history {
		all = append(all, e.GetEventType())
	}
	return all
}

// TestAColdSubjectCostsOneTaskAndNoSignal pins what one event of a subject at rest
// costs the server.
func TestAColdSubjectCostsOneTaskAndNoSignal(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.work(t)
	subject := "redo/" + uuid.NewString()
	for n := 1; n <= 2; n++ { // the second time there is a run that has completed
		h.append(subject)
		require.True(t, h.await(func() bool { return h.handled[subject] == n }))
		history := h.history(t, subject)
		require.Equal(t, []enumspb.EventType{
			enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
			enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
			enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED,
			enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
			enumspb.EVENT_TYPE_MARKER_RECORDED,
			enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
		}, kinds(history))
		require.True(t, history[0].GetWorkflowExecutionStartedEventAttributes().GetEagerExecutionAccepted(), "the worker got the task with the answer")
	}
}

// TestARingWhileARunIsClosing: the run has had its last look and is about to
// complete. A start alone would leave the event to the sweeper.
func TestARingWhileARunIsClosing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	looked, goOn := make(chan struct{}), make(chan struct{})
	var first sync.Once
	h.looked = func(string) { first.Do(func() { close(looked); <-goOn }) }
	h.work(t)
	subject := "redo/" + uuid.NewString()
	h.append(subject)
	<-looked
	h.append(subject)
	require.Eventually(t, func() bool { return h.ringer.Waiting() == 0 }, patience, time.Millisecond)
	close(goOn)
	require.True(t, h.await(func() bool { return h.handled[subject] == 2 }), "the closing run heard the ring, or another came")
	require.Contains(t, kinds(h.history(t, subject)), enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
}

// TestWithoutAWorkerARunWaitsInTheTaskQueue: who has no worker, or none with a free
// slot, starts without eager execution.
func TestWithoutAWorkerARunWaitsInTheTaskQueue(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	subject := "redo/" + uuid.NewString()
	h.append(subject)
	require.Eventually(t, func() bool { return h.ringer.Waiting() == 0 }, patience, time.Millisecond)
	h.work(t)
	require.True(t, h.await(func() bool { return h.handled[subject] == 1 }))
	require.False(t, h.history(t, subject)[0].GetWorkflowExecutionStartedEventAttributes().GetEagerExecutionAccepted())
}

// TestNoRingIsLost: events come the moment that a subject is empty and up to some
// milliseconds later, so that their rings meet runs in every stage of their end,
// while one worker stops and another takes over. Nobody sweeps.
func TestNoRingIsLost(t *testing.T) {
	t.Parallel()
	const subjects, events = 6, 40
	h := newHouse(t)
	stop := h.work(t)
	var all sync.WaitGroup
	for s := range subjects {
		all.Go(func() {
			subject := fmt.Sprintf("s%d/%s", s, uuid.NewString()) // a source of its own: all rings at once
			for n := range events {
				h.append(subject)
				if !h.await(func() bool { return h.handled[subject] == n+1 }) {
					t.Errorf("event %d of %s is pending, and nobody was rung", n, subject)
					return
				}
				<-time.After(rand.N(20 * time.Millisecond))
			}
		})
	}
	h.await(func() bool {
		total := 0
		for _, n := range h.handled {
			total += n
		}
		return total >= subjects*events/2
	})
	h.work(t)
	stop()
	all.Wait()
}

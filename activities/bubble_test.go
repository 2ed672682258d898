package activities_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/relief"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
	"github.com/holdfast-project/holdfast/workflows"
)

// bubble is workers without a Temporal over a real inbox, in which time passes only
// while everybody waits: a minute of it takes as long as what is done in it.
type bubble struct {
	t      *testing.T
	store  *sqlite.Store
	config activities.Config
	starts starts

	// handle is what the handler of every event does; nil: nothing.
	handle func(ctx context.Context, e activities.Event) error

	mu      sync.Mutex
	handled []activities.Event
	now     map[string]int // events in hand, by subject
	overlap bool           // a subject had two at once
}

func inBubble(t *testing.T, body func(*bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{t: t, now: map[string]int{}, config: activities.Config{
			Routes: []string{"stuck/*=go:stuck", "*=go:work"}, DestinationConcurrency: 32,
			FirstAttemptTimeout: 5 * time.Second, DeliveryTimeout: 5 * time.Second, RetryInitial: time.Second,
			RetryMaxInterval: time.Second, RetryBudget: time.Hour, PauseInitial: time.Minute, PauseMax: time.Hour,
		}}
		var err error
		b.store, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "inbox.db"), sqlite.Options{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, b.store.Close()) })
		body(b)
	})
}

// worker returns the activities of a worker of its own; nil is the bubble's inbox.
func (b *bubble) worker(store activities.Store) *activities.Activities {
	b.t.Helper()
	if store == nil {
		store = b.store
	}
	log := slog.New(slog.DiscardHandler)
	d := activities.NewDestinations(b.config, log)
	b.t.Cleanup(d.Close)
	routes, err := activities.NewRoutes(b.config.Routes, d, []activities.Handler{{Name: "work", Handle: b.work}, {Name: "stuck", Handle: b.work}})
	require.NoError(b.t, err)
	return activities.New(store, routes, b.config, prometheus.NewRegistry(), log)
}

// lane runs the relief lane of a worker and returns what stops it.
func (b *bubble) lane(a *activities.Activities, mode relief.Mode, change ...func(*activities.LaneOptions)) (stop func()) {
	o := activities.LaneOptions{Window: relief.NewWindow(mode), Bell: &b.starts}
	for _, f := range change {
		f(&o)
	}
	lane := activities.NewLane(a, o)
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.t.Context()))
	ended := make(chan struct{})
	go func() { defer close(ended); lane.Run(ctx) }()
	stop = func() { cancel(); <-ended }
	b.t.Cleanup(stop)
	return stop
}

func (b *bubble) work(ctx context.Context, e activities.Event) error {
	b.mu.Lock()
	b.handled = append(b.handled, e)
	b.now[e.Subject]++
	b.overlap = b.overlap || b.now[e.Subject] > 1
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.now[e.Subject]--
	}()
	if b.handle == nil {
		return nil
	}
	return b.handle(ctx, e)
}

// takes is a handler's work of a length, which ends with its context.
func takes(d time.Duration) func(context.Context, activities.Event) error {
	return func(ctx context.Context, _ activities.Event) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// sequences are those of a subject's events, as often as a handler was begun.
func (b *bubble) sequences(subject string) []int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []int64
	for _, e := range b.handled {
		if e.Subject == subject {
			all = append(all, e.Sequence)
		}
	}
	return all
}

// append accepts n events of a subject.
func (b *bubble) append(subject string, n int) {
	b.t.Helper()
	b.appendAll([]string{subject}, n)
}

// appendAll accepts n events of each subject.
func (b *bubble) appendAll(subjects []string, n int) {
	b.t.Helper()
	d := inbox.Delivery{Body: []byte("{}")}
	for _, subject := range subjects {
		source, _, _ := strings.Cut(subject, "/")
		for range n {
			d.Events = append(d.Events, inbox.NewEvent{
				EventID: subject, Source: source, Provider: "redo", Subject: subject, SubjectName: subject, Type: "t", ReceivedAt: time.Now(),
			})
		}
	}
	_, err := b.store.Append(b.t.Context(), d)
	require.NoError(b.t, err)
}

// subjects are the IDs of n subjects of a source.
func subjects(source string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprint(source, "/r", i)
	}
	return all
}

func (b *bubble) view(subject string) inbox.SubjectView {
	b.t.Helper()
	view, err := b.store.Subject(b.t.Context(), subject)
	require.NoError(b.t, err)
	return view
}

// runs returns which run settled each of a subject's events.
func (b *bubble) runs(subject string) []string {
	b.t.Helper()
	events, err := b.store.Events(b.t.Context(), inbox.EventFilter{Subject: subject, Limit: 1000})
	require.NoError(b.t, err)
	var all []string
	for _, e := range events {
		all = append(all, e.Run)
	}
	return all
}

// requireOnce checks that a subject's n events were each handled once, in order, one
// at a time, and are delivered.
func (b *bubble) requireOnce(subject string, n int) {
	b.t.Helper()
	events, err := b.store.Events(b.t.Context(), inbox.EventFilter{Subject: subject, Limit: 1000})
	require.NoError(b.t, err)
	var want []int64
	for _, e := range events {
		require.Equal(b.t, inbox.StatusDelivered, e.Status)
		require.Equal(b.t, 1, e.Attempts)
		want = append(want, e.Sequence)
	}
	require.Len(b.t, want, n)
	require.Equal(b.t, want, b.sequences(subject))
	b.mu.Lock()
	defer b.mu.Unlock()
	require.False(b.t, b.overlap, "a subject's events are handled one at a time")
}

// drainAs is what the workflow of a run does once.
func (b *bubble) drainAs(a *activities.Activities, subject, run string) workflows.DrainOutput {
	b.t.Helper()
	out, err := a.Drain(b.t.Context(), workflows.DrainInput{Subject: subject, RunID: run, OriginalRunID: run})
	require.NoError(b.t, err)
	return out
}

// starts are the workflows that lanes have had started.
type starts struct {
	mu  sync.Mutex
	all []string
}

func (s *starts) Start(subject string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, subject)
}

func (s *starts) get() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

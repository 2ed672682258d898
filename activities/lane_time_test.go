package activities_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
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

// laneBench is a relief lane over a real inbox, in a bubble's time.
type laneBench struct {
	*activities.Lane
	t       *testing.T // of the bubble
	store   *sqlite.Store
	starts  starts
	handled []int64 // sequences, as often as their handler was begun
	mu      sync.Mutex
}

// inLaneTime runs body in a bubble, in which a handler takes the time that it is told.
func inLaneTime(t *testing.T, mode relief.Mode, takes time.Duration, body func(*laneBench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "inbox.db"), sqlite.Options{})
		require.NoError(t, err)
		defer func() { require.NoError(t, store.Close()) }()
		b := &laneBench{t: t, store: store}
		c := activities.Config{
			Routes: []string{"*=go:work"}, DestinationConcurrency: 64, FirstAttemptTimeout: 5 * time.Second, DeliveryTimeout: 5 * time.Second,
			RetryInitial: time.Second, RetryMaxInterval: time.Second, PauseInitial: time.Hour, PauseMax: time.Hour,
		}
		d := activities.NewDestinations(c, slog.New(slog.DiscardHandler))
		defer d.Close()
		routes, err := activities.NewRoutes(c.Routes, d, []activities.Handler{{Name: "work", Handle: func(ctx context.Context, e activities.Event) error {
			b.mu.Lock()
			b.handled = append(b.handled, e.Sequence)
			b.mu.Unlock()
			select {
			case <-time.After(takes):
				return nil
			case <-ctx.Done():
				return errors.New("cut off")
			}
		}}})
		require.NoError(t, err)
		a := activities.New(store, routes, c, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
		b.Lane = activities.NewLane(a, activities.LaneOptions{Window: relief.NewWindow(mode), Bell: &b.starts})
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		go func() { defer close(stopped); b.Run(ctx) }()
		defer func() { stop(); <-stopped }()
		body(b)
	})
}

func (b *laneBench) append(subject string, n int) {
	b.t.Helper()
	d := inbox.Delivery{Body: []byte("{}")}
	for range n {
		d.Events = append(d.Events, inbox.NewEvent{
			EventID: subject, Source: "redo", Provider: "redo", Subject: subject, SubjectName: subject, Type: "t", ReceivedAt: time.Now(),
		})
	}
	_, err := b.store.Append(b.t.Context(), d)
	require.NoError(b.t, err)
}

func (b *laneBench) pending(subject string) int {
	b.t.Helper()
	view, err := b.store.Subject(b.t.Context(), subject)
	require.NoError(b.t, err)
	return view.Pending
}

// starts are the workflows that a lane had started.
type starts struct {
	mu  sync.Mutex
	all []string
}

func (s *starts) Start(subject string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, subject)
}

func TestTheLaneCutsNoAttemptOffHoweverLongTheQueue(t *testing.T) {
	t.Parallel()
	inLaneTime(t, relief.Always, 900*time.Millisecond, func(b *laneBench) {
		b.append("redo/r1", 80)
		<-time.After(2 * time.Minute)
		require.Zero(b.t, b.pending("redo/r1"))
		require.Len(b.t, b.handled, 80, "each once")
		require.IsIncreasing(b.t, b.handled)
		require.Empty(b.t, b.starts.all)
	})
}

func TestTheLaneMakesWayForTheWorkflow(t *testing.T) {
	t.Parallel()
	inLaneTime(t, relief.Always, 100*time.Millisecond, func(b *laneBench) {
		b.append("redo/r1", 100)
		<-time.After(time.Second)
		began := time.Now()
		out, err := b.Drain(b.t.Context(), workflows.DrainInput{Subject: "redo/r1", RunID: "run", OriginalRunID: "run"})
		require.NoError(b.t, err)
		require.Positive(b.t, out.Settled)
		require.Less(b.t, time.Since(began), 6*time.Second, "a budget of the lane's, and one of its own")
		require.IsIncreasing(b.t, b.handled)
		require.Equal(b.t, []string{"redo/r1"}, b.starts.all)
	})
}

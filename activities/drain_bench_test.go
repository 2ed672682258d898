package activities_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/deploy/bench/cputime"
	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
	"github.com/holdfast-project/holdfast/workflows"
)

// BenchmarkDrain measures an event's way from the inbox to a destination in this
// process, which answers at once, and its settlement on disk: of one busy subject,
// where each settlement has a commit of its own, and of many, which share commits.
// Temporal has no part in it.
func BenchmarkDrain(b *testing.B) {
	for _, c := range []struct {
		name     string
		subjects int
	}{{"OneSubject", 1}, {"ManySubjects", 64}} {
		b.Run(c.name, func(b *testing.B) {
			d := newBenchedDrain(b)
			d.fill(b, c.subjects)
			b.ResetTimer()
			before := d.store.Stats().Commits
			report := cputime.Start()
			var drains errgroup.Group
			for n := range min(c.subjects, b.N) {
				drains.Go(func() error { return d.drain(b, benchedSubject(n)) })
			}
			require.NoError(b, drains.Wait())
			report(b, b.N)
			b.StopTimer()
			b.ReportMetric(float64(b.N)/float64(d.store.Stats().Commits-before), "events/commit")
			counts, err := d.store.Count(b.Context())
			require.NoError(b, err)
			require.Zero(b, counts.Pending)
		})
	}
}

// benchedDrain is a worker's activities over a real inbox and destination.
type benchedDrain struct {
	store      *sqlite.Store
	activities *activities.Activities
}

func newBenchedDrain(b *testing.B) *benchedDrain {
	b.Helper()
	store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "inbox.db"), sqlite.Options{})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, store.Close()) })
	destination := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	b.Cleanup(destination.Close)

	config := activities.Config{
		Routes: []string{"*=" + destination.URL}, DestinationConcurrency: 64,
		FirstAttemptTimeout: time.Minute, DeliveryTimeout: time.Minute,
		RetryInitial: time.Second, RetryMaxInterval: time.Minute, RetryBudget: time.Hour,
		PauseInitial: time.Hour, PauseMax: 24 * time.Hour,
	}
	log := slog.New(slog.DiscardHandler)
	destinations := activities.NewDestinations(config, log)
	b.Cleanup(destinations.Close)
	routes, err := activities.NewRoutes(config.Routes, destinations, nil)
	require.NoError(b, err)
	return &benchedDrain{store: store, activities: activities.New(store, routes, config, prometheus.NewRegistry(), log)}
}

func benchedSubject(n int) string { return fmt.Sprintf("redo/return_%04d", n) }

// fill appends b.N events of 1 KB over some subjects.
func (d *benchedDrain) fill(b *testing.B, subjects int) {
	b.Helper()
	var senders errgroup.Group
	senders.SetLimit(64)
	for n := range b.N {
		senders.Go(func() error {
			subject, key := benchedSubject(n%subjects), fmt.Sprintf("key-%d", n)
			_, err := d.store.Append(b.Context(), inbox.Delivery{
				ContentType: "application/json", Body: make([]byte, 1024), Events: []inbox.NewEvent{{
					EventID: "id-" + key, Source: "redo", Provider: "redo", Subject: subject, SubjectName: subject,
					Type: "return.updated", Key: key, ReceivedAt: time.Now(),
				}},
			})
			return err
		})
	}
	require.NoError(b, senders.Wait())
}

// drain drains a subject until nothing of it is pending.
func (d *benchedDrain) drain(b *testing.B, subject string) error {
	b.Helper()
	for {
		out, err := d.activities.Drain(b.Context(), workflows.DrainInput{Subject: subject, RunID: "run", OriginalRunID: "run"})
		switch {
		case err != nil:
			return err
		case out.Outcome == workflows.OutcomeEmpty:
			return nil
		case out.Outcome != workflows.OutcomeMore:
			return fmt.Errorf("%s: %s: %s", subject, out.Outcome, out.Reason)
		}
	}
}

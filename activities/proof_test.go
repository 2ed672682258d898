package activities

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
	"github.com/holdfast-project/holdfast/workflows"
)

// TestNoHandlerStartsOnAnOldProof freezes a worker between its claim and its
// first handler, which no outside test can time: the last proof of ownership is
// made older instead. Another claim came meanwhile, so nothing may be sent.
func TestNoHandlerStartsOnAnOldProof(t *testing.T) {
	t.Parallel()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "inbox.db"), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	_, err = store.Append(t.Context(), inbox.Delivery{Body: []byte("{}"), Events: []inbox.NewEvent{{
		EventID: "a", Source: "redo", Subject: "redo/r1", SubjectName: "redo/r1", Type: "t", ReceivedAt: time.Now(),
	}}})
	require.NoError(t, err)

	ran := 0
	handler := Handler{Name: "count", Handle: func(context.Context, Event) error { ran++; return nil }}
	c := policyConfig()
	c.DestinationConcurrency, c.FirstAttemptTimeout = 1, time.Second
	routes, err := NewRoutes([]string{"*=go:count"}, NewDestinations(c, slog.New(slog.DiscardHandler)), []Handler{handler})
	require.NoError(t, err)
	a := New(store, routes, c, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	in := workflows.DrainInput{Subject: "redo/r1", RunID: "run", OriginalRunID: "run"}

	frozen, err := a.claim(t.Context(), in, time.Minute)
	require.NoError(t, err)
	entries, err := store.Next(t.Context(), "redo/r1", 1, 1)
	require.NoError(t, err)
	_, err = a.claim(t.Context(), in, time.Minute)
	require.NoError(t, err)

	frozen.proved = time.Now().Add(-2 * proofAge)
	_, err = frozen.handle(t.Context(), entries[0], time.Second, false)
	require.ErrorIs(t, err, inbox.ErrFenced)
	require.Zero(t, ran)
}

func TestGate(t *testing.T) {
	t.Parallel()

	t.Run("ADestinationHasOnlySoManyPlaces", func(t *testing.T) {
		t.Parallel()
		g := newGate(1)
		leave, err := g.enter(t.Context(), "app", false)
		require.NoError(t, err)
		_, err = g.enter(t.Context(), "app", false)
		require.ErrorIs(t, err, errBusy)
		_, err = g.enter(t.Context(), "other", false)
		require.NoError(t, err, "another destination has its own")
		leave(nil)
		_, err = g.enter(t.Context(), "app", false)
		require.NoError(t, err)
	})

	t.Run("SilenceShutsItForNewEventsOnly", func(t *testing.T) {
		t.Parallel()
		g := newGate(1)
		for range breakerFailures {
			leave, err := g.enter(t.Context(), "app", false)
			require.NoError(t, err)
			leave(&unreachableError{text: "no answer"})
		}
		_, err := g.enter(t.Context(), "app", false)
		require.ErrorIs(t, err, errShut)
		leave, err := g.enter(t.Context(), "app", true)
		require.NoError(t, err, "what waits for its next try is tried")
		leave(nil)
	})

	t.Run("AnswersNeverShutIt", func(t *testing.T) {
		t.Parallel()
		g := newGate(1)
		for range 5 * breakerFailures {
			leave, err := g.enter(t.Context(), "app", false)
			require.NoError(t, err)
			leave(RetryAfter(0, &statusError{http.StatusInternalServerError}))
		}
	})
}

type statusError struct{ status int }

func (e *statusError) Error() string { return http.StatusText(e.status) }

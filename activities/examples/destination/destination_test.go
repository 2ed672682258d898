package main

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // the specification's own example

// setup is a destination behind real HTTP, and Holdfast's own way to it.
func setup(t *testing.T, status int) (*destination, *bytes.Buffer, activities.Handler) {
	t.Helper()
	out := &bytes.Buffer{}
	d, err := newDestination(secret, status, out)
	require.NoError(t, err)
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	target, err := url.Parse(server.URL)
	require.NoError(t, err)
	ours := activities.NewDestinations(activities.Config{DestinationSecret: secret, DestinationConcurrency: 1}, slog.New(slog.DiscardHandler))
	t.Cleanup(ours.Close)
	return d, out, ours.HTTP(target)
}

func event(id string, sequence int64) activities.Event {
	return activities.Event{ID: id, Sequence: sequence, Subject: "redo/r1", Source: "redo", Type: "return.updated", Attempt: 1, Body: []byte(`{}`)}
}

func TestADeliveryIsDoneOnceAndNeverLate(t *testing.T) {
	t.Parallel()
	_, out, h := setup(t, http.StatusOK)
	again := event("a", 1)
	again.Redo = 1
	for _, e := range []activities.Event{event("a", 1), event("a", 1), event("c", 3), event("b", 2), again} {
		require.NoError(t, h.Handle(t.Context(), e))
	}
	require.Equal(t, `redo/r1  sequence 1  return.updated  attempt 1: done, answering 200
redo/r1  sequence 1  return.updated  attempt 1: done before, answering 200
redo/r1  sequence 3  return.updated  attempt 1: done, answering 200
redo/r1  sequence 2  return.updated  attempt 1: late, left alone, answering 200
redo/r1  sequence 1  return.updated  attempt 1: done, answering 200
`, out.String())
}

func TestWhatIsAnsweredBadlyIsNotDone(t *testing.T) {
	t.Parallel()
	d, out, h := setup(t, http.StatusServiceUnavailable)
	require.Error(t, h.Handle(t.Context(), event("a", 1)))
	require.Contains(t, out.String(), "not done, answering 503")
	require.Empty(t, d.done)
}

func TestAForgedDeliveryIsRefused(t *testing.T) {
	t.Parallel()
	d, out, h := setup(t, http.StatusOK)
	d.key = []byte("another")
	require.Equal(t, activities.CriticalFail, activities.Classify(h.Handle(t.Context(), event("a", 1))))
	require.Contains(t, out.String(), "webhook-signature is wrong")
	d.key = nil
	require.NoError(t, h.Handle(t.Context(), event("a", 1)), "without a secret nothing is verified")
}

func TestAnOldDeliveryIsRefused(t *testing.T) {
	t.Parallel()
	d, out, h := setup(t, http.StatusOK)
	d.now = func() time.Time { return time.Now().Add(time.Hour) }
	require.Error(t, h.Handle(t.Context(), event("a", 1)))
	require.Contains(t, out.String(), "webhook-timestamp")
}

func TestASecretMustBeOne(t *testing.T) {
	t.Parallel()
	_, err := newDestination("whsec_?", http.StatusOK, io.Discard)
	require.ErrorContains(t, err, "HOLDFAST_DESTINATION_SECRET")
	require.NotContains(t, err.Error(), "?")
}

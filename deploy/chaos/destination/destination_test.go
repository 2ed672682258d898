package destination_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/bench/verdict"
	"github.com/holdfast-project/holdfast/deploy/chaos/destination"
	"github.com/holdfast-project/holdfast/deploy/chaos/load"
)

func start(t *testing.T, options destination.Options) *destination.Destination {
	t.Helper()
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	d, err := destination.Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func deliver(t *testing.T, d *destination.Destination, subject string, counter, attempt int) (status int) {
	t.Helper()
	body, err := json.Marshal(load.Body{Return: load.Return{ID: subject}, Counter: counter})
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+d.Address()+"/hooks?worker=worker-1", bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("idempotency-key", "key")
	r.Header.Set("Holdfast-Sequence", "42")
	r.Header.Set("Holdfast-Attempt", map[int]string{1: "1", 2: "2"}[attempt])
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode
}

func TestEveryDeliveryIsKept(t *testing.T) {
	t.Parallel()
	d := start(t, destination.Options{})
	before := time.Now()
	require.Equal(t, 200, deliver(t, d, "s1", 0, 1))
	require.Equal(t, 200, deliver(t, d, "s1", 0, 2))
	got := d.Deliveries()
	require.Len(t, got, 2)
	one := got[0]
	require.Equal(t, verdict.ID{Subject: "s1", Counter: 0}, one.ID)
	require.Equal(t, "key", one.Key)
	require.Equal(t, int64(42), one.Sequence)
	require.Equal(t, 1, one.Attempt)
	require.Equal(t, 2, got[1].Attempt)
	require.Equal(t, "worker-1", one.Worker)
	require.Equal(t, 200, one.Status)
	require.True(t, one.Begun.After(before) && !one.Ended.Before(one.Begun))
	require.Equal(t, one.Digest, got[1].Digest)
	require.Equal(t, 1, d.Done(), "each event once")
	require.Equal(t, got[1].Begun, d.LastBegun())
}

func TestSomeFirstAttemptsAreRefused(t *testing.T) {
	t.Parallel()
	d := start(t, destination.Options{Refuse: 1})
	require.Equal(t, 503, deliver(t, d, "s1", 0, 1))
	require.Zero(t, d.Done())
	require.Equal(t, 200, deliver(t, d, "s1", 0, 2))
	require.Equal(t, 1, d.Done())
}

func TestWhatIsOutOfOrderIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	d := start(t, destination.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	deliver(t, d, "s1", 0, 1)
	require.Empty(t, log.String())
	deliver(t, d, "s1", 2, 1)
	require.Contains(t, log.String(), "out of order")
	require.Equal(t, 1, d.Done())
}

func TestADeliveryCanBeForgotten(t *testing.T) {
	t.Parallel()
	d := start(t, destination.Options{Forget: func(one verdict.Delivery) bool { return one.Counter == 1 }})
	deliver(t, d, "s1", 0, 1)
	deliver(t, d, "s1", 1, 1)
	require.Len(t, d.Deliveries(), 1)
	require.Equal(t, 2, d.Done())
}

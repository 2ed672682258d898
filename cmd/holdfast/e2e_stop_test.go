package main

import (
	"encoding/json"
	"net/http"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/relief"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/ingress/operator"
)

func TestE2EStoppedInTheMiddleOfADelivery(t *testing.T) {
	t.Parallel()
	for name, which := range map[string]int{"FirstAttempt": 1, "FurtherAttempt": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stopDuring(t, relief.Off, which)
		})
	}
	t.Run("FirstAttemptInTheReliefLane", func(t *testing.T) {
		t.Parallel()
		stopDuring(t, relief.Always, 1)
	})
}

// stopDuring stops a process while the first event's n-th attempt hangs.
func stopDuring(t *testing.T, mode relief.Mode, n int) {
	t.Helper()
	finish := make(chan struct{})
	destination := newRecorder(t, func(got delivery) answer {
		if got.attempt < n {
			return answer{status: http.StatusServiceUnavailable}
		}
		return answer{wait: finish}
	})
	source := "graceful" + string(mode) + strconv.Itoa(n)
	d := startDaemon(t, redoSource(source, destination.url, in(mode, map[string]string{
		"HOLDFAST_FIRST_ATTEMPT_TIMEOUT": "20s", "HOLDFAST_DELIVERY_TIMEOUT": "20s",
	})))
	receipts := newSender(t, d, source).send(t, "r1", 0, 3)
	until(t, "a delivery to hang", func() bool { return len(destination.deliveries("")) == n })

	require.NoError(t, d.cmd.Process.Signal(syscall.SIGTERM))
	webhooks, _ := d.at.get()
	until(t, "the door to close", func() bool { return !listening(webhooks) })
	exited := d.exited // Never may look once more when the test has gone on
	require.Never(t, func() bool { return closed(exited) }, 2*time.Second, glance, "it waits for what is in flight")
	close(finish)
	require.Zero(t, d.wait(t))
	require.Equal(t, []string{receipts[0].EventID}, destination.done(""), "nothing else was started")

	destination.obey(nil)
	d.start(t)
	require.Equal(t, "delivered", d.events(t, "subject", source+"/r1")[0].Status)
	d.settled(t)
	destination.requireOnceInOrder(t, map[string][]ingress.ReceiptJSON{source + "/r1": receipts})
	require.Equal(t, n, d.events(t)[0].Attempts)
	require.Equal(t, mode == relief.Always, inbox.IsRelief(d.events(t)[0].Run))
}

func TestE2EStagingSource(t *testing.T) {
	t.Parallel()
	bad := map[int]answer{
		0: {status: http.StatusInternalServerError},
		1: {status: http.StatusForbidden},
		2: {reset: true},
		3: {status: http.StatusTooManyRequests, retryAfter: "3600"},
	}
	destination := newRecorder(t, nil)
	d := startDaemon(t, redoSource("stage", destination.url, map[string]string{"HOLDFAST_SOURCE_STAGE_STAGING": "true"}))
	s := newSender(t, d, "stage")
	first := s.send(t, "before", 0, 1)[0].Sequence + 1
	d.settled(t)
	destination.obey(func(got delivery) answer { return bad[int(got.sequence-first)] })
	s.send(t, "r1", 0, 6)
	d.settled(t)
	require.Equal(t, "failed failed failed failed delivered delivered", d.statuses(t, "stage/r1"))
	require.Equal(t, 6, len(destination.deliveries("stage/r1")), "no attempt is repeated") //nolint:testifylint // Len prints every body
	require.Equal(t, "idle", d.subject(t, "stage/r1").State)
	for _, e := range d.events(t, "status", "failed") {
		require.NotEmpty(t, e.Reason)
	}
}

// TestE2EAStoppingIngressIsLeftByItsBalancers: readiness turns red first, requests
// are accepted until the drain delay is over, and a second signal does not wait.
func TestE2EAStoppingIngressIsLeftByItsBalancers(t *testing.T) {
	t.Parallel()
	destination := newRecorder(t, nil)
	d := startDaemon(t, redoSource("balanced", destination.url, map[string]string{"HOLDFAST_DRAIN_DELAY": "5m"}))
	s := newSender(t, d, "balanced")
	s.send(t, "r1", 0, 1)
	status, ready := d.readiness(t)
	require.Equal(t, http.StatusOK, status, ready)

	require.NoError(t, d.cmd.Process.Signal(syscall.SIGTERM))
	until(t, "readiness to turn red", func() bool {
		status, ready = d.readiness(t)
		return status == http.StatusServiceUnavailable
	})
	require.Equal(t, "stopping", ready.Checks["process"])
	closed := false
	s.client.Transport = closeWatcher{s.client.Transport, &closed}
	s.send(t, "r1", 1, 2)
	require.True(t, closed, "the sender is told to connect anew, to another ingress")
	require.Equal(t, exitInterrupted, d.stop(t, syscall.SIGTERM), "the second signal ends it at once")

	d.env["HOLDFAST_DRAIN_DELAY"] = "100ms"
	d.start(t)
	s.send(t, "r1", 2, 3)
	d.settled(t)
	require.Zero(t, d.stop(t, syscall.SIGTERM))
}

// closeWatcher notes whether an answer ended its connection.
type closeWatcher struct {
	http.RoundTripper
	closed *bool
}

func (w closeWatcher) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := w.RoundTripper.RoundTrip(r)
	if err == nil && answer.Close {
		*w.closed = true
	}
	return answer, err
}

// readiness is what /readyz says.
func (d *daemon) readiness(t *testing.T) (status int, told operator.ReadyJSON) {
	t.Helper()
	_, base := d.at.get()
	answer, err := quickClient(t).Get(base + "/readyz")
	require.NoError(t, err)
	defer answer.Body.Close()
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&told))
	return answer.StatusCode, told
}

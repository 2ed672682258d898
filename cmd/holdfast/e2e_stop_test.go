package main

import (
	"net/http"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress"
)

func TestE2EStoppedInTheMiddleOfADelivery(t *testing.T) {
	t.Parallel()
	finish := make(chan struct{})
	destination := newRecorder(t, func(delivery) answer { return answer{wait: finish} })
	d := startDaemon(t, redoSource("graceful", destination.url, map[string]string{"HOLDFAST_FIRST_ATTEMPT_TIMEOUT": "20s"}))
	receipts := map[string][]ingress.ReceiptJSON{"graceful/r1": newSender(t, d, "graceful").send(t, "r1", 0, 3)}
	until(t, "a delivery to hang", func() bool { return len(destination.deliveries("")) == 1 })

	require.NoError(t, d.cmd.Process.Signal(syscall.SIGTERM))
	webhooks, _ := d.at.get()
	until(t, "the door to close", func() bool { return !listening(webhooks) })
	require.False(t, d.over(), "it waits for what is in flight")
	close(finish)
	require.Zero(t, d.wait(t))
	require.Equal(t, []string{receipts["graceful/r1"][0].EventID}, destination.done(""), "nothing else was started")

	d.start(t)
	require.Equal(t, "delivered", d.events(t, "subject", "graceful/r1")[0].Status)
	d.settled(t)
	destination.requireOnceInOrder(t, receipts)
	for _, e := range d.events(t) {
		require.Equal(t, 1, e.Attempts)
	}
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

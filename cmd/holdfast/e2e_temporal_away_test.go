package main

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/ingress/operator"
)

// manySubjects are the provider's own ids of some subjects.
func manySubjects(prefix string, n int) []string {
	subjects := make([]string, n)
	for i := range subjects {
		subjects[i] = fmt.Sprintf("%s%03d", prefix, i)
	}
	return subjects
}

func TestE2ETemporalIsDownAtAcceptance(t *testing.T) {
	t.Parallel()
	temporal := newTemporal(t)
	destination := newRecorder(t, nil)
	d := startDaemon(t, redoSource("later", destination.url, map[string]string{"TEMPORAL_ADDRESS": temporal.address}))

	receipts, err := newSender(t, d, "later").all(t.Context(), manySubjects("r", 10), 10, 5)
	require.NoError(t, err)
	stored := d.events(t, "status", "pending")
	require.Len(t, stored, 100, "every 200 is durable")
	require.Empty(t, destination.deliveries(""))

	temporal.program.start(t)
	d.settled(t)
	require.False(t, d.over(), "the process was not started again")
	destination.requireOnceInOrder(t, receipts)
}

func TestE2ETemporalForgetsEverything(t *testing.T) {
	t.Parallel()
	for _, mode := range apart {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			temporal := newTemporal(t)
			temporal.program.start(t)
			temporal.await(t)

			mended := make(chan struct{})
			var troubled sync.Map
			destination := newRecorder(t, func(got delivery) answer {
				if _, before := troubled.LoadOrStore(got.subject, true); before {
					return answer{}
				}
				switch got.subject {
				case "memory/slow":
					return answer{wait: mended}
				case "memory/retrying":
					return answer{status: http.StatusServiceUnavailable, retryAfter: "8"}
				case "memory/held":
					return answer{status: http.StatusForbidden}
				}
				return answer{}
			})
			d := startDaemon(t, redoSource("memory", destination.url, in(mode, map[string]string{
				"TEMPORAL_ADDRESS":               temporal.address,
				"HOLDFAST_FIRST_ATTEMPT_TIMEOUT": "10s",
				"HOLDFAST_PAUSE_INITIAL":         "10s",
			})))
			s := newSender(t, d, "memory")
			receipts := map[string][]ingress.ReceiptJSON{}
			for _, subject := range []string{"well", "slow", "retrying", "held", "paused"} {
				receipts["memory/"+subject] = s.send(t, subject, 0, 3)
			}
			pause := operator.VerbRequest{Reason: "a look at it", By: "kim"}
			require.NoError(t, d.operator(t).post(t.Context(), operator.PathSubjectPause, values("id", "memory/paused"), pause, &operator.SubjectJSON{}))
			until(t, "trouble of every kind", func() bool {
				return len(destination.done("memory/well")) == 3 && len(destination.deliveries("memory/slow")) == 1 &&
					d.subject(t, "memory/retrying").State == "retrying" && d.subject(t, "memory/held").State == "held"
			})
			held, retrying := d.subject(t, "memory/held"), d.subject(t, "memory/retrying")
			paused := d.subject(t, "memory/paused")

			temporal.kill(t)
			temporal.forget(t)
			receipts["memory/well"] = append(receipts["memory/well"], s.send(t, "well", 3, 6)...)
			temporal.program.start(t)
			temporal.await(t)
			close(mended)
			until(t, "the subjects to go on", func() bool {
				return len(destination.done("memory/well")) == 6 && len(destination.done("memory/slow")) == 3 &&
					len(destination.done("memory/retrying")) == 3 && len(destination.done("memory/held")) == 3
			})

			require.Equal(t, paused.Held, d.subject(t, "memory/paused").Held, "an operator's hold has no end of its own")
			until(t, "all but the paused to be settled", func() bool { return len(d.events(t, "status", "pending")) == paused.Pending })
			require.False(t, destination.deliveries("memory/held")[1].at.Before(held.HeldUntil.Time), "held until its time")
			require.False(t, destination.deliveries("memory/retrying")[1].at.Before(retrying.NextWake.Add(-time.Second)), "no attempt before its time")
			require.NoError(t, d.operator(t).post(t.Context(), operator.PathSubjectResume, values("id", "memory/paused"), operator.VerbRequest{}, &operator.SubjectJSON{}))
			d.settled(t)
			destination.requireOnceInOrder(t, receipts)
		})
	}
}

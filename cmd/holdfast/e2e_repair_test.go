package main

import (
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/ingress/operator"
	"github.com/holdfast-project/holdfast/workflows/temporaltest"
)

func TestE2ERingLostInACrash(t *testing.T) {
	t.Parallel()
	destination := newRecorder(t, nil)
	d := startDaemon(t, redoSource("unrung", destination.url, map[string]string{
		"TEMPORAL_ADDRESS": "127.0.0.1:" + freshPort(t), // where nobody listens
	}))
	receipts, err := newSender(t, d, "unrung").all(t.Context(), manySubjects("r", 5), 3, 5)
	require.NoError(t, err)
	d.kill(t) // and with it every ring
	d.env["TEMPORAL_ADDRESS"] = temporaltest.Address(t)
	d.start(t)
	d.settled(t)
	destination.requireOnceInOrder(t, receipts)
}

func TestE2ETerminatedRuns(t *testing.T) {
	t.Parallel()
	for _, mode := range apart {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			temporal, source := temporaltest.Client(t), "lost"+string(mode)
			var troubled sync.Map
			destination := newRecorder(t, func(got delivery) answer {
				if _, before := troubled.LoadOrStore(got.subject, true); before {
					return answer{}
				}
				if got.subject == source+"/retrying" {
					return answer{status: http.StatusTooManyRequests, retryAfter: "4"}
				}
				return answer{status: http.StatusForbidden}
			})
			d := startDaemon(t, redoSource(source, destination.url, in(mode, map[string]string{"HOLDFAST_PAUSE_INITIAL": "5s"})))
			s := newSender(t, d, source)
			receipts := map[string][]ingress.ReceiptJSON{}
			wake := map[string]operator.Time{}
			for name, state := range map[string]string{"retrying": "retrying", "held": "held"} {
				subject := source + "/" + name
				receipts[subject] = s.send(t, name, 0, 3)
				until(t, "trouble", func() bool { return d.subject(t, subject).State == state })
				wake[subject] = d.subject(t, subject).NextWake
				if state == "held" {
					wake[subject] = d.subject(t, subject).HeldUntil
				}
				run := runOf(t, subject)
				require.NoError(t, temporal.TerminateWorkflow(t.Context(), subject, run, "a test"))
				require.NotEmpty(t, run)
			}
			d.settled(t)
			destination.requireOnceInOrder(t, receipts)
			for subject, time := range wake {
				require.False(t, destination.deliveries(subject)[1].at.Before(time.Time), "%s was tried before its time", subject)
			}
		})
	}
}

// runOf is the ID of a subject's last run on the package's server, when there is one:
// what failed in the relief lane gets its run a moment later.
func runOf(t *testing.T, subject string) (id string) {
	t.Helper()
	until(t, "a run of "+subject, func() bool {
		run, err := temporaltest.Client(t).DescribeWorkflowExecution(t.Context(), subject, "")
		var none *serviceerror.NotFound
		if errors.As(err, &none) {
			return false
		}
		require.NoError(t, err)
		id = run.WorkflowExecutionInfo.Execution.RunId
		return true
	})
	return id
}

package activities_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/holdfast-project/holdfast/inbox"
)

// reset resets a run to one of its completed workflow tasks, as the Temporal UI
// does, and returns the new run's ID. n counts the completed tasks from 1.
func (f *fleet) reset(subject, runID string, n int) string {
	f.t.Helper()
	answer, err := f.client.ResetWorkflowExecution(f.t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace:                 "default",
		WorkflowExecution:         &commonpb.WorkflowExecution{WorkflowId: subject, RunId: runID},
		Reason:                    "do it again",
		WorkflowTaskFinishEventId: f.tasks(subject, runID)[n-1],
		RequestId:                 uuid.NewString(),
	})
	require.NoError(f.t, err)
	return answer.RunId
}

// tasks returns the IDs of a run's completed workflow tasks.
func (f *fleet) tasks(subject, runID string) []int64 {
	var ids []int64
	for _, e := range f.history(subject, runID) {
		if e.EventType == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			ids = append(ids, e.EventId)
		}
	}
	return ids
}

func (f *fleet) history(subject, runID string) []*historypb.HistoryEvent {
	f.t.Helper()
	var events []*historypb.HistoryEvent
	for i := f.client.GetWorkflowHistory(f.t.Context(), subject, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); i.HasNext(); {
		e, err := i.Next()
		require.NoError(f.t, err)
		events = append(events, e)
	}
	return events
}

func (f *fleet) runID(subject string) string {
	f.t.Helper()
	run, err := f.client.DescribeWorkflowExecution(f.t.Context(), subject, "")
	require.NoError(f.t, err)
	return run.WorkflowExecutionInfo.Execution.RunId
}

func TestAResetDoesTheWorkAgain(t *testing.T) {
	t.Parallel()

	t.Run("AndSoDoesAResetOfThatReset", func(t *testing.T) {
		t.Parallel()
		s := newSink(t, ok)
		f := newFleet(t, "*="+s.URL)
		subject := f.subject("r1")
		appendOnly(f, subject, 3)
		f.ring(subject)
		f.start()
		f.awaitRest(subject)
		first := f.runID(subject)
		require.Equal(t, []string{"", "", ""}, redos(s, subject))

		second := f.reset(subject, first, 1)
		f.awaitRest(subject)
		require.Equal(t, []string{"", "", "", "1", "1", "1"}, redos(s, subject))
		require.Equal(t, []int64{1, 2, 3, 1, 2, 3}, s.delivered(subject))

		f.reset(subject, second, 1)
		f.awaitRest(subject)
		require.Equal(t, []string{"", "", "", "1", "1", "1", "2", "2", "2"}, redos(s, subject))
		require.Equal(t, "delivered delivered delivered", f.statuses(subject))
	})

	t.Run("OnlyWhatCameAfterThePointOfTheReset", func(t *testing.T) {
		t.Parallel()
		s := newSink(t, func(w http.ResponseWriter, _ *http.Request, a attempt) {
			if a.sequence == 3 && a.number < 2 {
				w.WriteHeader(http.StatusBadGateway)
			}
		})
		f := newFleet(t, "*="+s.URL)
		subject := f.subject("r1")
		appendOnly(f, subject, 5)
		f.ring(subject)
		f.start()
		f.awaitRest(subject)
		run := f.runID(subject)
		// The first task ended with the drain of events 1 and 2 in a marker, and the
		// recovery of 3 scheduled. The second task's drain did 4 and 5.
		f.reset(subject, run, 2)
		f.awaitRest(subject)
		require.Equal(t, []int64{1, 2, 3, 4, 5, 4, 5}, s.delivered(subject))
	})

	t.Run("ButNotOfOtherRuns", func(t *testing.T) {
		t.Parallel()
		s := newSink(t, ok)
		f := newFleet(t, "*="+s.URL)
		subject := f.subject("r1")
		f.start()
		f.accept(subject, 1)
		f.awaitRest(subject)
		first := f.runID(subject)
		f.accept(subject, 1)
		f.awaitRest(subject)
		require.NotEqual(t, first, f.runID(subject))
		f.reset(subject, first, 1)
		f.awaitRest(subject)
		require.Equal(t, []int64{1, 2, 1}, s.delivered(subject))
	})

	t.Run("AndBringsBackWhatAHandlerParkedButNotWhatAnOperatorDid", func(t *testing.T) {
		t.Parallel()
		s := newSink(t, status(http.StatusGone))
		f := newFleet(t, "*="+s.URL)
		f.config.ParkStatuses = []int{http.StatusGone}
		subject := f.subject("r1")
		appendOnly(f, subject, 2)
		require.NoError(t, f.operate(inbox.Verb{Verb: inbox.VerbPark, Subject: subject, Sequence: 2, Reason: "no"}))
		f.start()
		f.awaitRest(subject)
		require.Equal(t, "parked parked", f.statuses(subject))
		s.setRule(ok)
		f.reset(subject, f.runID(subject), 1)
		f.awaitRest(subject)
		require.Equal(t, "delivered parked", f.statuses(subject))
	})
}

func redos(s *sink, subject string) []string {
	var all []string
	for _, a := range s.attempts(subject) {
		all = append(all, a.redo)
	}
	return all
}

// TestContinueAsNew drains a queue with so many failures that its history is cut
// several times: nothing is lost or repeated at the seams.
func TestContinueAsNew(t *testing.T) {
	t.Parallel()
	s := newSink(t, func(w http.ResponseWriter, _ *http.Request, a attempt) {
		if a.number == 1 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	f := newFleet(t, "*="+s.URL)
	subject := f.subject("r1")
	appendOnly(f, subject, 40)
	f.ring(subject)
	first := f.runID(subject)
	f.start()
	f.awaitState(subject, inbox.StateIdle)
	for n, e := range f.events(subject) {
		require.Equal(t, inbox.StatusDelivered, e.Status)
		require.Equal(t, s.delivered(subject)[n], e.Sequence)
		require.Equal(t, 2, e.Attempts)
	}
	require.Len(t, s.attempts(subject), 80)
	history := f.history(subject, first)
	last := history[len(history)-1]
	require.Equal(t, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, last.EventType)
	require.Less(t, len(history), 200, "each run is short")
}

// TestAResetWhileARecoveryWaits resets to a point at which the recovery activity
// was scheduled and not done: the new run inherits it with the old run's input,
// and must still do again what the old run did after the point.
func TestAResetWhileARecoveryWaits(t *testing.T) {
	t.Parallel()
	s := newSink(t, func(w http.ResponseWriter, _ *http.Request, a attempt) {
		if a.sequence == 2 && a.number < 2 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	f := newFleet(t, "*="+s.URL)
	f.config.RetryInitial, f.config.RetryMaxInterval = 2*time.Second, 2*time.Second
	subject := f.subject("r1")
	appendOnly(f, subject, 4)
	f.ring(subject)
	f.start()
	f.awaitState(subject, inbox.StateRetrying)
	run := f.runID(subject)
	f.ring(subject) // a workflow task of its own while the recovery waits
	require.Eventually(t, func() bool { return len(f.tasks(subject, run)) == 2 }, patience, 20*time.Millisecond)
	f.awaitRest(subject)
	require.Equal(t, []int64{1, 2, 3, 4}, s.delivered(subject))

	f.reset(subject, run, 2)
	f.awaitRest(subject)
	require.Equal(t, []int64{1, 2, 3, 4, 2, 3, 4}, s.delivered(subject))
}

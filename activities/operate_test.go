package activities_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/relief"
	"github.com/holdfast-project/holdfast/workflows"
)

// awaitStatus waits until the run's own query tells a state.
func (f *fleet) awaitStatus(subject, state string) workflows.Status {
	f.t.Helper()
	var status workflows.Status
	require.Eventually(f.t, func() bool {
		value, err := f.client.QueryWorkflow(f.t.Context(), subject, "", workflows.QueryStatus)
		return err == nil && value.Get(&status) == nil && status.State == state
	}, patience, 20*time.Millisecond, "%s is not %s in Temporal", subject, state)
	return status
}

// update sends an update to a subject's run, as the Temporal CLI does.
func (f *fleet) update(subject, id, name string, verb workflows.Operate) (workflows.Status, error) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	handle, err := f.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: subject, UpdateID: id, UpdateName: name, Args: []any{verb}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return workflows.Status{}, err
	}
	var status workflows.Status
	return status, handle.Get(ctx, &status)
}

// waiting returns a running fleet with a subject of n events whose first has
// failed and is not tried again for a quarter of an hour at least.
func waiting(t *testing.T, mode relief.Mode, n int, r rule) (f *fleet, s *sink, subject string) {
	t.Helper()
	s = newSink(t, r)
	f = newFleetIn(t, mode, "*="+s.URL)
	f.config.RetryInitial, f.config.RetryMaxInterval = 30*time.Minute, time.Hour
	f.start()
	subject = f.subject("r1")
	f.accept(subject, n)
	f.awaitStatus(subject, "retrying")
	return f, s, subject
}

func TestOperatorsPark(t *testing.T) {
	t.Parallel()
	for _, mode := range reliefModes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			f := newFleetIn(t, mode)
			s := newSink(t, func(w http.ResponseWriter, _ *http.Request, a attempt) {
				if a.sequence%2 == 1 {
					w.WriteHeader(http.StatusForbidden)
				}
			})
			f.config.Routes = []string{"*=" + s.URL}
			f.start()
			subject := f.subject("r1")
			f.accept(subject, 4)
			f.awaitStatus(subject, "held")
			park := inbox.Verb{Verb: inbox.VerbPark, Subject: subject, Sequence: 1, Reason: "cannot be mended"}
			require.NoError(t, f.operate(park))
			require.Eventually(t, func() bool { return f.statuses(subject) == "parked delivered pending pending" }, patience, 10*time.Millisecond)
			f.awaitState(subject, inbox.StateHeld)

			var refused *inbox.RefusedError
			require.ErrorAs(t, f.operate(park), &refused, "a park that is sent twice hits nothing else")
			require.Equal(t, "parked delivered pending pending", f.statuses(subject))

			// The same through Temporal: by update, once per update ID.
			_, err := f.update(subject, "u1", workflows.UpdatePark, workflows.Operate{Sequence: 1, Reason: "again"})
			require.ErrorContains(t, err, "parked", "the refusal tells what the event is")
			f.awaitStatus(subject, "held")
			_, err = f.update(subject, "u2", workflows.UpdatePark, workflows.Operate{Sequence: 3, Reason: "neither can this"})
			require.NoError(t, err)
			_, err = f.update(subject, "u2", workflows.UpdatePark, workflows.Operate{Sequence: 3, Reason: "neither can this"})
			if err != nil { // the run may have completed in between
				require.ErrorContains(t, err, "workflow execution already completed")
			}
			f.awaitState(subject, inbox.StateIdle)
			require.Equal(t, "parked delivered parked delivered", f.statuses(subject))
		})
	}
}

func TestOperatorsPause(t *testing.T) {
	t.Parallel()
	for _, mode := range reliefModes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			t.Run("InTheMiddleOfADrainWithoutRepeatingTheEventInHand", func(t *testing.T) {
				t.Parallel()
				inHand, letGo := make(chan struct{}), make(chan struct{})
				s := newSink(t, func(_ http.ResponseWriter, _ *http.Request, a attempt) {
					if a.sequence == 2 {
						close(inHand)
						<-letGo
					}
				})
				f := newFleetIn(t, mode, "*="+s.URL)
				f.start()
				subject := f.subject("r1")
				f.accept(subject, 4)
				<-inHand
				require.NoError(t, f.operate(inbox.Verb{Verb: inbox.VerbPause, Subject: subject, Reason: "deploying"}))
				close(letGo)
				f.awaitStatus(subject, "held")
				require.Equal(t, "delivered delivered pending pending", f.statuses(subject))
				require.Len(t, s.attempts(subject), 2)
				require.NoError(t, f.operate(inbox.Verb{Verb: inbox.VerbResume, Subject: subject}))
				f.awaitRest(subject)
				requireInOrder(t, f, s, subject)
				require.Len(t, s.attempts(subject), 4)
				f.requireRelieved(subject)
			})

			t.Run("AtRestSoThatNothingStarts", func(t *testing.T) {
				t.Parallel()
				s := newSink(t, ok)
				f := newFleetIn(t, mode, "*="+s.URL)
				f.start()
				subject := f.subject("r1")
				f.accept(subject, 1)
				f.awaitRest(subject)
				require.NoError(t, f.operate(inbox.Verb{Verb: inbox.VerbPause, Subject: subject, Reason: "deploying"}))
				f.accept(subject, 2)
				status := f.awaitStatus(subject, "held")
				require.Equal(t, "ann", status.By)
				require.Len(t, s.attempts(subject), 1)
				require.NoError(t, f.operate(inbox.Verb{Verb: inbox.VerbResume, Subject: subject}))
				f.awaitRest(subject)
				requireInOrder(t, f, s, subject)
			})

			t.Run("ThroughTemporalByUpdateAndBySignal", func(t *testing.T) {
				t.Parallel()
				f, s, subject := waiting(t, mode, 2, status(http.StatusServiceUnavailable))
				status, err := f.update(subject, "u1", workflows.UpdatePause, workflows.Operate{Reason: "deploying", By: "bob"})
				require.NoError(t, err)
				require.Equal(t, "held", status.State)
				require.Equal(t, "bob", f.awaitStatus(subject, "held").By)
				_, err = f.update(subject, "u2", workflows.UpdatePause, workflows.Operate{Reason: "once more"})
				require.ErrorContains(t, err, "bob", "a pause of a paused subject is refused and says by whom")
				s.setRule(ok)
				require.NoError(t, f.client.SignalWorkflow(t.Context(), subject, "", workflows.SignalOperate,
					workflows.Operate{Verb: workflows.UpdateResume, By: "batch"}))
				f.awaitRest(subject)
				requireInOrder(t, f, s, subject)
			})
		})
	}
}

func TestResumeDoesNotWaitForTheNextTry(t *testing.T) {
	t.Parallel()
	for _, mode := range reliefModes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			f, s, subject := waiting(t, mode, 2, status(http.StatusServiceUnavailable))
			s.setRule(ok)
			require.NoError(t, f.operate(inbox.Verb{Verb: inbox.VerbResume, Subject: subject}))
			f.awaitRest(subject)
			requireInOrder(t, f, s, subject)
		})
	}
}

// details returns what the run shows in the Temporal UI as its current details.
func (f *fleet) details(subject string) string {
	f.t.Helper()
	value, err := f.client.QueryWorkflow(f.t.Context(), subject, "", "__temporal_workflow_metadata")
	require.NoError(f.t, err)
	var metadata sdkpb.WorkflowMetadata
	require.NoError(f.t, value.Get(&metadata))
	return metadata.CurrentDetails
}

// awaitListed waits until Temporal lists a subject's run under a query.
func (f *fleet) awaitListed(subject, query string) {
	f.t.Helper()
	require.Eventually(f.t, func() bool {
		list, err := f.client.ListWorkflow(f.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Query: query + ` AND WorkflowId = "` + subject + `"`,
		})
		return err == nil && len(list.Executions) == 1
	}, patience, 50*time.Millisecond, query)
}

// TestTroubleIsVisibleInTemporal checks what an operator sees there: the search
// attribute, the details, and the recovery activity under its handler's name.
func TestTroubleIsVisibleInTemporal(t *testing.T) {
	t.Parallel()
	for _, mode := range reliefModes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			f, s, subject := waiting(t, mode, 1, status(http.StatusServiceUnavailable))
			require.Equal(t, "return.updated", f.awaitStatus(subject, "retrying").Head.Type)
			f.awaitListed(subject, `HoldfastState = "retrying"`)
			require.Eventually(t, func() bool {
				run, err := f.client.DescribeWorkflowExecution(t.Context(), subject, "")
				require.NoError(t, err)
				return len(run.PendingActivities) == 1 && run.PendingActivities[0].LastFailure != nil
			}, patience, 50*time.Millisecond)
			run, err := f.client.DescribeWorkflowExecution(t.Context(), subject, "")
			require.NoError(t, err)
			pending := run.PendingActivities[0]
			host := s.URL[len("http://"):]
			require.Equal(t, "POST "+host, pending.ActivityType.Name)
			require.Contains(t, pending.LastFailure.Message, "503 Service Unavailable")
			require.Greater(t, pending.NextAttemptScheduleTime.AsTime(), time.Now().Add(10*time.Minute))
			require.Contains(t, f.details(subject), "holdfast subjects resume '"+subject+"'")
			s.setRule(ok)
			require.NoError(t, f.operate(inbox.Verb{Verb: inbox.VerbResume, Subject: subject}))
			f.awaitRest(subject)
			f.awaitListed(subject, `HoldfastState IS NULL`)
		})
	}
}

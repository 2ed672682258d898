package activities_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/workflows"
)

// recovering is a subject whose first event has failed once and is due again.
func recovering(t *testing.T, r rule) (*fleet, *sink, string) {
	t.Helper()
	s := newSink(t, r)
	f := newFleet(t, "*="+s.URL)
	subject := f.subject("r1")
	appendOnly(f, subject, 2)
	claimed, err := f.store.Claim(t.Context(), inbox.Claim{Subject: subject, Now: time.Now(), RunID: "before"})
	require.NoError(t, err)
	_, err = f.store.Fail(t.Context(), inbox.Failure{
		Subject: subject, Epoch: claimed.Subject.Epoch, Sequence: 1, Error: "503", Now: time.Now(), NextWake: time.Now(),
	})
	require.NoError(t, err)
	return f, s, subject
}

// attempt runs the recovery of event 1 once, as Temporal does, under the name of
// its handler.
func (f *fleet) attempt(a *activities.Activities, subject string) (workflows.RecoverOutput, error) {
	f.t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivityWithOptions(a.Recover, activity.RegisterOptions{Name: "POST app/hooks"})
	value, err := env.ExecuteActivity("POST app/hooks", workflows.RecoverInput{Subject: subject, Sequence: 1, OriginalRunID: "default-test-run-id"})
	if err != nil {
		return workflows.RecoverOutput{}, err
	}
	var out workflows.RecoverOutput
	require.NoError(f.t, value.Get(&out))
	return out, nil
}

func requireRetryable(t *testing.T, err error, atLeast time.Duration) {
	t.Helper()
	var failure *temporal.ApplicationError
	require.ErrorAs(t, err, &failure)
	require.Equal(t, workflows.ErrorRetryable, failure.Type())
	require.False(t, failure.NonRetryable())
	require.GreaterOrEqual(t, failure.NextRetryDelay(), atLeast)
}

func TestRecovery(t *testing.T) {
	t.Parallel()

	t.Run("SettlesItsEventAndNoOther", func(t *testing.T) {
		t.Parallel()
		f, s, subject := recovering(t, ok)
		a, _ := f.activities(f.store)
		out, err := f.attempt(a, subject)
		require.NoError(t, err)
		require.True(t, out.Settled)
		require.Equal(t, "delivered pending", f.statuses(subject))
		require.Len(t, s.attempts(subject), 1)
		out, err = f.attempt(a, subject)
		require.NoError(t, err, "done again, it finds another event first and leaves it alone")
		require.False(t, out.Settled)
		require.Len(t, s.attempts(subject), 1)
	})

	t.Run("EndsWhenItsSubjectBecomesHeld", func(t *testing.T) {
		t.Parallel()
		f, _, subject := recovering(t, status(http.StatusForbidden))
		a, _ := f.activities(f.store)
		_, err := f.attempt(a, subject)
		var failure *temporal.ApplicationError
		require.ErrorAs(t, err, &failure)
		require.Equal(t, workflows.ErrorCritical, failure.Type())
		require.True(t, failure.NonRetryable(), "the wait of a hold is the workflow's")
		require.Equal(t, inbox.StateHeld, f.view(subject).State())
	})

	t.Run("AttemptsNothingOfAHeldSubject", func(t *testing.T) {
		t.Parallel()
		f, s, subject := recovering(t, ok)
		_, err := f.store.Operate(t.Context(), inbox.Verb{Verb: inbox.VerbPause, Subject: subject, Reason: "stop", By: "ann", Now: time.Now()})
		require.NoError(t, err)
		a, _ := f.activities(f.store)
		out, err := f.attempt(a, subject)
		require.NoError(t, err)
		require.False(t, out.Settled)
		require.Empty(t, s.attempts(subject))
	})

	t.Run("ComesAgainWhenTheAnswerIsNo", func(t *testing.T) {
		t.Parallel()
		f, _, subject := recovering(t, func(w http.ResponseWriter, _ *http.Request, _ attempt) {
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		a, _ := f.activities(f.store)
		_, err := f.attempt(a, subject)
		requireRetryable(t, err, 10*time.Minute)
		_, err = f.attempt(a, subject)
		requireRetryable(t, err, 9*time.Minute) // too early: it waits, and tells why
		require.ErrorContains(t, err, "503 Service Unavailable")
		require.Equal(t, 2, f.view(subject).Head.Attempts)
	})

	t.Run("WaitsForTheRunBeforeIt", func(t *testing.T) {
		t.Parallel()
		f, s, subject := recovering(t, ok)
		_, err := f.store.Claim(t.Context(), inbox.Claim{Subject: subject, Now: time.Now(), BusyUntil: time.Now().Add(time.Minute), RunID: "before"})
		require.NoError(t, err)
		a, _ := f.activities(f.store)
		_, err = f.attempt(a, subject)
		requireRetryable(t, err, 50*time.Second)
		require.Empty(t, s.attempts(subject))
	})

	t.Run("StopsWithItsWorker", func(t *testing.T) {
		t.Parallel()
		f, s, subject := recovering(t, ok)
		a, _ := f.activities(f.store)
		a.Stop()
		_, err := f.attempt(a, subject)
		requireRetryable(t, err, time.Second)
		require.Empty(t, s.attempts(subject))
	})

	t.Run("BlamesNoEventForOurOwnTrouble", func(t *testing.T) {
		t.Parallel()
		f, s, subject := recovering(t, ok)
		a, _ := f.activities(&troubled{Inbox: f.store, beforeNext: func(int) error { return errors.New("inbox: connection refused") }})
		_, err := f.attempt(a, subject)
		requireRetryable(t, err, time.Second)
		require.Empty(t, s.attempts(subject))
		require.Equal(t, 1, f.view(subject).Head.Attempts)
		claimed, err := f.store.Claim(t.Context(), inbox.Claim{Subject: subject, Now: time.Now(), RunID: "next"})
		require.NoError(t, err)
		require.Zero(t, claimed.InHandUntil, "what was claimed for nothing is released")
	})
}

func TestADrainLeavesWhatHasFailedToItsRecovery(t *testing.T) {
	t.Parallel()
	f, s, subject := recovering(t, ok)
	a, _ := f.activities(f.store)
	out, err := a.Drain(t.Context(), workflows.DrainInput{Subject: subject, RunID: "run", OriginalRunID: "run"})
	require.NoError(t, err)
	require.Equal(t, workflows.OutcomeRecover, out.Outcome)
	require.Equal(t, int64(1), out.Head.Sequence)
	require.Empty(t, s.attempts(subject))
	claimed, err := f.store.Claim(t.Context(), inbox.Claim{Subject: subject, Now: time.Now(), RunID: "next"})
	require.NoError(t, err)
	require.Zero(t, claimed.InHandUntil, "a drain that is over has nothing in hand")
}

// TestSuccessForgetsTheFailuresBefore: each event begins with the whole budget,
// whatever those before it used up.
func TestSuccessForgetsTheFailuresBefore(t *testing.T) {
	t.Parallel()
	for _, mode := range reliefModes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			var f *fleet
			begun := make(chan inbox.Subject, 5)
			s := newSink(t, func(w http.ResponseWriter, _ *http.Request, a attempt) {
				if a.number == 1 {
					begun <- f.view(f.subject("r1")).Subject
				}
				if a.number <= 3 {
					w.WriteHeader(http.StatusServiceUnavailable)
				}
			})
			f = newFleetIn(t, mode, "*="+s.URL)
			f.config.RetryInitial, f.config.RetryMaxInterval = 20*time.Millisecond, 20*time.Millisecond
			f.start()
			subject := f.subject("r1")
			f.accept(subject, 5)
			f.awaitState(subject, inbox.StateIdle)
			requireInOrder(t, f, s, subject)
			for range 5 {
				row := <-begun
				require.Zero(t, row.Streak)
				require.Zero(t, row.Spent)
				require.Empty(t, row.LastError)
			}
		})
	}
}

package activities_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

func TestHolds(t *testing.T) {
	t.Parallel()
	for _, mode := range reliefModes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			t.Run("ACriticalAnswerHoldsAndResumeGoesOn", func(t *testing.T) {
				t.Parallel()
				s := newSink(t, status(http.StatusForbidden))
				f := newFleetIn(t, mode, "*="+s.URL)
				f.start()
				subject := f.subject("r1")
				f.accept(subject, 3)
				f.awaitState(subject, inbox.StateHeld)
				f.awaitStatus(subject, "held")
				view := f.view(subject)
				require.Equal(t, inbox.HeldByPolicy, view.HeldBy)
				require.Contains(t, view.HeldReason, "403 Forbidden")
				require.WithinDuration(t, time.Now().Add(time.Hour), view.HeldUntil, time.Minute)
				require.Equal(t, 1, view.Head.Attempts)

				s.setRule(ok)
				require.NoError(t, f.operate(inbox.Verb{Verb: inbox.VerbResume, Subject: subject}))
				f.awaitRest(subject)
				requireInOrder(t, f, s, subject)
			})

			t.Run("AHoldEndsByItselfAndSuccessForgetsIt", func(t *testing.T) {
				t.Parallel()
				s := newSink(t, func(w http.ResponseWriter, _ *http.Request, a attempt) {
					if a.number <= 2 {
						w.WriteHeader(http.StatusForbidden)
					}
				})
				f := newFleetIn(t, mode, "*="+s.URL)
				f.config.PauseInitial, f.config.PauseMax = 500*time.Millisecond, time.Hour
				f.start()
				subject := f.subject("r1")
				f.accept(subject, 2)
				f.awaitRest(subject)
				requireInOrder(t, f, s, subject)
				first := s.attempts(subject)[:3]
				require.GreaterOrEqual(t, first[1].at.Sub(first[0].at), 500*time.Millisecond)
				require.GreaterOrEqual(t, first[2].at.Sub(first[1].at), time.Second, "the second hold is twice as long")
				require.Zero(t, f.view(subject).Holds)
			})

			t.Run("AHoldOutlivesATerminatedRun", func(t *testing.T) {
				t.Parallel()
				s := newSink(t, status(http.StatusForbidden))
				f := newFleetIn(t, mode, "*="+s.URL)
				f.start()
				subject := f.subject("r1")
				f.accept(subject, 2)
				f.awaitStatus(subject, "held")
				require.NoError(t, f.client.TerminateWorkflow(t.Context(), subject, "", "an operator's mistake"))
				f.ring(subject)
				f.awaitStatus(subject, "held")
				require.Len(t, s.attempts(subject), 1, "the new run found the hold in the row")

				s.setRule(ok)
				require.NoError(t, f.operate(inbox.Verb{Verb: inbox.VerbResume, Subject: subject}))
				f.awaitRest(subject)
				requireInOrder(t, f, s, subject)
			})

			t.Run("RetryAfterIsAFloorThatMayExceedTheBudget", func(t *testing.T) {
				t.Parallel()
				s := newSink(t, comeBackIn("3"))
				f := newFleetIn(t, mode, "*="+s.URL)
				f.config.RetryBudget = 2 * time.Second
				f.start()
				subject := f.subject("r1")
				f.accept(subject, 1)
				f.awaitState(subject, inbox.StateHeld)
				attempts := s.attempts(subject)
				require.Len(t, attempts, 2, "one more attempt after the wait, then the hold")
				require.GreaterOrEqual(t, attempts[1].at.Sub(attempts[0].at), 3*time.Second)
			})

			t.Run("TheBudgetCountsRealAttempts", func(t *testing.T) {
				t.Parallel()
				s := newSink(t, comeBackIn("1"))
				f := newFleetIn(t, mode, "*="+s.URL)
				f.config.RetryBudget = 3 * time.Second
				stop := f.start()
				subject := f.subject("r1")
				f.accept(subject, 1)
				s.await(subject, 1)
				stop()
				before := len(s.attempts(subject))
				spent := f.view(subject).Spent
				require.Less(t, spent, 3*time.Second)
				// However long no worker runs, that uses up no budget.
				require.Equal(t, spent, f.view(subject).Spent)
				f.start()
				f.awaitState(subject, inbox.StateHeld)
				require.Greater(t, len(s.attempts(subject)), before)
				require.GreaterOrEqual(t, f.view(subject).Streak, 3)
			})

			t.Run("StagingNeverHoldsOrRetries", func(t *testing.T) {
				t.Parallel()
				s := newSink(t, func(w http.ResponseWriter, _ *http.Request, a attempt) {
					if a.sequence%2 == 1 {
						w.WriteHeader(http.StatusForbidden)
					}
				})
				f := newFleetIn(t, mode, "*="+s.URL)
				f.start()
				subject := f.subject("r1")
				f.acceptAs(subject, 4, func(e *inbox.NewEvent) { e.Staging = true })
				f.awaitState(subject, inbox.StateIdle)
				require.Equal(t, "failed delivered failed delivered", f.statuses(subject))
				f.requireRelieved(subject)
				require.Len(t, s.attempts(subject), 4)
			})

			t.Run("AParkStatusAndAMissingRouteParkOneEvent", func(t *testing.T) {
				t.Parallel()
				s := newSink(t, func(w http.ResponseWriter, _ *http.Request, a attempt) {
					if a.sequence == 1 {
						w.WriteHeader(http.StatusGone)
					}
				})
				f := newFleetIn(t, mode, "return.*="+s.URL)
				f.config.ParkStatuses = []int{http.StatusGone}
				f.start()
				subject := f.subject("r1")
				f.accept(subject, 1)
				f.acceptAs(subject, 1, func(e *inbox.NewEvent) { e.Type = "unrouted" })
				f.accept(subject, 1)
				f.awaitState(subject, inbox.StateIdle)
				require.Equal(t, "parked parked delivered", f.statuses(subject))
				f.requireRelieved(subject)
				events := f.events(subject)
				require.Contains(t, events[0].Reason, "410 Gone")
				require.Contains(t, events[1].Reason, "no route in HOLDFAST_ROUTES matches")
			})
		})
	}
}

package activities_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/relief"
)

// inHand returns a rule under which one attempt waits until it is let go, and
// everything else is answered by the rule given.
func inHand(is func(attempt) bool, answer rule) (r rule, begun, letGo chan struct{}) {
	begun, letGo = make(chan struct{}), make(chan struct{})
	var once sync.Once
	return func(w http.ResponseWriter, request *http.Request, a attempt) {
		if is(a) {
			once.Do(func() { close(begun) })
			<-letGo
		}
		answer(w, request, a)
	}, begun, letGo
}

func sequence(n int64) func(attempt) bool { return func(a attempt) bool { return a.sequence == n } }
func number(n int) func(attempt) bool     { return func(a attempt) bool { return a.number == n } }

// draining returns a running fleet that drains a subject of n events and has one
// of them in hand until it is let go.
func draining(t *testing.T, mode relief.Mode, n int, held int64) (f *fleet, s *sink, subject string, letGo chan struct{}) {
	t.Helper()
	rule, begun, letGo := inHand(sequence(held), ok)
	s = newSink(t, rule)
	f = newFleetIn(t, mode, "*="+s.URL)
	subject = f.subject("r1")
	appendOnly(f, subject, n)
	f.ring(subject)
	f.start()
	<-begun
	return f, s, subject, letGo
}

// TestOperatorsRaceWithAnAttempt does each verb while a handler runs: the attempt
// in hand is finished, and what the operator said holds for what comes after it.
func TestOperatorsRaceWithAnAttempt(t *testing.T) {
	t.Parallel()
	for _, mode := range reliefModes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			t.Run("AResumeDuringAFailingProbeForgetsTheHoldsBefore", func(t *testing.T) {
				t.Parallel()
				rule, begun, letGo := inHand(number(3), status(http.StatusForbidden))
				s := newSink(t, rule)
				f := newFleetIn(t, mode, "*="+s.URL)
				f.config.PauseInitial, f.config.PauseMax = 200*time.Millisecond, time.Hour
				f.start()
				subject := f.subject("r1")
				f.accept(subject, 1)
				<-begun // after two holds
				f.config.PauseInitial = time.Hour
				require.NoError(t, f.operate(inbox.Verb{Verb: inbox.VerbResume, Subject: subject}))
				require.Zero(t, f.view(subject).Holds)
				close(letGo)
				f.awaitState(subject, inbox.StateHeld)
				require.Equal(t, 1, f.view(subject).Holds, "the hold after a resume is a first one")
				require.Len(t, s.attempts(subject), 3)
			})

			t.Run("AResumeDuringTheLastAttemptGivesAFullBudget", func(t *testing.T) {
				t.Parallel()
				rule, begun, letGo := inHand(number(2), comeBackIn("3"))
				s := newSink(t, rule)
				f := newFleetIn(t, mode, "*="+s.URL)
				f.config.RetryBudget = 3 * time.Second // the second attempt is the last
				f.start()
				subject := f.subject("r1")
				f.accept(subject, 1)
				<-begun
				require.NoError(t, f.operate(inbox.Verb{Verb: inbox.VerbResume, Subject: subject}))
				close(letGo)
				require.Eventually(t, func() bool { return f.view(subject).Streak > 0 }, patience, 5*time.Millisecond)
				require.Equal(t, inbox.StateRetrying, f.view(subject).State())
				require.Equal(t, []int{2}, attemptsOf(f, subject))
			})

			t.Run("AParkedEventThatTheDrainHasReadIsNotSent", func(t *testing.T) {
				t.Parallel()
				f, s, subject, letGo := draining(t, mode, 4, 2)
				require.NoError(t, f.operate(inbox.Verb{Verb: inbox.VerbPark, Subject: subject, Sequence: 3, Reason: "not this one"}))
				close(letGo)
				f.awaitRest(subject)
				require.Equal(t, "delivered delivered parked delivered", f.statuses(subject))
				require.Equal(t, []int64{1, 2, 4}, s.delivered(subject))
			})

			t.Run("APauseAndAParkOfTheEventInHandStartNoOther", func(t *testing.T) {
				t.Parallel()
				f, s, subject, letGo := draining(t, mode, 3, 1)
				require.NoError(t, f.operate(inbox.Verb{Verb: inbox.VerbPause, Subject: subject, Reason: "stop"}))
				require.NoError(t, f.operate(inbox.Verb{Verb: inbox.VerbPark, Subject: subject, Sequence: 1, Reason: "bad"}))
				close(letGo)
				f.awaitStatus(subject, "held")
				require.Len(t, s.attempts(subject), 1)
				require.Equal(t, "parked pending pending", f.statuses(subject))
			})

			t.Run("AHeadThatIsParkedWhileItsRecoveryWaitsIsNotFollowedEarly", func(t *testing.T) {
				t.Parallel()
				f, _, subject := waiting(t, mode, 3, func(w http.ResponseWriter, _ *http.Request, a attempt) {
					if a.sequence == 1 {
						w.WriteHeader(http.StatusServiceUnavailable)
					}
				})
				require.NoError(t, f.operate(inbox.Verb{Verb: inbox.VerbPark, Subject: subject, Sequence: 1, Reason: "not this one"}))
				f.awaitRest(subject)
				require.Equal(t, "parked delivered delivered", f.statuses(subject))
				require.Equal(t, []int{1, 1, 1}, attemptsOf(f, subject)[0:3])
			})
		})
	}
}

// TestRunsDoNotOverlap ends a run while its handler works: the next run waits
// until that is over.
func TestRunsDoNotOverlap(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(f *fleet, subject string){
		"AfterAReset": func(f *fleet, subject string) { f.reset(subject, f.runID(subject), 1) },
		"AfterATermination": func(f *fleet, subject string) {
			require.NoError(f.t, f.client.TerminateWorkflow(f.t.Context(), subject, "", "an operator's mistake"))
			f.ring(subject)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var open, most atomic.Int64
			rule, begun, letGo := inHand(number(2), func(w http.ResponseWriter, _ *http.Request, a attempt) {
				if a.sequence == 1 && a.number == 1 {
					w.WriteHeader(http.StatusServiceUnavailable)
				}
			})
			s := newSink(t, func(w http.ResponseWriter, r *http.Request, a attempt) {
				for n := open.Add(1); n > most.Load(); {
					most.Store(n)
				}
				defer open.Add(-1)
				rule(w, r, a)
			})
			f := newFleet(t, "*="+s.URL)
			subject := f.subject("r1")
			appendOnly(f, subject, 3)
			f.ring(subject)
			f.start()
			<-begun
			run := f.runID(subject)
			end(f, subject)
			require.Eventually(t, func() bool {
				now := f.runID(subject)
				return now != run && len(f.tasks(subject, now)) > 0
			}, patience, 20*time.Millisecond, "the next run has looked at the subject")
			require.Len(t, s.attempts(subject), 2, "and started nothing")
			close(letGo)
			f.awaitState(subject, inbox.StateIdle)
			require.EqualValues(t, 1, most.Load())
		})
	}
}

package activities_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/workflows"
)

func TestWhatAnAttemptCameToIsNotLostByAMomentaryError(t *testing.T) {
	t.Parallel()
	for _, mode := range reliefModes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s := newSink(t, func(w http.ResponseWriter, _ *http.Request, a attempt) {
				if a.sequence == 2 && a.number == 1 {
					w.WriteHeader(http.StatusBadGateway)
				}
			})
			f := newFleetIn(t, mode, "*="+s.URL)
			subject := f.subject("r1")
			appendOnly(f, subject, 2)
			f.startOn(&troubled{Inbox: f.store, beforeSettle: nth(1, errUnreachable), beforeFail: nth(1, errUnreachable)})
			f.ring(subject)
			f.awaitRest(subject)
			require.Len(t, s.attempts(subject), 3, "nothing but the failure was repeated")
			require.Equal(t, []int{1, 2}, attemptsOf(f, subject))
		})
	}
}

// The commit was made and its answer lost: the attempt counts once, and the hold is
// as long as a first one.
func TestAFailureWhoseAnswerWasLostCountsOnce(t *testing.T) {
	t.Parallel()
	for _, mode := range reliefModes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s := newSink(t, func(w http.ResponseWriter, _ *http.Request, _ attempt) { w.WriteHeader(http.StatusNotFound) })
			f := newFleetIn(t, mode, "*="+s.URL)
			subject := f.subject("r1")
			appendOnly(f, subject, 1)
			f.startOn(&troubled{Inbox: f.store, afterFail: nth(1, errUnreachable)})
			f.ring(subject)
			f.awaitStatus(subject, "held") // by the workflow, when the drain is over
			view := f.view(subject)
			require.Equal(t, 1, view.Streak)
			require.Equal(t, 1, view.Holds)
			require.Equal(t, 1, view.Head.Attempts)
			require.Len(t, s.attempts(subject), 1)
		})
	}
}

func TestALateRingMeetsASubjectsFirstEvent(t *testing.T) {
	t.Parallel()
	s := newSink(t, ok)
	f := newFleet(t, "*="+s.URL)
	subject := f.subject("r1")
	var once sync.Once
	f.startOn(&troubled{Inbox: f.store, afterClaim: func() { once.Do(func() { appendOnly(f, subject, 1); f.ring(subject) }) }})
	f.ring(subject)
	f.awaitRest(subject)
	require.Len(t, s.attempts(subject), 1, "nothing is handled without an epoch")
}

func TestASlowDiskGetsForward(t *testing.T) {
	t.Parallel()
	for _, mode := range apart {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s := newSink(t, ok)
			f := newFleetIn(t, mode, "*="+s.URL)
			subject := f.subject("r1")
			appendOnly(f, subject, 2)
			slow := time.NewTicker(2100 * time.Millisecond)
			t.Cleanup(slow.Stop)
			f.startOn(&troubled{Inbox: f.store, beforeNext: func(int) error { <-slow.C; return nil }})
			f.ring(subject)
			f.awaitRest(subject)
			requireInOrder(t, f, s, subject)
		})
	}
}

func TestADrainThatLosesTheInboxIsInTheHistory(t *testing.T) {
	t.Parallel()
	s := newSink(t, func(w http.ResponseWriter, _ *http.Request, a attempt) {
		if a.sequence == 3 && a.number == 1 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	f := newFleet(t, "*="+s.URL)
	subject := f.subject("r1")
	appendOnly(f, subject, 1)
	grown := nth(2, errUnreachable)
	f.startOn(&troubled{Inbox: f.store, beforeNext: func(int) error { return grown() }, beforeSettle: func() func() error {
		once := sync.OnceFunc(func() { appendOnly(f, subject, 3) }) // a second look is needed
		return func() error { once(); return nil }
	}()})
	f.ring(subject)
	f.awaitRest(subject)
	require.Len(t, s.attempts(subject), 5)
	run := f.runID(subject)
	// The first task's drain settled event 1 and lost the inbox. A reset to a later
	// point must not do it again.
	f.reset(subject, run, 2)
	f.awaitRest(subject)
	for _, a := range s.attempts(subject)[5:] {
		require.NotEqual(t, int64(1), a.sequence)
	}
}

func TestABusyDestinationCostsOneRead(t *testing.T) {
	t.Parallel()
	for _, mode := range reliefModes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			rule, begun, letGo := inHand(func(attempt) bool { return true }, ok)
			s := newSink(t, rule)
			f := newFleetIn(t, mode, "*="+s.URL)
			f.config.DestinationConcurrency = 1
			var most atomic.Int64
			busy := make(chan struct{})
			first, second := f.subject("first"), f.subject("second")
			f.startOn(&troubled{Inbox: f.store, beforeNext: func(limit int) error {
				most.Store(max(most.Load(), int64(limit)))
				return nil
			}})
			f.accept(first, 1)
			<-begun
			appendOnly(f, second, 50)
			f.ring(second)
			go func() { f.awaitStatus(second, "pending"); close(busy) }()
			<-busy
			require.LessOrEqual(t, most.Load(), int64(1), "bodies are read when there is a place to send them to")
			close(letGo)
			f.awaitState(second, inbox.StateIdle)
		})
	}
}

func TestOnePoisonedSubjectDoesNotShutItsDestination(t *testing.T) {
	t.Parallel()
	for _, mode := range apart {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			f := newFleetIn(t, mode)
			bad, good := f.subject("bad"), f.subject("good")
			s := newSink(t, func(w http.ResponseWriter, r *http.Request, a attempt) {
				if a.subject == bad {
					hang(w, r, a)
				}
			})
			f.config.Routes = []string{"*=" + s.URL}
			f.config.FirstAttemptTimeout, f.config.DeliveryTimeout = 500*time.Millisecond, 500*time.Millisecond
			f.config.RetryMaxInterval = 50 * time.Millisecond
			f.start()
			f.accept(bad, 1)
			s.await(bad, 12)
			f.accept(good, 1)
			f.awaitState(good, inbox.StateIdle)
			for _, e := range f.events(good) {
				require.Equal(t, 1, e.Attempts)
				require.Less(t, e.SettledAt.Sub(e.ReceivedAt), 4*time.Second, "less than the breaker stays open")
			}
		})
	}
}

func TestAnEchoOfThePayloadIsNotAnError(t *testing.T) {
	t.Parallel()
	h := destination(t, activities.Config{}, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = conn.Write([]byte("{\"patient\":\"Timothy Bixby\"}\r\n\r\n"))
			_ = conn.Close()
		}
	})
	err := h.Handle(t.Context(), sampleEvent())
	require.ErrorContains(t, err, "the answer is not valid HTTP")
	require.NotContains(t, err.Error(), "Bixby")
}

func TestAStoppingWorkerAttemptsNothing(t *testing.T) {
	t.Parallel()
	s := newSink(t, ok)
	f := newFleet(t, "*="+s.URL)
	subject := f.subject("r1")
	appendOnly(f, subject, 1)
	a, _ := f.activities(f.store)
	a.Stop()
	out, err := a.Drain(t.Context(), workflows.DrainInput{Subject: subject, RunID: "run", OriginalRunID: "run"})
	require.NoError(t, err)
	require.Equal(t, workflows.OutcomeWait, out.Outcome)
	require.Zero(t, f.view(subject).Epoch, "the subject is not even claimed")
	require.Empty(t, s.attempts(subject))
}

// TestAnAttemptThatOurEndCutsOffIsNone ends the activity in the middle of an
// attempt, as a lost worker does: no attempt is counted, no event is blamed.
func TestAnAttemptThatOurEndCutsOffIsNone(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	var once sync.Once
	s := newSink(t, func(w http.ResponseWriter, r *http.Request, a attempt) {
		once.Do(func() { close(begun) })
		hang(w, r, a)
	})
	f := newFleet(t, "*="+s.URL)
	subject := f.subject("r1")
	appendOnly(f, subject, 1)
	a, _ := f.activities(f.store)
	ctx, end := context.WithCancel(t.Context())
	go func() { <-begun; end() }()
	out, err := a.Drain(ctx, workflows.DrainInput{Subject: subject, RunID: "run", OriginalRunID: "run"})
	require.NoError(t, err)
	require.Equal(t, workflows.OutcomeWait, out.Outcome)
	view := f.view(subject)
	require.Zero(t, view.Streak)
	require.Zero(t, view.Head.Attempts)
}

// TestAnOutcomeThatComesWithOurEndIsRecorded: the handler has done its work, so
// losing that would repeat it.
func TestAnOutcomeThatComesWithOurEndIsRecorded(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	ctx, end := context.WithCancel(t.Context())
	f.handlers = []activities.Handler{{Name: "last", Handle: func(context.Context, activities.Event) error { end(); return nil }}}
	f.config.Routes = []string{"*=go:last"}
	subject := f.subject("r1")
	appendOnly(f, subject, 1)
	a, _ := f.activities(f.store)
	_, err := a.Drain(ctx, workflows.DrainInput{Subject: subject, RunID: "run", OriginalRunID: "run"})
	require.NoError(t, err)
	require.Equal(t, "delivered", f.statuses(subject))
}

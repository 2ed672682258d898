package activities_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/workflows"
)

// TestAFrozenDrain: a worker hangs in the middle of an event while another takes
// the subject over and finishes it. What the first one does when it wakes must
// settle nothing, and start nothing.
func TestAFrozenDrain(t *testing.T) {
	t.Parallel()
	frozen, thaw := make(chan struct{}), make(chan struct{})
	var first atomic.Bool
	s := newSink(t, func(_ http.ResponseWriter, _ *http.Request, a attempt) {
		if a.sequence == 2 && first.CompareAndSwap(false, true) {
			close(frozen)
			<-thaw
		}
	})
	f := newFleet(t, "*="+s.URL)
	subject := f.subject("r1")
	appendOnly(f, subject, 4)
	zombie, _ := f.activities(f.store)
	healthy, _ := f.activities(f.store)
	in := workflows.DrainInput{Subject: subject, RunID: "run", OriginalRunID: "run"}

	type result struct {
		out workflows.DrainOutput
		err error
	}
	ended := make(chan result, 1)
	go func() {
		out, err := zombie.Drain(context.WithoutCancel(t.Context()), in)
		ended <- result{out, err}
	}()
	<-frozen
	out, err := healthy.Drain(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, workflows.OutcomeEmpty, out.Outcome)
	require.Equal(t, 3, out.Settled)
	close(thaw)
	r := <-ended
	require.NoError(t, r.err)
	require.Equal(t, workflows.OutcomeWait, r.out.Outcome, "who lost the epoch looks again later")
	require.Equal(t, 1, r.out.Settled)

	require.Equal(t, "delivered delivered delivered delivered", f.statuses(subject))
	require.Equal(t, []int{1, 1, 1, 1}, attemptsOf(f, subject), "what the zombie did is not recorded")
	perEvent := map[int64]int{}
	for _, a := range s.attempts(subject) {
		perEvent[a.sequence]++
	}
	require.Equal(t, map[int64]int{1: 1, 2: 2, 3: 1, 4: 1}, perEvent, "only the event in hand was repeated")
}

// TestARingThatComesLate starts a run when everything has long been done.
func TestARingThatComesLate(t *testing.T) {
	t.Parallel()
	s := newSink(t, ok)
	f := newFleet(t, "*="+s.URL)
	f.start()
	subject := f.subject("r1")
	f.accept(subject, 3)
	f.awaitRest(subject)
	for range 3 {
		f.ring(subject)
		f.awaitRest(subject)
	}
	f.ring(f.subject("unknown"))
	f.awaitRest(f.subject("unknown"))
	require.Len(t, s.attempts(subject), 3)
	_, err := f.store.Subject(t.Context(), f.subject("unknown"))
	require.ErrorIs(t, err, inbox.ErrNotFound)
}

// TestATaskThatIsGivenAgainRepeatsNothing: a Temporal that died and came back gives
// the task of a drain again while that drain is still at work.
func TestATaskThatIsGivenAgainRepeatsNothing(t *testing.T) {
	t.Parallel()
	rule, begun, letGo := inHand(number(1), ok)
	s := newSink(t, rule)
	f := newFleet(t, "*="+s.URL)
	subject := f.subject("r1")
	appendOnly(f, subject, 2)
	a, _ := f.activities(f.store)
	in := workflows.DrainInput{Subject: subject, RunID: "run", OriginalRunID: "run"}
	first := make(chan workflows.DrainOutput)
	go func() {
		out, err := a.Drain(t.Context(), in)
		if err != nil {
			t.Error(err)
		}
		first <- out
	}()
	<-begun
	again, err := a.Drain(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, workflows.OutcomeWait, again.Outcome)
	require.Zero(t, again.Epoch)
	close(letGo)
	require.Equal(t, workflows.OutcomeEmpty, (<-first).Outcome)
	require.Equal(t, []int{1, 1}, attemptsOf(f, subject))

	again, err = a.Drain(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, workflows.OutcomeEmpty, again.Outcome, "it is over")
}

// TestAWorkerThatStopsRepeatsNothing replaces a worker in the middle of a drain.
func TestAWorkerThatStopsRepeatsNothing(t *testing.T) {
	t.Parallel()
	for _, mode := range reliefModes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			slow := time.NewTicker(10 * time.Millisecond)
			t.Cleanup(slow.Stop)
			s := newSink(t, func(http.ResponseWriter, *http.Request, attempt) { <-slow.C })
			f := newFleetIn(t, mode, "*="+s.URL)
			stop := f.start()
			subject := f.subject("r1")
			f.accept(subject, 100)
			s.await(subject, 10)
			stop()
			at := len(s.attempts(subject))
			require.Less(t, at, 100)
			f.start()
			f.awaitState(subject, inbox.StateIdle)
			requireInOrder(t, f, s, subject)
			require.Len(t, s.attempts(subject), 100)
			f.requireRelieved(subject)
		})
	}
}

// brittle is an inbox that cannot be reached now and then.
type brittle struct {
	inbox.Inbox
	calls atomic.Int64
}

var errUnreachable = errors.New("inbox: connection refused")

func (b *brittle) broken() bool { return b.calls.Add(1)%4 == 0 }

func (b *brittle) Claim(ctx context.Context, c inbox.Claim) (inbox.Claimed, error) {
	if b.broken() {
		return inbox.Claimed{}, errUnreachable
	}
	return b.Inbox.Claim(ctx, c)
}

func (b *brittle) Next(ctx context.Context, subject string, limit, maxBytes int) ([]inbox.Entry, error) {
	if b.broken() {
		return nil, errUnreachable
	}
	return b.Inbox.Next(ctx, subject, limit, maxBytes)
}

// TestOurOwnTroubleBlamesNoEvent: an inbox that cannot be reached costs time, and
// neither an attempt nor an event.
func TestOurOwnTroubleBlamesNoEvent(t *testing.T) {
	t.Parallel()
	for _, mode := range reliefModes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s := newSink(t, func(w http.ResponseWriter, _ *http.Request, a attempt) {
				if a.sequence == 2 && a.number < 3 {
					w.WriteHeader(http.StatusBadGateway)
				}
			})
			f := newFleetIn(t, mode, "*="+s.URL)
			f.startOn(&brittle{Inbox: f.store})
			subject := f.subject("r1")
			for range 3 {
				f.accept(subject, 1)
				f.ring(subject)
			}
			f.awaitState(subject, inbox.StateIdle)
			requireInOrder(t, f, s, subject)
			require.Equal(t, []int{1, 3, 1}, attemptsOf(f, subject))
		})
	}
}

// appendOnly accepts events and rings nobody.
func appendOnly(f *fleet, subject string, n int) {
	f.t.Helper()
	for range n {
		_, err := f.store.Append(f.t.Context(), inbox.Delivery{Body: []byte("{}"), Events: []inbox.NewEvent{{
			EventID: subject, Source: f.source, Provider: "redo", Subject: subject, SubjectName: subject, Type: "t", ReceivedAt: time.Now(),
		}}})
		require.NoError(f.t, err)
	}
}

func attemptsOf(f *fleet, subject string) []int {
	f.t.Helper()
	var all []int
	for _, e := range f.events(subject) {
		all = append(all, e.Attempts)
	}
	return all
}

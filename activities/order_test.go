package activities_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

// TestOrderIsKeptUnderFaults is promise 2: whatever the destination does to some
// events, each subject's events are attempted strictly one after the other.
func TestOrderIsKeptUnderFaults(t *testing.T) {
	t.Parallel()
	for _, mode := range reliefModes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			const subjects, events = 20, 50
			s := newSink(t, func(w http.ResponseWriter, r *http.Request, a attempt) {
				if a.number > 1+int(a.sequence)%2 {
					return // each fault is met once or twice
				}
				switch a.sequence % 29 {
				case 3:
					w.WriteHeader(http.StatusInternalServerError)
				case 7:
					w.Header().Set("Retry-After", "1")
					w.WriteHeader(http.StatusTooManyRequests)
				case 11:
					hang(w, r, a)
				case 17:
					reset(w, r, a)
				}
			})
			f := newFleetIn(t, mode, "*="+s.URL)
			f.config.FirstAttemptTimeout, f.config.DeliveryTimeout = time.Second, time.Second
			f.start()
			f.start()
			var all sync.WaitGroup
			for n := range subjects {
				all.Go(func() { f.accept(f.subject(fmt.Sprint("r", n)), events) })
			}
			all.Wait()
			var names []string
			for n := range subjects {
				subject := f.subject(fmt.Sprint("r", n))
				f.awaitState(subject, inbox.StateIdle)
				requireInOrder(t, f, s, subject)
				names = append(names, subject)
			}
			f.requireRelieved(names...)
		})
	}
}

// requireInOrder checks the strict reading of order: each event was delivered, in
// sequence order, and none was attempted before the one ahead of it was delivered.
// Every request is an attempt that the inbox has recorded, so an event comes twice
// only if the first answer came too late to be heard.
func requireInOrder(t *testing.T, f *fleet, s *sink, subject string) {
	t.Helper()
	attempts := s.attempts(subject)
	for _, e := range f.events(subject) {
		require.Equal(t, inbox.StatusDelivered, e.Status, "sequence %d: %s", e.Sequence, e.Reason)
		require.GreaterOrEqual(t, len(attempts), e.Attempts, "sequence %d", e.Sequence)
		for n, a := range attempts[:e.Attempts] {
			require.Equal(t, e.Sequence, a.sequence, "an attempt of another event than the first undelivered one")
			require.Equal(t, e.EventID, a.key, "every attempt has the same idempotency key")
			require.Equal(t, n+1, a.number)
		}
		require.True(t, attempts[e.Attempts-1].answered, "sequence %d is settled and was not delivered", e.Sequence)
		attempts = attempts[e.Attempts:]
	}
	require.Empty(t, attempts, "requests that are no recorded attempts")
}

// TestOneSubjectsTroubleDelaysNoOther is the first half of promise 5.
func TestOneSubjectsTroubleDelaysNoOther(t *testing.T) {
	t.Parallel()
	for _, mode := range reliefModes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			f := newFleetIn(t, mode)
			bad := f.subject("bad")
			s := newSink(t, func(w http.ResponseWriter, _ *http.Request, a attempt) {
				if a.subject == bad {
					w.WriteHeader(http.StatusForbidden)
				}
			})
			f.config.Routes = []string{"*=" + s.URL}
			f.start()
			f.accept(bad, 3)
			f.awaitState(bad, inbox.StateHeld)
			var names []string
			for n := range 10 {
				good := f.subject(fmt.Sprint("good", n))
				f.accept(good, 5)
				f.awaitState(good, inbox.StateIdle)
				requireInOrder(t, f, s, good)
				names = append(names, good)
			}
			f.requireRelieved(names...)
			require.Len(t, s.attempts(bad), 1, "a held subject is left alone")
			require.Equal(t, "pending pending pending", f.statuses(bad))
		})
	}
}

// TestAHangingDestinationDelaysNoOther is the second half: far more subjects wait
// for a destination that hangs than it may have deliveries in flight, and another
// destination's events are all delivered meanwhile.
func TestAHangingDestinationDelaysNoOther(t *testing.T) {
	t.Parallel()
	stuck := newSink(t, hang)
	quick := newSink(t, ok)
	f := newFleet(t, "stuck*="+stuck.URL, "*="+quick.URL)
	f.config.DestinationConcurrency = 4
	f.config.FirstAttemptTimeout, f.config.DeliveryTimeout = 20*time.Second, 20*time.Second
	f.start()
	for n := range 60 {
		f.acceptAs(f.subject(fmt.Sprint("h", n)), 1, func(e *inbox.NewEvent) { e.Type = "stuck" })
	}
	require.Eventually(t, func() bool { return len(stuck.seen()) >= 4 }, patience, 10*time.Millisecond)
	for n := range 20 {
		f.accept(f.subject(fmt.Sprint("q", n)), 5)
	}
	for n := range 20 {
		f.awaitState(f.subject(fmt.Sprint("q", n)), inbox.StateIdle)
	}
	require.LessOrEqual(t, len(stuck.seen()), 8, "no more deliveries in flight than the cap, and those that timed out")
	stuck.setRule(ok)
	stuck.CloseClientConnections()
	for n := range 60 {
		f.awaitState(f.subject(fmt.Sprint("h", n)), inbox.StateIdle)
	}
}

func (s *sink) seen() []attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all
}

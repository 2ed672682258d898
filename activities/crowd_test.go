package activities_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/workflows"
)

// TestACrowdComesBackOneAfterTheOther: who finds no place at a destination is told
// to come again at a time of its own, so that thousands who wait take no more from
// Temporal and the inbox than a few do.
func TestACrowdComesBackOneAfterTheOther(t *testing.T) {
	t.Parallel()
	const crowd = 100
	stuck := newSink(t, hang)
	f := newFleet(t, "*="+stuck.URL)
	f.config.DestinationConcurrency = 1
	f.config.FirstAttemptTimeout = 20 * time.Second
	a, _ := f.activities(f.store)
	drain := func(subject string) workflows.DrainOutput {
		f.append(subject, "return.updated")
		out, err := a.Drain(t.Context(), workflows.DrainInput{Subject: subject, RunID: subject, OriginalRunID: subject})
		require.NoError(t, err)
		return out
	}
	var first sync.WaitGroup
	first.Go(func() { drain(f.subject("first")) })
	stuck.await(f.subject("first"), 1)

	began := time.Now()
	var last time.Time
	var mu sync.Mutex
	var all sync.WaitGroup
	for n := range crowd {
		all.Go(func() {
			out := drain(f.subject(fmt.Sprint("r", n)))
			require.Equal(t, workflows.OutcomeWait, out.Outcome)
			require.Zero(t, out.Settled)
			mu.Lock()
			defer mu.Unlock()
			if out.Until.After(last) {
				last = out.Until
			}
		})
	}
	all.Wait()
	require.GreaterOrEqual(t, last.Sub(began), 9*time.Second, "10 a second: the hundredth comes after nearly 10 seconds")
	stuck.setRule(ok)
	stuck.CloseClientConnections()
	first.Wait()
}

// TestACrowdComesAsFastAsItsDestinationServes: at one that answers nothing slowly, at
// one that is merely full often enough to leave no place empty.
func TestACrowdComesAsFastAsItsDestinationServes(t *testing.T) {
	t.Parallel()
	var crowd activities.Crowd
	now := time.Now()
	for n := range 1200 {
		require.InDelta(t, float64(n)/10, activities.Book(&crowd, now).Seconds(), 0.01)
	}
	late := activities.Book(&crowd, now)
	require.GreaterOrEqual(t, late, time.Minute)
	require.LessOrEqual(t, late, 2*time.Minute, "nobody waits longer")

	now = now.Add(time.Hour)
	for range 6000 { // 100 a second for a minute
		now = now.Add(10 * time.Millisecond)
		activities.Served(&crowd, now)
	}
	var last time.Duration
	for range 201 {
		last = activities.Book(&crowd, now)
	}
	require.InDelta(t, 1, last.Seconds(), 0.05, "twice what it serves")

	now = now.Add(time.Minute)
	first := activities.Book(&crowd, now)
	require.Zero(t, first)
	require.InDelta(t, 0.1, activities.Book(&crowd, now).Seconds(), 0.01, "it stopped answering")
}

// TestACrowdAtADestinationDelaysNoOther is promise 5 with five times as many subjects
// as a worker has slots: of the same source, so that only the destination tells them
// apart. The benchmark of isolation has 2,000 of them.
func TestACrowdAtADestinationDelaysNoOther(t *testing.T) {
	t.Parallel()
	const slots, crowd, quickOnes, each = 60, 300, 20, 5
	stuck := newSink(t, hang)
	quick := newSink(t, ok)
	f := newFleet(t, "stuck*="+stuck.URL, "*="+quick.URL)
	f.config.FirstAttemptTimeout, f.config.DeliveryTimeout = 20*time.Second, 20*time.Second
	f.config.DestinationConcurrency = slots / 6
	f.tuning.ConcurrentDrains, f.tuning.ConcurrentRecoveries = slots, slots
	f.start()
	var ringers errgroup.Group
	ringers.SetLimit(8)
	for n := range crowd {
		ringers.Go(func() error {
			subject := f.subject(fmt.Sprint("h", n))
			f.append(subject, "stuck")
			f.ring(subject)
			return nil
		})
	}
	require.NoError(t, ringers.Wait())
	for n := range quickOnes {
		f.accept(f.subject(fmt.Sprint("q", n)), each)
	}
	require.Eventually(t, func() bool { return len(quick.seen()) == quickOnes*each }, patience, 20*time.Millisecond)
	for n := range quickOnes {
		subject := f.subject(fmt.Sprint("q", n))
		f.awaitState(subject, inbox.StateIdle)
		requireInOrder(t, f, quick, subject)
	}
	for n := range crowd {
		require.NotZero(t, f.view(f.subject(fmt.Sprint("h", n))).Pending, "the other destination still hangs")
	}
	stuck.setRule(ok)
	stuck.CloseClientConnections()
}

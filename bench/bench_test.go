package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/bench"
	"github.com/holdfast-project/holdfast/providers"
	"github.com/holdfast-project/holdfast/providers/samples"
)

func TestAWholeRun(t *testing.T) {
	t.Parallel()
	h := redoHouse(t)
	r := measure(t, bench.Options{Workload: bench.Workload{Name: "some", Events: 400, Subjects: 20, Connections: 8, Size: 1024, Duplicates: 0.3}}, h)
	require.Empty(t, r.Problems)
	require.Empty(t, r.Notes)
	require.True(t, r.Passed)
	require.Equal(t, 400, r.Sent)
	require.Equal(t, 400, r.Accepted.Events)
	require.Equal(t, 400, r.Delivered.Events)
	require.Zero(t, h.tooEarly, "a sender waits for the answer")
	require.Greater(t, r.Duplicates, 40)
	require.Equal(t, r.Duplicates, r.Recognised)
	require.Equal(t, 401+r.Duplicates, h.requests, "and one that goes first")
	require.Zero(t, r.Lost+r.OutOfOrder+r.Wrong+r.Repeated+r.Refused+r.Unanswered+r.Foreign)
	for _, s := range []bench.Speed{r.Accepted, r.Delivered} {
		require.Positive(t, s.P50)
		require.LessOrEqual(t, s.P50, s.P90)
		require.LessOrEqual(t, s.P90, s.P99)
		require.LessOrEqual(t, s.P99, s.Max)
		require.LessOrEqual(t, s.Max, 1000*s.Seconds)
		require.InDelta(t, 400, s.PerSecond*s.Seconds, 0.001)
	}
	require.Positive(t, r.CPUSeconds)
}

// The dialects read their settings from the environment, so this is not parallel.
func TestEveryDialectsEventsAreWhatTheDialectReads(t *testing.T) {
	for _, d := range providers.Dialects() {
		t.Run(d.Name, func(t *testing.T) {
			settings := samples.ThrowAway(d.Name, func() string { return secret })
			for name, value := range settings {
				t.Setenv("HOUSE_SOURCE_"+name, value)
			}
			source, err := d.New("HOUSE_SOURCE")
			require.NoError(t, err)
			h := newHouse(t, source.Provider)
			r := measure(t, bench.Options{
				Provider: d.Name, Signing: samples.Fill(d.Name, samples.Options{}, func(name string) string { return settings[name] }),
				Workload: bench.Workload{Events: 60, Subjects: 6, Connections: 4, Duplicates: 0.5},
			}, h)
			require.Empty(t, r.Problems)
			require.Equal(t, 60, r.Delivered.Events)
			require.Equal(t, r.Duplicates, r.Recognised)
			require.Len(t, h.last, 7, "subjects, and that of the first event")
		})
	}
}

func TestBodiesHaveTheSizeThatWasAskedFor(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 300, 1024, 64 << 10} {
		h := redoHouse(t)
		require.True(t, measure(t, bench.Options{Workload: bench.Workload{Events: 5, Subjects: 1, Size: size}}, h).Passed)
		for i, body := range h.bodies {
			require.True(t, json.Valid(body))
			require.False(t, i > 0 && bytes.Equal(body, h.bodies[i-1]))
			if size > 0 {
				require.InDelta(t, size, len(body), 32)
			}
		}
	}
}

func TestEventsCanEachHaveASubjectOfTheirOwn(t *testing.T) {
	t.Parallel()
	h := redoHouse(t)
	r := measure(t, bench.Options{Workload: bench.Workload{Events: 50, Connections: 4}}, h)
	require.True(t, r.Passed)
	require.Len(t, h.last, 51)
}

func TestTimeCanEndTheSending(t *testing.T) {
	t.Parallel()
	h := redoHouse(t)
	b := routed(t, bench.Options{Workload: bench.Workload{Duration: 300 * time.Millisecond, Subjects: 4, Connections: 4}}, h)
	require.NoError(t, b.Probe(t.Context()))
	before := 0.0
	r := b.Run(t.Context(), func(p bench.Progress) {
		require.GreaterOrEqual(t, p.Fraction, 0.0)
		require.LessOrEqual(t, p.Fraction, 1.0)
		before = p.Fraction
	})
	require.InDelta(t, 1, before, 1e-9, "all is done at last")
	require.Empty(t, r.Problems)
	require.Positive(t, r.Sent)
	require.Equal(t, r.Sent, r.Delivered.Events)
	require.InDelta(t, 0.3, r.Workload.DurationS, 0.001)
}

func TestARateIsNotExceeded(t *testing.T) {
	t.Parallel()
	r := measure(t, bench.Options{Workload: bench.Workload{Events: 21, Subjects: 4, Connections: 4, Rate: 50}}, redoHouse(t))
	require.True(t, r.Passed)
	require.GreaterOrEqual(t, r.Accepted.Seconds, 0.4)
}

func TestARateThatIsNotReachedIsSaid(t *testing.T) {
	t.Parallel()
	// One subject has one request at a time, which no machine makes in a microsecond.
	r := measure(t, bench.Options{Workload: bench.Workload{Events: 50, Subjects: 1, Connections: 4, Rate: 1e6}}, redoHouse(t))
	require.True(t, r.Passed)
	require.Len(t, r.Notes, 1)
	require.Contains(t, r.Notes[0], "events a second were begun, not 1000000")
}

func TestSeveralURLsTakeTurns(t *testing.T) {
	t.Parallel()
	a, b := redoHouse(t), redoHouse(t)
	// Two houses do not know of each other: each subject is one event, so that there is
	// no order between them.
	r := measure(t, bench.Options{Workload: bench.Workload{Events: 40, Connections: 4}}, a, b)
	require.Empty(t, r.Problems)
	require.Equal(t, 21, a.requests)
	require.Equal(t, 21, b.requests)
}

func TestTheDestinationTakesItsTime(t *testing.T) {
	t.Parallel()
	r := measure(t, bench.Options{Workload: bench.Workload{Events: 10, Subjects: 1, Delay: 150 * time.Millisecond}}, redoHouse(t))
	require.True(t, r.Passed)
	require.GreaterOrEqual(t, r.Delivered.Seconds, 9*0.15)
}

func TestAnInterruptedRunIsJudgedAsFarAsItCame(t *testing.T) {
	t.Parallel()
	b := routed(t, bench.Options{Workload: bench.Workload{Events: 1 << 30, Subjects: 4, Connections: 4}}, redoHouse(t))
	require.NoError(t, b.Probe(t.Context()))
	ctx, interrupt := context.WithCancel(t.Context())
	var seen []bench.Progress
	r := b.Run(ctx, func(p bench.Progress) {
		seen = append(seen, p)
		if p.Accepted > 0 {
			interrupt()
		}
	})
	require.Empty(t, r.Problems)
	require.True(t, r.Interrupted)
	require.Positive(t, r.Sent)
	require.Equal(t, r.Sent, r.Delivered.Events)
	last := seen[len(seen)-1]
	require.Equal(t, r.Sent, last.Sent)
	require.Equal(t, r.Sent, last.Accepted)
	require.Equal(t, r.Sent, last.Delivered)
	require.Less(t, last.Fraction, 0.5)
}

func TestWhatNoBenchSentIsRefused(t *testing.T) {
	t.Parallel()
	b := routed(t, bench.Options{Workload: bench.Workload{Events: 5, Subjects: 1}}, redoHouse(t))
	post := func(body string) int {
		answer, err := http.Post("http://"+b.Address().String(), "application/json", strings.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		return answer.StatusCode
	}
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	require.Equal(t, http.StatusServiceUnavailable, post(`{"type":"updated","return":{"id":"a customer's"}}`), "it would be lost")
	require.Equal(t, http.StatusServiceUnavailable, post(`{"a":"b","holdfast_bench":"x/y"}`))
	require.Equal(t, http.StatusServiceUnavailable, post(""))
	require.Equal(t, http.StatusOK, post(`{"a":"b","holdfast_bench":"bench-another/3/7"}`), "left over from a bench that was stopped")
	require.NoError(t, b.Probe(t.Context()))
	r := b.Run(t.Context(), nil)
	require.True(t, r.Passed)
	require.Equal(t, 3, r.Foreign)
	require.Len(t, r.Notes, 2)
	require.Contains(t, r.Notes[0], "real traffic seems to be routed here")
	require.Contains(t, r.Notes[1], "left over from another bench")
}

func TestNothingIsSentUnlessTheFirstEventComesBack(t *testing.T) {
	t.Parallel()
	t.Run("RoutedElsewhere", func(t *testing.T) {
		t.Parallel()
		a, astray := redoHouse(t), redoHouse(t)
		b := routed(t, bench.Options{FirstPatience: 2 * time.Second, Workload: bench.Workload{Events: 10, Subjects: 1}}, a, astray)
		astray.mu.Lock()
		astray.to = ""
		astray.mu.Unlock()
		err := b.Probe(t.Context())
		var failed *bench.NotDeliveredError
		require.ErrorAs(t, err, &failed)
		require.EqualError(t, err, failed.URL+" accepted an event, and it was not delivered here")
		require.Equal(t, 1, astray.requests)
		if failed.URL == astray.url { // unless the machine was too slow for either
			require.Equal(t, int64(1), failed.Sequence)
			require.True(t, strings.HasPrefix(failed.Subject, "source/bench-"), failed.Subject)
		}
	})
	t.Run("RefusedForNow", func(t *testing.T) {
		t.Parallel()
		h := redoHouse(t)
		h.refuse = func(int) int { return http.StatusServiceUnavailable }
		b := routed(t, bench.Options{Workload: bench.Workload{Events: 10, Subjects: 1}}, h)
		require.EqualError(t, b.Probe(t.Context()), h.url+" answered 503")
		require.Equal(t, 1, h.requests)
	})
	t.Run("Refused", func(t *testing.T) {
		t.Parallel()
		h := redoHouse(t)
		b := routed(t, bench.Options{
			Provider: "redo", Signing: samples.Options{Secret: "wrong"}, Workload: bench.Workload{Events: 10, Subjects: 1},
		}, h)
		err := b.Probe(t.Context())
		var failed *bench.NotAcceptedError
		require.ErrorAs(t, err, &failed)
		require.Equal(t, 401, failed.Last.Status)
		require.EqualError(t, err, h.url+" answered 401")
	})
	t.Run("NobodyIsThere", func(t *testing.T) {
		t.Parallel()
		gone := httptest.NewServer(http.NotFoundHandler())
		gone.Close()
		b, err := bench.Open(t.Context(), complete(bench.Options{
			URLs: []string{gone.URL}, Workload: bench.Workload{Events: 10, Subjects: 1},
		}))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, b.Close()) })
		require.ErrorContains(t, b.Probe(t.Context()), gone.URL+" gives no answer: ")
	})
	t.Run("Interrupted", func(t *testing.T) {
		t.Parallel()
		b := routed(t, bench.Options{Workload: bench.Workload{Events: 10, Subjects: 1}}, redoHouse(t))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, b.Probe(ctx), context.Canceled)
	})
}

func TestWhatCannotBeOpenedIsSaid(t *testing.T) {
	t.Parallel()
	_, err := bench.Open(t.Context(), bench.Options{Provider: "stripe"})
	require.EqualError(t, err, "there is no bench for stripe")
	taken := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(taken.Close)
	o := complete(bench.Options{})
	o.Listen = strings.TrimPrefix(taken.URL, "http://")
	_, err = bench.Open(t.Context(), o)
	require.ErrorContains(t, err, "listen for deliveries: ")
	require.ErrorContains(t, err, "address already in use")
}

func TestNamedWorkloadsCanBeRun(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, w := range bench.Workloads() {
		require.False(t, seen[w.Name])
		seen[w.Name] = true
		require.NotEqual(t, w.Events == 0, w.Duration == 0, "%s ends, in one way", w.Name)
		require.Positive(t, w.Connections)
		require.Positive(t, w.Size)
	}
	for _, name := range []string{"accept", "hot", "warm", "cold", "calm"} {
		require.True(t, seen[name], name)
	}
}

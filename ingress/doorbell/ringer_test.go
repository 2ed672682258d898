package doorbell_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-project/holdfast/ingress/doorbell"
	"github.com/holdfast-project/holdfast/workflows"
)

// call is one SignalWithStart that reached Temporal.
type call struct {
	subject, signal string
	argument        any
	options         client.StartWorkflowOptions
	workflow        any
	input           []any
	at              time.Time
}

// server is a Temporal that answers as it is told.
type server struct {
	mu     sync.Mutex
	calls  []call
	answer func(ctx context.Context, subject string, nth int) error
}

func (s *server) SignalWithStartWorkflow(ctx context.Context, id, signal string, argument any,
	options client.StartWorkflowOptions, workflow any, input ...any,
) (client.WorkflowRun, error) {
	s.mu.Lock()
	s.calls = append(s.calls, call{id, signal, argument, options, workflow, input, time.Now()})
	nth := 0
	for _, c := range s.calls {
		if c.subject == id {
			nth++
		}
	}
	s.mu.Unlock()
	if s.answer == nil {
		return nil, nil
	}
	return nil, s.answer(ctx, id, nth)
}

func (s *server) of(subject string) []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []call
	for _, c := range s.calls {
		if c.subject == subject {
			found = append(found, c)
		}
	}
	return found
}

var errAway = errors.New("unavailable")

type bench struct {
	t        *testing.T // of some
	server   *server
	ringer   *doorbell.Ringer
	registry *prometheus.Registry
	log      *bytes.Buffer
}

func newBench(answer func(context.Context, string, int) error, change ...func(*doorbell.Options)) *bench {
	b := &bench{server: &server{answer: answer}, registry: prometheus.NewRegistry(), log: &bytes.Buffer{}}
	o := doorbell.Options{
		Temporal: b.server, Registry: b.registry, Log: slog.New(slog.NewTextHandler(b.log, nil)), Callers: 4,
	}
	for _, f := range change {
		f(&o)
	}
	b.ringer = doorbell.NewRinger(o)
	return b
}

func (b *bench) close(t *testing.T, limit time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), limit)
	defer cancel()
	return b.ringer.Close(ctx)
}

// metric returns the value of the series with this label value, or without labels.
func metric(t *testing.T, registry *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == name && (label == "" || m.GetLabel()[0].GetValue() == label) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return -1
}

func TestRingStartsTheSubjectsWorkflow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(nil)
		b.ringer.Ring("redo/r1")
		b.ringer.Tell("redox/p/1")
		synctest.Wait()
		ring, tell := b.server.of("redo/r1"), b.server.of("redox/p/1")
		require.Len(t, ring, 1)
		require.Equal(t, workflows.SignalDoorbell, ring[0].signal)
		require.Nil(t, ring[0].argument, "a ring carries no data")
		require.Equal(t, workflows.WorkflowType, ring[0].workflow)
		require.Equal(t, []any{workflows.Input{}}, ring[0].input)
		require.Equal(t, "redo/r1", ring[0].options.ID)
		require.Equal(t, workflows.DefaultTaskQueue, ring[0].options.TaskQueue)
		require.Equal(t, temporal.Priority{FairnessKey: "redo"}, ring[0].options.Priority)
		require.Equal(t, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, ring[0].options.WorkflowIDReusePolicy)
		source, ok := ring[0].options.TypedSearchAttributes.GetKeyword(temporal.NewSearchAttributeKeyKeyword(workflows.SearchAttributeSource))
		require.True(t, ok)
		require.Equal(t, "redo", source)

		require.Len(t, tell, 1)
		require.Equal(t, workflows.SignalOperate, tell[0].signal)
		require.Equal(t, workflows.Operate{}, tell[0].argument)
		require.InDelta(t, 2, metric(t, b.registry, "holdfast_rings_total", "rung"), 0)
		require.NoError(t, b.close(t, time.Second))
	})
}

func TestFailedRingIsTriedUntilItSucceeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(func(_ context.Context, _ string, nth int) error {
			if nth <= 12 {
				return errAway
			}
			return nil
		})
		b.ringer.Tell("redo/r1")
		<-time.After(10 * time.Minute) // on the bubble's clock
		calls := b.server.of("redo/r1")
		require.Len(t, calls, 13)
		for i, c := range calls[1:] {
			gap := c.at.Sub(calls[i].at)
			require.LessOrEqual(t, gap, 30*time.Second)
			require.GreaterOrEqual(t, gap, min(250*time.Millisecond<<min(i, 7), 15*time.Second))
			require.Equal(t, workflows.SignalOperate, c.signal, "a Tell stays one")
		}
		require.Zero(t, b.ringer.Waiting())
		require.InDelta(t, 12, metric(t, b.registry, "holdfast_rings_total", "failed"), 0)
		lines := bytes.Count(b.log.Bytes(), []byte("\n"))
		require.Positive(t, lines)
		require.Less(t, lines, 8, "at most a line each half minute")
		require.NoError(t, b.close(t, time.Second))
	})
}

func TestRingsOfOneSubjectAreOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		b := newBench(func(context.Context, string, int) error { <-gate; return nil })
		b.ringer.Ring("redo/r1")
		synctest.Wait()
		for range 1000 {
			b.ringer.Ring("redo/r1") // the call under way may have come too early
		}
		require.Equal(t, 1, b.ringer.Waiting())
		close(gate)
		synctest.Wait()
		require.Len(t, b.server.of("redo/r1"), 2)
		require.NoError(t, b.close(t, time.Second))
	})
}

func TestTellIsStrongerThanRing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		b := newBench(func(context.Context, string, int) error { <-gate; return nil }, func(o *doorbell.Options) { o.Callers = 2 })
		b.ringer.Ring("busy/1")
		b.ringer.Ring("busy/2")
		synctest.Wait()
		b.ringer.Ring("redo/r1")
		b.ringer.Tell("redo/r1")
		b.ringer.Ring("redo/r1")
		close(gate)
		synctest.Wait()
		calls := b.server.of("redo/r1")
		require.Len(t, calls, 1)
		require.Equal(t, workflows.SignalOperate, calls[0].signal)
		require.NoError(t, b.close(t, time.Second))
	})
}

func TestRingNeverBlocks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(func(ctx context.Context, _ string, _ int) error { <-ctx.Done(); return ctx.Err() },
			func(o *doorbell.Options) { o.Capacity = 200 })
		start := time.Now()
		for i := range 150 {
			b.ringer.Ring(fmt.Sprintf("redo/%d", i))
		}
		b.ringer.Tell("redo/told")
		require.Zero(t, time.Since(start))
		require.Equal(t, 100, b.ringer.Waiting())
		require.InDelta(t, 51, metric(t, b.registry, "holdfast_rings_total", "dropped"), 0)
		require.InDelta(t, 100, metric(t, b.registry, "holdfast_rings_waiting", ""), 0)
		require.Contains(t, b.log.String(), "redo/told")
		require.ErrorContains(t, b.close(t, time.Second), "100 subjects were not rung")
		require.Equal(t, time.Second, time.Since(start), "Close is bounded")
	})
}

// TestAFloodOfOneSourceDelaysNoOther: the sources take turns, and a flood leaves
// room in the ringer for the others.
func TestAFloodOfOneSourceDelaysNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(func(context.Context, string, int) error { <-time.After(time.Millisecond); return nil },
			func(o *doorbell.Options) { o.Capacity = 1000 })
		for n := range 2000 {
			b.ringer.Ring(fmt.Sprintf("flood/%d", n))
		}
		require.Equal(t, 500, b.ringer.Waiting(), "it takes as much as it leaves")
		for n := range 10 {
			b.ringer.Ring(fmt.Sprintf("calm/%d", n))
			b.ringer.Ring(fmt.Sprintf("other/%d", n))
		}
		start := time.Now()
		for n := range 10 {
			for len(b.server.of(fmt.Sprintf("calm/%d", n))) == 0 {
				<-time.After(time.Millisecond)
			}
		}
		require.LessOrEqual(t, time.Since(start), 20*time.Millisecond, "4 callers at 1 ms, 3 sources in turn")
		require.NoError(t, b.close(t, time.Minute))
		require.Zero(t, b.ringer.Waiting())
	})
}

func TestTheFairnessKeyFitsTemporalsLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(nil)
		long := strings.Repeat("a", 100) + "/1"
		b.ringer.Ring(long)
		synctest.Wait()
		require.Len(t, b.server.of(long)[0].options.Priority.FairnessKey, 64)
		require.NoError(t, b.close(t, time.Second))
	})
}

func TestSubjectsThatKeepFailingDelayNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(func(ctx context.Context, subject string, _ int) error {
			if strings.HasPrefix(subject, "bad/") {
				<-ctx.Done() // each until its timeout
				return ctx.Err()
			}
			return nil
		}, func(o *doorbell.Options) { o.Callers = doorbell.DefaultCallers })
		for i := range 50 {
			b.ringer.Ring(fmt.Sprintf("bad/%d", i))
		}
		// While some of them were never tried, and when all wait for another try.
		for _, moment := range []time.Duration{11 * time.Second, 2 * time.Minute} {
			<-time.After(moment) // on the bubble's clock
			subject := "redo/" + moment.String()
			b.ringer.Ring(subject)
			synctest.Wait()
			require.Len(t, b.server.of(subject), 1, "at once")
		}
		require.Error(t, b.close(t, time.Second))
	})
}

func TestCloseFlushes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		b := newBench(func(context.Context, string, int) error {
			if !up.Load() {
				return errAway
			}
			return nil
		})
		for i := range 20 {
			b.ringer.Ring(fmt.Sprintf("redo/%d", i))
		}
		<-time.After(3 * time.Minute) // on the bubble's clock
		up.Store(true)
		start := time.Now()
		require.NoError(t, b.close(t, time.Minute))
		require.Zero(t, time.Since(start), "nobody waits for its next try")
		require.Zero(t, b.ringer.Waiting())
		b.ringer.Ring("redo/late")
		require.Empty(t, b.server.of("redo/late"))
	})
}

func TestCloseSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(func(context.Context, string, int) error { return errAway })
		b.ringer.Ring("redo/r1")
		synctest.Wait()
		require.ErrorContains(t, b.close(t, time.Minute), "1 subjects were not rung; the sweeper")
	})
}

func TestManyRingersAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(func(_ context.Context, _ string, nth int) error {
		if nth == 1 {
			return errAway
		}
		return nil
	})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 200 {
				b.ringer.Ring(fmt.Sprintf("redo/%d", i))
			}
		})
	}
	all.Wait()
	require.Eventually(t, func() bool { return b.ringer.Waiting() == 0 }, 10*time.Second, time.Millisecond)
	require.NoError(t, b.close(t, 10*time.Second))
	for i := range 200 {
		require.NotEmpty(t, b.server.of(fmt.Sprintf("redo/%d", i)))
	}
}

// TestASourceHasItsShareOfTheCallers: calls that are slow because one source floods
// leave callers to the others.
func TestASourceHasItsShareOfTheCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		b := newBench(func(context.Context, string, int) error { <-gate; return nil }, func(o *doorbell.Options) { o.Callers = 16 })
		for n := range 100 {
			b.ringer.Ring(fmt.Sprintf("flood/%d", n))
		}
		synctest.Wait()
		require.Len(t, b.server.calls, 4)
		for n := range 100 {
			b.ringer.Ring(fmt.Sprintf("calm/%d", n))
		}
		synctest.Wait()
		require.Len(t, b.server.calls, 8)
		close(gate)
		synctest.Wait()
		require.Len(t, b.server.calls, 200)
		require.NoError(t, b.close(t, time.Second))
	})
}

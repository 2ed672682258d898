package doorbell_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-project/holdfast/deploy/bench/cputime"
	"github.com/holdfast-project/holdfast/ingress/doorbell"
)

// atOnce is a Temporal that answers every ring at once; with a gate, when that
// opens.
type atOnce struct{ gate chan struct{} }

func (s atOnce) SignalWithStartWorkflow(
	ctx context.Context, _, _ string, _ any, _ client.StartWorkflowOptions, _ any, _ ...any,
) (client.WorkflowRun, error) {
	if s.gate == nil {
		return nil, nil
	}
	select {
	case <-s.gate:
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func benchedRinger(b *testing.B, temporal doorbell.Starter) *doorbell.Ringer {
	b.Helper()
	ringer := doorbell.NewRinger(doorbell.Options{
		Temporal: temporal, Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_ = ringer.Close(ctx)
	})
	return ringer
}

// BenchmarkRing measures what a ring costs us, up to the call of Temporal: of a
// subject that waits for its ring already, and of one that has to be carried.
func BenchmarkRing(b *testing.B) {
	b.Run("Waiting", func(b *testing.B) {
		gate := make(chan struct{})
		ringer := benchedRinger(b, atOnce{gate})
		b.Cleanup(func() { close(gate) }) // before the ringer's Close
		for n := range 100 {
			ringer.Ring(fmt.Sprintf("redo/ahead-%d", n)) // more than the callers take
		}
		ringer.Ring("redo/r1")
		report := cputime.Start()
		for b.Loop() {
			ringer.Ring("redo/r1")
		}
		report(b, b.N)
	})
	b.Run("Carried", func(b *testing.B) {
		ringer := benchedRinger(b, atOnce{})
		subjects := make([]string, 256)
		for n := range subjects {
			subjects[n] = fmt.Sprintf("redo/r%d", n)
		}
		b.ResetTimer()
		report := cputime.Start()
		for n := range b.N {
			if n%len(subjects) == 0 {
				empty(ringer)
			}
			ringer.Ring(subjects[n%len(subjects)])
		}
		empty(ringer)
		report(b, b.N)
	})
}

// empty waits until every ring has been carried.
func empty(ringer *doorbell.Ringer) {
	for ringer.Waiting() > 0 {
		time.Sleep(10 * time.Microsecond) //nolint:forbidigo // a benchmark that would rather not spin
	}
}

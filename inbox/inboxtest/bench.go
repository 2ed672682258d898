package inboxtest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/deploy/bench/cputime"
	"github.com/holdfast-project/holdfast/inbox"
)

// Bench is a store to be measured, and what it tells of its commits: a benchmark
// reports how many changes shared one.
type Bench struct {
	inbox.Inbox
	Commits func() int64
}

const (
	benchSubjects = 200
	benchBody     = 1024
)

// Benchmark measures a store: 200 subjects, bodies of 1 KB, as many callers at once as
// a busy ingress and worker have. open returns a fresh store, and a second handle on
// it if it has any: then ingress and worker are two processes.
func Benchmark(b *testing.B, open func(b *testing.B) (ingress, worker Bench)) {
	b.Run("Append", func(b *testing.B) {
		store, _ := open(b)
		var n atomic.Int64
		b.SetParallelism(32)
		measure(b, store, func() {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := benchAppend(b.Context(), store, int(n.Add(1))); err != nil {
						b.Error(err)
					}
				}
			})
		})
	})
	b.Run("Settle", func(b *testing.B) {
		store, worker := open(b)
		require.NoError(b, benchFill(b, store, func(int, inbox.Receipt) {}))
		measure(b, worker, func() {
			var drains errgroup.Group
			drains.SetLimit(32)
			for i := range min(benchSubjects, b.N) {
				drains.Go(func() error { return benchDrain(b.Context(), worker, benchSubject(i)) })
			}
			require.NoError(b, drains.Wait())
		})
	})
	b.Run("AppendWhileDraining", func(b *testing.B) {
		store, worker := open(b)
		measure(b, worker, func() {
			var drains errgroup.Group
			require.NoError(b, benchFill(b, store, func(i int, r inbox.Receipt) {
				if r.Ring {
					drains.Go(func() error { return benchDrain(b.Context(), worker, benchSubject(i)) })
				}
			}))
			require.NoError(b, drains.Wait())
		})
	})
}

func measure(b *testing.B, store Bench, run func()) {
	b.Helper()
	before := store.Commits()
	b.ResetTimer()
	report := cputime.Start()
	run()
	report(b, b.N)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/float64(store.Commits()-before), "events/commit")
}

func benchSubject(i int) string { return fmt.Sprintf("redo/return_%04d", i%benchSubjects) }

func benchAppend(ctx context.Context, store inbox.Accepter, i int) (inbox.Receipt, error) {
	subject, key := benchSubject(i), fmt.Sprintf("k%d", i)
	receipts, err := store.Append(ctx, inbox.Delivery{
		ContentType: "application/json", Body: make([]byte, benchBody), Events: []inbox.NewEvent{{
			EventID: "id-" + key, Source: "redo", Provider: "redo", Subject: subject, SubjectName: subject,
			Type: "return.updated", Key: key, ReceivedAt: time.Now(),
		}},
	})
	if err != nil {
		return inbox.Receipt{}, err
	}
	return receipts[0], nil
}

// benchFill appends b.N events, 64 at a time.
func benchFill(b *testing.B, store inbox.Accepter, stored func(int, inbox.Receipt)) error {
	b.Helper()
	var senders errgroup.Group
	senders.SetLimit(64)
	for i := range b.N {
		senders.Go(func() error {
			receipt, err := benchAppend(b.Context(), store, i)
			if err == nil {
				stored(i, receipt)
			}
			return err
		})
	}
	return senders.Wait()
}

// benchDrain handles what is pending of a subject until a settlement says that
// nothing is.
func benchDrain(ctx context.Context, store inbox.Drainer, subject string) error {
	now := time.Now()
	claimed, err := store.Claim(ctx, inbox.Claim{Subject: subject, Now: now, BusyUntil: now.Add(time.Minute), RunID: "run", OriginalRunID: "run"})
	for err == nil {
		var entries []inbox.Entry
		if entries, err = store.Next(ctx, subject, 64, 1<<20); err != nil {
			return err
		}
		for _, entry := range entries {
			settled, err := store.Settle(ctx, inbox.Settlement{
				Subject: subject, Epoch: claimed.Subject.Epoch, Sequence: entry.Sequence, Status: inbox.StatusDelivered,
				Handler: "log", Attempts: 1, Now: now, RunID: "run", OriginalRunID: "run",
			})
			if err != nil || settled.Pending == 0 {
				return err
			}
		}
	}
	return err
}

package postgres_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/inbox/postgres"
	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
)

const benchSubjects = 200

func benchSubject(i int) string { return fmt.Sprintf("redo/return_%04d", i%benchSubjects) }

func BenchmarkAppend(b *testing.B) {
	store := benchStore(b)
	body := make([]byte, 1024)
	before := store.Stats().Commits
	var n atomic.Int64
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := int(n.Add(1))
			if _, err := appendOne(b.Context(), store, benchSubject(i), keyOf(i), body); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/float64(store.Stats().Commits-before), "appends/commit")
}

// drainAll settles what is pending of each subject, 32 subjects at a time, as a
// worker's drains do.
func drainAll(b *testing.B, store *postgres.Store) {
	b.Helper()
	var group errgroup.Group
	group.SetLimit(32)
	for i := range benchSubjects {
		group.Go(func() error {
			subject := benchSubject(i)
			epoch, err := claim(b.Context(), store, subject)
			for err == nil {
				entries, failure := store.Next(b.Context(), subject, 64, 1<<20)
				if failure != nil || len(entries) == 0 {
					return failure
				}
				for _, entry := range entries {
					if err = settle(b.Context(), store, subject, epoch, entry.Sequence); err != nil {
						break
					}
				}
			}
			return err
		})
	}
	require.NoError(b, group.Wait())
}

func appendAll(b *testing.B, store *postgres.Store) {
	b.Helper()
	body := make([]byte, 1024)
	var group errgroup.Group
	group.SetLimit(64)
	for i := range b.N {
		group.Go(func() error {
			_, err := appendOne(b.Context(), store, benchSubject(i), keyOf(i), body)
			return err
		})
	}
	require.NoError(b, group.Wait())
}

func BenchmarkSettle(b *testing.B) {
	store := benchStore(b)
	appendAll(b, store)
	before := store.Stats().Commits
	b.ResetTimer()
	drainAll(b, store)
	b.ReportMetric(float64(b.N)/float64(store.Stats().Commits-before), "settles/commit")
}

func BenchmarkAppendAndDrain(b *testing.B) {
	store := benchStore(b)
	b.ResetTimer()
	appendAll(b, store)
	drainAll(b, store)
}

// benchStore is a store on a server of its own that waits for its disk.
func benchStore(b *testing.B) *postgres.Store {
	b.Helper()
	server := postgrestest.New(b, postgrestest.Options{})
	return open(b, server.URL("postgres"), postgres.Options{})
}

// BenchmarkAppendWhileDraining has ingress and worker want the same rows at the same
// time: a drain for each subject that was rung, until nothing is pending.
func BenchmarkAppendWhileDraining(b *testing.B) {
	server := postgrestest.New(b, postgrestest.Options{})
	ingress := open(b, server.URL("postgres"), postgres.Options{})
	worker := open(b, server.URL("postgres"), postgres.Options{})
	body := make([]byte, 1024)
	b.ResetTimer()
	var senders, drains errgroup.Group
	senders.SetLimit(64)
	for i := range b.N {
		senders.Go(func() error {
			receipt, err := appendOne(b.Context(), ingress, benchSubject(i), keyOf(i), body)
			if err == nil && receipt.Ring {
				drains.Go(func() error { return drainOne(b, worker, benchSubject(i)) })
			}
			return err
		})
	}
	require.NoError(b, senders.Wait())
	require.NoError(b, drains.Wait())
	b.ReportMetric(float64(worker.Stats().Operations)/float64(worker.Stats().Commits), "changes/commit")
}

// drainOne handles what is pending of a subject until a settlement says that
// nothing is.
func drainOne(b *testing.B, store *postgres.Store, subject string) error {
	b.Helper()
	epoch, err := claim(b.Context(), store, subject)
	for err == nil {
		entries, failure := store.Next(b.Context(), subject, 64, 1<<20)
		if failure != nil {
			return failure
		}
		for _, entry := range entries {
			settled, failure := store.Settle(b.Context(), settlementOf(subject, epoch, entry.Sequence))
			if failure != nil || settled.Pending == 0 {
				return failure
			}
		}
	}
	return err
}

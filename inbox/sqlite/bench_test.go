package sqlite_test

import (
	"testing"

	"github.com/holdfast-project/holdfast/inbox/inboxtest"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

func BenchmarkInbox(b *testing.B) {
	inboxtest.Benchmark(b, func(b *testing.B) (ingress, worker inboxtest.Bench) {
		b.Helper()
		store := newStore(b, sqlite.Options{})
		bench := inboxtest.Bench{Inbox: store, Commits: func() int64 { return store.Stats().Commits }}
		return bench, bench
	})
}

package postgres_test

import (
	"testing"

	"github.com/holdfast-project/holdfast/inbox/inboxtest"
	"github.com/holdfast-project/holdfast/inbox/postgres"
	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
)

// BenchmarkInbox is on a server of its own that waits for its disk.
func BenchmarkInbox(b *testing.B) {
	inboxtest.Benchmark(b, func(b *testing.B) (ingress, worker inboxtest.Bench) {
		b.Helper()
		server := postgrestest.New(b, postgrestest.Options{})
		process := func() inboxtest.Bench {
			store := open(b, server.URL("postgres"), postgres.Options{})
			return inboxtest.Bench{Inbox: store, Commits: func() int64 { return store.Stats().Commits }}
		}
		return process(), process()
	})
}

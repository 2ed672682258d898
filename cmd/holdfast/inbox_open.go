package main

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/postgres"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

// openInbox opens the inbox that HOLDFAST_INBOX names.
func openInbox(ctx context.Context, c Config, registry prometheus.Registerer, log *slog.Logger) (inbox.Inbox, error) {
	if file, ok := c.Inbox.sqlite(); ok {
		store, err := sqlite.Open(ctx, file, sqlite.Options{})
		if err != nil {
			return nil, err
		}
		exportInbox(registry, func() inboxStats { return inboxStats(store.Stats()) })
		return store, nil
	}
	store, err := postgres.Open(ctx, c.Inbox.reveal(), postgres.Options{Migrate: c.Migrate, Connections: c.InboxConnections, Log: log})
	if err != nil {
		return nil, err
	}
	exportInbox(registry, func() inboxStats { return inboxStats(store.Stats()) })
	return store, nil
}

// inboxStats are what every store counts.
type inboxStats struct {
	Commits    int64
	Operations int64
	Queued     int
}

// exportInbox makes a store's counts metrics. Operations by commits is how many
// share one wait for the disk.
func exportInbox(registry prometheus.Registerer, stats func() inboxStats) {
	registry.MustRegister(
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "holdfast_inbox_commits_total", Help: "Transactions that this process made durable in the inbox, each with one wait for the disk.",
		}, func() float64 { return float64(stats().Commits) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "holdfast_inbox_operations_total", Help: "Appends, claims, settlements and others that shared those transactions.",
		}, func() float64 { return float64(stats().Operations) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "holdfast_inbox_queued", Help: "Operations of this process that wait for the inbox.",
		}, func() float64 { return float64(stats().Queued) }),
	)
}

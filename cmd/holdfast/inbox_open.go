package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

// openInbox opens the inbox that HOLDFAST_INBOX names.
func openInbox(ctx context.Context, c Config, _ *slog.Logger) (inbox.Inbox, error) {
	if file, ok := c.Inbox.sqlite(); ok {
		return sqlite.Open(ctx, file, sqlite.Options{})
	}
	return nil, errors.New("HOLDFAST_INBOX: PostgreSQL is not built in")
}

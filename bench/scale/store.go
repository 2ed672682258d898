package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/postgres"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

const sqliteScheme = "sqlite:"

// kindOf names the kind of an inbox, and nothing that may be secret.
func kindOf(url string) string {
	if strings.HasPrefix(url, sqliteScheme) {
		return "sqlite"
	}
	return "postgres"
}

// openStore opens an inbox as holdfast does, which therefore must not run.
func openStore(ctx context.Context, url string) (inbox.Inbox, error) {
	if file, ok := strings.CutPrefix(url, sqliteScheme); ok {
		return sqlite.Open(ctx, file, sqlite.Options{})
	}
	return postgres.Open(ctx, url, postgres.Options{Migrate: true})
}

// withStore opens an inbox in which nothing is pending, and closes it again.
func withStore(ctx context.Context, url string, use func(inbox.Inbox) error) error {
	store, err := openStore(ctx, url)
	if err != nil {
		return err
	}
	counts, err := store.Count(ctx)
	if err == nil && counts.Pending > 0 {
		err = fmt.Errorf("%d events are pending in the %s inbox: give one in which none is", counts.Pending, kindOf(url))
	}
	if err == nil {
		err = use(store)
	}
	if closed := store.Close(); err == nil {
		err = closed
	}
	return err
}

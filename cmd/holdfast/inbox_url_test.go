package main

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInboxURLShowsNoSecret(t *testing.T) {
	t.Parallel()
	for given, want := range map[inboxURL]string{
		"sqlite:./data/inbox.db": "sqlite:./data/inbox.db",
		"postgres://ann:hunter2@db.test:5432/holdfast?sslmode=verify-full": "postgres://ann@db.test:5432/holdfast",
		"postgresql://db.test/holdfast?password=hunter2":                   "postgresql://db.test/holdfast",
		"postgres://:hunter2@db.test/holdfast":                             "postgres://db.test/holdfast",
		"postgres://ann:hunter2%@db.test/holdfast":                         "[not a valid inbox]",
		"mysql://ann:hunter2@db.test/holdfast":                             "[not a valid inbox]",
		"hunter2":                                                          "[not a valid inbox]",
	} {
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Info("started", slog.Any("inbox", given), slog.String("again", given.String()))
		printed := fmt.Sprintf("%v %s %q %#v %+v", given, given, given, given, Config{Inbox: given})
		require.Equal(t, want, given.String())
		require.NotContains(t, printed, "hunter2", given)
	}
}

func TestInboxURLIsValidatedWithoutBeingShown(t *testing.T) {
	t.Parallel()
	for _, good := range []inboxURL{"sqlite:inbox.db", "postgres://db.test/holdfast", "postgresql://ann:x%40y@db.test/holdfast?sslmode=require", "postgres://db.test?dbname=holdfast"} {
		require.NoError(t, good.validate(), good)
	}
	for _, bad := range []inboxURL{"", "sqlite:", "hunter2", "mysql://hunter2", "postgres:hunter2", "postgres://ann:hunter2%@db.test/x", "postgres://ann:hunter2/@db.test:x/y", "postgres://ann:hunter2@db.test", "postgres://ann:hunter2@db.test/?sslmode=require"} {
		err := bad.validate()
		require.Error(t, err, bad)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

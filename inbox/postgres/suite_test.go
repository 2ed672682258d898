package postgres_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/inboxtest"
	"github.com/holdfast-project/holdfast/inbox/postgres"
	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
)

func TestMain(m *testing.M) {
	if runChild() {
		return
	}
	goleak.VerifyTestMain(postgrestest.Stopping(m))
}

func TestInbox(t *testing.T) {
	t.Parallel()
	database := postgrestest.Database(t)
	admin, err := pgxpool.New(t.Context(), database)
	require.NoError(t, err)
	t.Cleanup(admin.Close)
	var stores atomic.Int64
	inboxtest.Run(t, func(t *testing.T) (inbox.Inbox, func() inbox.Inbox) {
		t.Helper()
		schema := fmt.Sprintf("inbox_%d", stores.Add(1)) // a database each would take minutes
		_, err := admin.Exec(t.Context(), "CREATE SCHEMA "+schema)
		require.NoError(t, err)
		url := database + "&search_path=" + schema
		another := func() inbox.Inbox { return open(t, url, postgres.Options{Connections: 4}) }
		return another(), another
	})
}

// open opens a store that is closed when the test ends.
func open(tb testing.TB, url string, options postgres.Options) *postgres.Store {
	tb.Helper()
	options.Migrate = true
	store, err := postgres.Open(tb.Context(), url, options)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, store.Close()) })
	return store
}

package postgres_test

import (
	"testing"

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
	inboxtest.Run(t, func(t *testing.T) (inbox.Inbox, func() inbox.Inbox) {
		t.Helper()
		url := postgrestest.Database(t)
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

package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/inboxtest"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

func TestMain(m *testing.M) {
	if runChild() {
		return
	}
	goleak.VerifyTestMain(m)
}

func TestInbox(t *testing.T) {
	t.Parallel()
	inboxtest.Run(t, func(t *testing.T) (inbox.Inbox, func() inbox.Inbox) {
		t.Helper()
		return open(t, filepath.Join(t.TempDir(), "inbox.db"), sqlite.Options{}), nil
	})
}

// open opens a store that is closed when the test ends, and its indexes are then looked at.
func open(tb testing.TB, path string, options sqlite.Options) *sqlite.Store {
	tb.Helper()
	store, err := sqlite.Open(tb.Context(), path, options)
	require.NoError(tb, err)
	tb.Cleanup(func() {
		require.NoError(tb, store.Close())
		c, err := sqlite.Connect(context.Background(), path)
		require.NoError(tb, err)
		requireSound(tb, c)
		require.NoError(tb, c.Close())
	})
	return store
}

// requireSound has SQLite check a database, and finds each subject that waits in the
// index of those.
func requireSound(tb testing.TB, c sqlite.Conn) {
	tb.Helper()
	said, err := c.Text("PRAGMA integrity_check")
	require.NoError(tb, err)
	require.Equal(tb, []string{"ok"}, said)
	said, err = c.Text("SELECT id FROM subjects WHERE waits <> (pending > 0)")
	require.NoError(tb, err)
	require.Empty(tb, said)
}

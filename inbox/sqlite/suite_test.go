package sqlite_test

import (
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

// open opens a store that is closed when the test ends.
func open(tb testing.TB, path string, options sqlite.Options) *sqlite.Store {
	tb.Helper()
	store, err := sqlite.Open(tb.Context(), path, options)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, store.Close()) })
	return store
}

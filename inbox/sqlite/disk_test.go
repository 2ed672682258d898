package sqlite_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

func TestAFullDatabaseFailsCleanlyAndRecovers(t *testing.T) {
	t.Parallel()
	store := newStore(t, sqlite.Options{})
	limit := func(pages int) {
		require.NoError(t, store.Write(t.Context(), func(exec func(string, ...any) error) error {
			return exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages))
		}))
	}
	_, err := appendOne(t.Context(), store, "redo/a", "first", nil)
	require.NoError(t, err)
	limit(100)
	thaw := freeze(t, store)
	large := make(chan error, 1)
	go func() {
		_, err := appendOne(t.Context(), store, "redo/a", "large", make([]byte, 1<<20))
		large <- err
	}()
	var small errgroup.Group
	for i := range 5 {
		small.Go(func() error {
			_, err := appendOne(t.Context(), store, "redo/a", keyOf(i), []byte("small"))
			return err
		})
	}
	waitQueued(store, 6)
	thaw()
	err = <-large
	require.ErrorContains(t, err, "full")
	require.NotErrorIs(t, err, inbox.ErrOverloaded)
	require.NoError(t, small.Wait(), "what fits is stored, though it shared the batch")

	view, err := store.Subject(t.Context(), "redo/a")
	require.NoError(t, err)
	require.Equal(t, 6, view.Pending)
	limit(1 << 30)
	receipt, err := appendOne(t.Context(), store, "redo/a", "large", make([]byte, 1<<20))
	require.NoError(t, err)
	require.False(t, receipt.Duplicate, "nothing was half applied")
}

func TestAFullDiskFailsCleanlyAndRecovers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	command, lines := child(t, childFullDisk, path)
	said := map[string]string{}
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		said[word] = rest
	}
	require.NoError(t, command.Wait(), said)
	require.NotContains(t, said, "error")
	var stored int
	_, err := fmt.Sscan(said["stored"], &stored)
	require.NoError(t, err)
	require.Positive(t, stored)
	require.Less(t, stored, 1000)
	require.Contains(t, said["failure"], "write to the inbox")
	require.Equal(t, "false <nil>", said["afterwards"], "the store works again, and the failed append had not happened")
	require.Equal(t, fmt.Sprintf("%d <nil>", stored+2), said["pending"])

	entries, err := open(t, path, sqlite.Options{}).Next(t.Context(), "redo/a", 10_000, 1<<30)
	require.NoError(t, err)
	require.Len(t, entries, stored+2)
}

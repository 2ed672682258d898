package sqlite_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

const (
	crowd = 8
	calm  = 3
)

// answer has the writer answer so many appends at once.
func answer(t *testing.T, store *sqlite.Store, keys string, appends int) {
	t.Helper()
	thaw := freeze(t, store)
	var group errgroup.Group
	for i := range appends {
		group.Go(func() error {
			_, err := appendOne(t.Context(), store, "redo/a", keys+keyOf(i), nil)
			return err
		})
	}
	waitQueued(store, appends)
	thaw()
	require.NoError(t, group.Wait())
}

// answered returns a store whose writer has just answered so many appends at once, and
// would wait for as many.
func answered(t *testing.T, appends int) *sqlite.Store {
	t.Helper()
	store := newStore(t, sqlite.Options{})
	require.NoError(t, store.GatherFor(t.Context(), time.Hour))
	answer(t, store, "first", appends)
	return store
}

// waitGathering returns when the writer waits for a crowd.
func waitGathering(store *sqlite.Store) {
	for !store.Gathering() {
		runtime.Gosched()
	}
}

func TestABusyWriterWaitsForThoseItHasAnswered(t *testing.T) {
	t.Parallel()
	store := answered(t, crowd)
	before := store.Stats()
	var group errgroup.Group
	for i := range crowd {
		group.Go(func() error {
			_, err := appendOne(t.Context(), store, "redo/a", "second "+keyOf(i), nil)
			return err
		})
		if i == 0 {
			waitGathering(store)
		}
	}
	require.NoError(t, group.Wait())
	after := store.Stats()
	require.Equal(t, int64(crowd), after.Operations-before.Operations)
	require.Equal(t, int64(1), after.Commits-before.Commits)
}

func TestACalmWriterWaitsForNobody(t *testing.T) {
	t.Parallel()
	store := answered(t, calm)
	_, err := appendOne(t.Context(), store, "redo/a", "alone", nil)
	require.NoError(t, err)
}

func TestWhoDoesNotComeIsNotWaitedForAgain(t *testing.T) {
	t.Parallel()
	store := newStore(t, sqlite.Options{})
	require.NoError(t, store.GatherFor(t.Context(), 100*time.Millisecond))
	answer(t, store, "first", crowd)
	_, err := appendOne(t.Context(), store, "redo/a", "alone", nil)
	require.NoError(t, err, "none of them came in time")

	require.NoError(t, store.GatherFor(t.Context(), time.Hour))
	answer(t, store, "second", crowd)
	_, err = appendOne(t.Context(), store, "redo/a", "alone again", nil)
	require.NoError(t, err)
}

func TestCloseEndsTheWait(t *testing.T) {
	t.Parallel()
	store := answered(t, crowd)
	done := make(chan error, 1)
	go func() {
		_, err := appendOne(context.Background(), store, "redo/a", "alone", nil)
		done <- err
	}()
	waitGathering(store)
	require.NoError(t, store.Close())
	require.NoError(t, <-done)
}

// TestNobodyIsExpectedTwice has callers come back all the time. If the writer expected
// more than there are, or missed the last of them, they would wait for ever.
func TestNobodyIsExpectedTwice(t *testing.T) {
	t.Parallel()
	const callers, appends = 16, 4000
	store := newStore(t, sqlite.Options{})
	require.NoError(t, store.GatherFor(t.Context(), time.Hour))
	var stored atomic.Int64
	enough := make(chan struct{})
	var group errgroup.Group
	for i := range callers {
		group.Go(func() error {
			for j := 0; ; j++ {
				_, err := appendOne(t.Context(), store, fmt.Sprintf("redo/%d", i), fmt.Sprintf("%d-%d", i, j), nil)
				switch {
				case stored.Load() >= appends:
					return nil // the store may be closed
				case err != nil:
					return err
				case stored.Add(1) == appends:
					close(enough)
				}
			}
		})
	}
	for stuck := false; !stuck && stored.Load() < appends; {
		before := store.Stats().Commits
		select {
		case <-enough:
		case <-time.After(30 * time.Second):
			stuck = before == store.Stats().Commits
		}
		require.False(t, stuck, "they wait for each other")
	}
	stored.Store(appends)
	require.NoError(t, store.Close())
	require.NoError(t, group.Wait())
}

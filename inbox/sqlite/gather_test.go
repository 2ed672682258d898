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

// answered returns a store whose writer has just answered so many appends at once, and
// would wait so long for as many.
func answered(t *testing.T, appends int, wait time.Duration) *sqlite.Store {
	t.Helper()
	store := newStore(t, sqlite.Options{})
	require.NoError(t, store.GatherFor(t.Context(), wait))
	thaw := freeze(t, store)
	var group errgroup.Group
	for i := range appends {
		group.Go(func() error {
			_, err := appendOne(t.Context(), store, "redo/a", "first "+keyOf(i), nil)
			return err
		})
	}
	waitQueued(store, appends)
	thaw()
	require.NoError(t, group.Wait())
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
	store := answered(t, crowd, time.Hour)
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
	store := answered(t, calm, time.Hour)
	_, err := appendOne(t.Context(), store, "redo/a", "alone", nil)
	require.NoError(t, err)
}

func TestWhoDoesNotComeIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	store := answered(t, crowd, time.Millisecond)
	for i := range 2 { // after a batch of one nobody is expected
		_, err := appendOne(t.Context(), store, "redo/a", keyOf(i), nil)
		require.NoError(t, err)
	}
}

func TestCloseEndsTheWait(t *testing.T) {
	t.Parallel()
	store := answered(t, crowd, time.Hour)
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
	select {
	case <-enough:
	case <-time.After(time.Minute):
		t.Error("they wait for each other")
	}
	stored.Store(appends)
	require.NoError(t, store.Close())
	require.NoError(t, group.Wait())
}

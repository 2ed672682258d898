package sqlite_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

func TestConcurrentAppendsShareACommit(t *testing.T) {
	t.Parallel()
	store := newStore(t, sqlite.Options{})
	thaw := freeze(t, store)
	before := store.Stats()
	var group errgroup.Group
	const n = 100
	for i := range n {
		group.Go(func() error {
			_, err := appendOne(t.Context(), store, "redo/a", keyOf(i), []byte("body"))
			return err
		})
	}
	waitQueued(store, n)
	thaw()
	require.NoError(t, group.Wait())
	after := store.Stats()
	require.Equal(t, int64(n+1), after.Operations-before.Operations)
	require.Equal(t, int64(2), after.Commits-before.Commits, "the one that was under way, and one for all that waited")
}

func TestABatchIsBounded(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]sqlite.Options{"InNumber": {BatchLength: 10}, "InBytes": {BatchBytes: 10 * 100}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newStore(t, options)
			thaw := freeze(t, store)
			var group errgroup.Group
			for i := range 40 {
				group.Go(func() error {
					_, err := appendOne(t.Context(), store, "redo/a", keyOf(i), make([]byte, 100))
					return err
				})
			}
			waitQueued(store, 40)
			before := store.Stats().Commits
			thaw()
			require.NoError(t, group.Wait())
			require.Equal(t, int64(5), store.Stats().Commits-before)
		})
	}
}

func TestOneOperationsFailureIsNobodyElses(t *testing.T) {
	t.Parallel()
	store := newStore(t, sqlite.Options{})
	first, err := appendOne(t.Context(), store, "redo/a", "first", nil)
	require.NoError(t, err)
	zombie, err := claim(t.Context(), store, "redo/a")
	require.NoError(t, err)
	owner, err := claim(t.Context(), store, "redo/a")
	require.NoError(t, err)

	thaw := freeze(t, store)
	var good, bad errgroup.Group
	for i := range 10 {
		good.Go(func() error {
			_, err := appendOne(t.Context(), store, "redo/b", keyOf(i), nil)
			return err
		})
	}
	good.Go(func() error { return settle(t.Context(), store, "redo/a", owner, first.Sequence) })
	fenced := make(chan error, 1)
	go func() { fenced <- settle(t.Context(), store, "redo/a", zombie, first.Sequence) }()
	bad.Go(func() error {
		return store.Write(t.Context(), func(exec func(string, ...any) error) error {
			if err := exec("UPDATE counters SET value = 4711 WHERE name = 'ping'"); err != nil {
				return err
			}
			_ = exec("INSERT INTO events (event_id) VALUES (NULL)") // even if it does not care
			return nil
		})
	})
	waitQueued(store, 13)
	thaw()
	require.NoError(t, good.Wait())
	require.ErrorIs(t, <-fenced, inbox.ErrFenced)
	require.ErrorContains(t, bad.Wait(), "constraint")

	view, err := store.Subject(t.Context(), "redo/b")
	require.NoError(t, err)
	require.Equal(t, 10, view.Pending)
	counts, err := store.Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, 10, counts.Pending, "what was taken back is not counted")
	require.NoError(t, store.Write(t.Context(), func(exec func(string, ...any) error) error {
		// Fails, by dividing an integer's minimum, if the broken operation left its mark.
		return exec("UPDATE counters SET value = CASE value WHEN 4711 THEN abs(-9223372036854775808) ELSE value END WHERE name = 'ping'")
	}))
}

func TestAFullQueueRefusesAppendsOnly(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]sqlite.Options{"InNumber": {QueueLength: 3}, "InBytes": {QueueBytes: 3 * 100}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newStore(t, options)
			thaw := freeze(t, store)
			var waiting errgroup.Group
			for i := range 3 {
				waiting.Go(func() error {
					_, err := appendOne(t.Context(), store, "redo/a", keyOf(i), make([]byte, 100))
					return err
				})
			}
			waitQueued(store, 3)
			_, err := appendOne(t.Context(), store, "redo/a", "refused", make([]byte, 100))
			require.ErrorIs(t, err, inbox.ErrOverloaded)
			waiting.Go(func() error { return store.Ping(t.Context()) })
			waitQueued(store, 4)
			thaw()
			require.NoError(t, waiting.Wait())
			_, err = appendOne(t.Context(), store, "redo/a", "refused", make([]byte, 100))
			require.NoError(t, err, "there is room again")
		})
	}
}

func TestWhoeverGivesUpInTheQueueIsDropped(t *testing.T) {
	t.Parallel()
	store := newStore(t, sqlite.Options{})
	thaw := freeze(t, store)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := appendOne(ctx, store, "redo/a", "gone", nil)
		gone <- err
	}()
	waitQueued(store, 1)
	cancel()
	require.ErrorIs(t, <-gone, context.Canceled)
	thaw()
	receipt, err := appendOne(t.Context(), store, "redo/a", "gone", nil)
	require.NoError(t, err)
	require.False(t, receipt.Duplicate, "it has not happened")
}

func TestCloseFinishesWhatIsQueued(t *testing.T) {
	t.Parallel()
	store := newStore(t, sqlite.Options{BatchLength: 4})
	thaw := freeze(t, store)
	var group errgroup.Group
	for i := range 20 {
		group.Go(func() error {
			_, err := appendOne(t.Context(), store, "redo/a", keyOf(i), nil)
			return err
		})
	}
	waitQueued(store, 20)
	closed := make(chan error, 1)
	go func() { closed <- store.Close() }()
	thaw()
	require.NoError(t, group.Wait())
	require.NoError(t, <-closed)

	_, err := appendOne(t.Context(), store, "redo/a", "late", nil)
	require.ErrorContains(t, err, "closed")
	require.ErrorContains(t, store.Ping(t.Context()), "closed")
	_, err = store.Next(t.Context(), "redo/a", 1, 1)
	require.Error(t, err)
}

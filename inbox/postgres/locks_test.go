package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/postgres"
)

func TestALockedSubjectDelaysNoOther(t *testing.T) {
	t.Parallel()
	store, url := newStore(t, postgres.Options{})
	for _, subject := range []string{"redo/locked", "redo/free"} {
		_, err := appendOne(t.Context(), store, subject, "first-"+subject, nil)
		require.NoError(t, err)
	}
	end := hold(t, url, lockOf("redo/locked"))

	const n = 50
	var held, free errgroup.Group
	for i := range n {
		held.Go(func() error {
			_, err := appendOne(within(t), store, "redo/locked", "locked-"+keyOf(i), nil)
			return err
		})
		free.Go(func() error {
			_, err := appendOne(t.Context(), store, "redo/free", "free-"+keyOf(i), nil)
			return err
		})
	}
	free.Go(func() error {
		epoch, err := claim(t.Context(), store, "redo/free")
		if err != nil {
			return err
		}
		entries, err := store.Next(t.Context(), "redo/free", 1, 1)
		if err != nil {
			return err
		}
		return settle(t.Context(), store, "redo/free", epoch, entries[0].Sequence)
	})
	held.Go(func() error {
		_, err := claim(within(t), store, "redo/locked")
		return err
	})
	require.NoError(t, free.Wait(), "while the other is locked")
	locked, err := store.Next(t.Context(), "redo/locked", 100, 1<<20)
	require.NoError(t, err, "reads wait for nobody")
	require.Len(t, locked, 1)

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = appendOne(ctx, store, "redo/locked", "given up", nil)
	require.ErrorIs(t, err, context.DeadlineExceeded, "with its context, not before or after")

	end("COMMIT")
	require.NoError(t, held.Wait())
	view, err := store.Subject(t.Context(), "redo/locked")
	require.NoError(t, err)
	require.GreaterOrEqual(t, view.Pending, n+1)
}

// Two processes hold what the other one needs next: the first of a batch's subjects
// for one, the last for the other.
func TestBatchesThatWouldDeadlockGoThrough(t *testing.T) {
	t.Parallel()
	store, url := newStore(t, postgres.Options{})
	other := open(t, url, postgres.Options{})
	subjects := []string{"redo/a", "redo/b", "redo/c", "redo/d"}
	const rounds = 30
	var group errgroup.Group
	for i, handle := range []*postgres.Store{store, other, store, other} {
		group.Go(func() error {
			for j := range rounds {
				var events []inbox.NewEvent
				for k := range subjects {
					at := k // forward or backward
					if i%2 == 1 {
						at = len(subjects) - 1 - k
					}
					// The same keys under different subjects, too.
					e := eventOf(subjects[at], keyOf(j*len(subjects)+(k+i)%len(subjects)))
					events = append(events, e)
				}
				if _, err := handle.Append(within(t), inbox.Delivery{Body: []byte("x"), Events: events}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	events, err := store.Events(t.Context(), inbox.EventFilter{Limit: 1000})
	require.NoError(t, err)
	require.Len(t, events, rounds*len(subjects), "each key once")
}

// A real deadlock, made by hand: a foreign session has the later row and wants the
// earlier one.
func TestADeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	store, url := newStore(t, postgres.Options{})
	for _, subject := range []string{"redo/a", "redo/b"} {
		_, err := appendOne(t.Context(), store, subject, "first-"+subject, nil)
		require.NoError(t, err)
	}
	end := hold(t, url, "SET LOCAL lock_timeout = '60s'", lockOf("redo/b"))
	both := make(chan error, 1)
	go func() {
		_, err := store.Append(within(t), inbox.Delivery{Events: []inbox.NewEvent{eventOf("redo/a", "a"), eventOf("redo/b", "b")}})
		both <- err
	}()
	waitBlocked(t, url, 1)
	end(lockOf("redo/a")) // granted when the store's statement has given up
	end("COMMIT")
	require.NoError(t, <-both)
}

func TestAChangeWaitsForALockAndNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	store, url := newStore(t, postgres.Options{})
	first, err := appendOne(t.Context(), store, "redo/a", "first", nil)
	require.NoError(t, err)
	epoch, err := claim(t.Context(), store, "redo/a")
	require.NoError(t, err)
	end := hold(t, url, lockOf("redo/a"))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, settle(ctx, store, "redo/a", epoch, first.Sequence), context.DeadlineExceeded)
	settled := make(chan error, 1)
	go func() { settled <- settle(within(t), store, "redo/a", epoch, first.Sequence) }()
	waitBlocked(t, url, 1)
	end("COMMIT")
	if err := <-settled; err != nil { // the one that was given up may have come first
		require.ErrorIs(t, err, inbox.ErrNotPending)
	}
	event, err := store.Event(t.Context(), first.Sequence)
	require.NoError(t, err)
	require.Equal(t, inbox.StatusDelivered, event.Status)
}

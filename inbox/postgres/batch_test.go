package postgres_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/postgres"
)

func TestConcurrentAppendsShareCommits(t *testing.T) {
	t.Parallel()
	store, url := newStore(t, postgres.Options{Connections: 4}) // one appends at a time
	end := hold(t, url, "LOCK TABLE keys IN ACCESS EXCLUSIVE MODE")
	const n = 100
	var group errgroup.Group
	for i := range n {
		group.Go(func() error {
			_, err := appendOne(within(t), store, fmt.Sprintf("redo/%d", i%7), keyOf(i), []byte("body"))
			return err
		})
	}
	require.Eventually(t, func() bool { return store.Stats().Queued >= n/2 }, patience, time.Millisecond)
	before := store.Stats()
	end("COMMIT")
	require.NoError(t, group.Wait())
	after := store.Stats()
	require.Equal(t, int64(n), after.Operations-before.Operations)
	require.Less(t, after.Commits-before.Commits, int64(n/2))
}

func TestSettlementsOfManySubjectsShareCommits(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t, postgres.Options{Connections: 4}) // one batch at a time
	const n = 64
	epochs, sequences := make([]int64, n), make([]int64, n)
	var group errgroup.Group
	for i := range n {
		group.Go(func() error {
			receipt, err := appendOne(t.Context(), store, fmt.Sprintf("redo/%d", i), keyOf(i), nil)
			sequences[i] = receipt.Sequence
			return err
		})
	}
	require.NoError(t, group.Wait())
	require.NoError(t, store.Ping(t.Context()))
	before := store.Stats()
	for i := range n {
		group.Go(func() (err error) {
			subject := fmt.Sprintf("redo/%d", i)
			if epochs[i], err = claim(t.Context(), store, subject); err != nil {
				return err
			}
			return settle(t.Context(), store, subject, epochs[i], sequences[i])
		})
	}
	require.NoError(t, group.Wait())
	after := store.Stats()
	require.Equal(t, int64(2*n), after.Operations-before.Operations)
	require.Less(t, after.Commits-before.Commits, int64(n))
	counts, err := store.Count(t.Context())
	require.NoError(t, err)
	require.Zero(t, counts.Pending)
}

func TestOneDeliverysFailureIsNobodyElses(t *testing.T) {
	t.Parallel()
	store, url := newStore(t, postgres.Options{})
	_, err := session(t, url).Exec(t.Context(), "ALTER TABLE events ADD CHECK (type <> 'bad')")
	require.NoError(t, err)
	end := hold(t, url, "LOCK TABLE keys IN ACCESS EXCLUSIVE MODE") // so that they meet in batches
	var good, bad errgroup.Group
	var refused atomic.Int64
	for i := range 60 {
		if i%20 != 7 {
			good.Go(func() error {
				_, err := appendOne(within(t), store, "redo/a", keyOf(i), nil)
				return err
			})
			continue
		}
		bad.Go(func() error {
			d := deliveryOf("redo/a", keyOf(i), nil)
			d.Events = append(d.Events, eventOf("redo/b", "also "+keyOf(i)))
			d.Events[1].Type = "bad"
			if _, err := store.Append(within(t), d); err != nil {
				refused.Add(1)
			}
			return nil
		})
	}
	end("COMMIT")
	require.NoError(t, good.Wait())
	require.NoError(t, bad.Wait())
	require.Equal(t, int64(3), refused.Load())
	view, err := store.Subject(t.Context(), "redo/a")
	require.NoError(t, err)
	require.Equal(t, 57, view.Pending)
	_, err = store.Subject(t.Context(), "redo/b")
	require.ErrorIs(t, err, inbox.ErrNotFound, "no part of them is there")
}

func TestAFullQueueRefusesAppends(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]postgres.Options{"InNumber": {QueueLength: 10}, "InBytes": {QueueBytes: 10 * 100}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options.BatchLength = 4
			store, url := newStore(t, options)
			end := hold(t, url, "LOCK TABLE keys IN ACCESS EXCLUSIVE MODE")
			var accepted, overloaded atomic.Int64
			var group errgroup.Group
			send := func(i int) {
				group.Go(func() error {
					_, err := appendOne(within(t), store, "redo/a", keyOf(i), make([]byte, 100))
					switch {
					case err == nil:
						accepted.Add(1)
					case errors.Is(err, inbox.ErrOverloaded):
						overloaded.Add(1)
					default:
						return err
					}
					return nil
				})
			}
			sent := 0
			require.Eventually(t, func() bool {
				send(sent)
				sent++
				return overloaded.Load() > 0
			}, patience, time.Millisecond)
			require.NoError(t, store.Ping(t.Context()), "only appends are refused")
			end("COMMIT")
			require.NoError(t, group.Wait())
			require.Equal(t, int64(sent), accepted.Load()+overloaded.Load())
			require.Positive(t, accepted.Load())
			_, err := appendOne(t.Context(), store, "redo/a", "later", make([]byte, 100))
			require.NoError(t, err, "there is room again")
		})
	}
}

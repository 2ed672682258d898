package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/postgres"
)

// crowd does something all the time, in more places than there are connections,
// until the test is over.
func crowd(t *testing.T, do func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	t.Cleanup(func() { cancel(); all.Wait() })
	for range 100 {
		all.Go(func() {
			for ctx.Err() == nil {
				_ = do(ctx)
			}
		})
	}
}

func TestReadsThatHangKeepNobodyFromWriting(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lock string
		do   func(*postgres.Store) func(context.Context) error
	}{
		"drains' reads": {"LOCK TABLE payloads IN ACCESS EXCLUSIVE MODE", func(s *postgres.Store) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := s.Next(ctx, "redo/a", 1, 1)
				return err
			}
		}},
		"operators' lists": {"LOCK TABLE audit IN ACCESS EXCLUSIVE MODE", func(s *postgres.Store) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := s.Audit(ctx, "redo/a", 1)
				return err
			}
		}},
		"operators' verbs": {lockOf("redo/a"), func(s *postgres.Store) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := s.Operate(ctx, inbox.Verb{Verb: inbox.VerbPause, Subject: "redo/a", Now: start})
				return err
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, url := newStore(t, postgres.Options{})
			for _, subject := range []string{"redo/a", "redo/b"} {
				_, err := appendOne(t.Context(), store, subject, subject, nil)
				require.NoError(t, err)
			}
			hold(t, url, c.lock)
			crowd(t, c.do(store))
			waitBlocked(t, url, 1)
			for range 5 {
				epoch, err := claim(within(t), store, "redo/b")
				require.NoError(t, err)
				require.Positive(t, epoch)
				if name != "drains' reads" {
					require.NoError(t, store.Own(within(t), "redo/b", epoch), "the reads of a drain are not the operators'")
				}
			}
		})
	}
}

// More subjects are locked for long than may wait for a lock at a time; one more is
// locked for a moment.
func TestLocksKeptForLongDelayNoOtherSubjectsChange(t *testing.T) {
	t.Parallel()
	store, url := newStore(t, postgres.Options{})
	var locks []string
	for i := range 6 {
		subject := fmt.Sprintf("redo/%d", i)
		_, err := appendOne(t.Context(), store, subject, subject, nil)
		require.NoError(t, err)
		locks = append(locks, lockOf(subject))
	}
	endLong := hold(t, url, locks[1:]...)
	var long errgroup.Group
	for i := range 5 {
		long.Go(func() error {
			_, err := claim(within(t), store, fmt.Sprintf("redo/%d", i+1))
			return err
		})
	}
	waitBlocked(t, url, 1)
	endShort := hold(t, url, locks[0])
	short := make(chan error, 1)
	go func() {
		_, err := claim(within(t), store, "redo/0")
		short <- err
	}()
	// It has been skipped and waits with the others.
	waitFor(t, url, `SELECT count(*) > 0 FROM pg_stat_activity a CROSS JOIN LATERAL unnest(pg_blocking_pids(a.pid)) AS b (pid)
		WHERE b.pid = $1`, pidOfHolder(t, url, "redo/0"))
	endShort("COMMIT")
	require.NoError(t, <-short, "while the others are locked")
	endLong("COMMIT")
	require.NoError(t, long.Wait())
}

// pidOfHolder is the session whose last statement locked a subject.
func pidOfHolder(t *testing.T, url, subject string) (pid int) {
	t.Helper()
	err := session(t, url).QueryRow(t.Context(), `SELECT pid FROM pg_stat_activity
		WHERE datname = current_database() AND query = $1`, lockOf(subject)).Scan(&pid)
	require.NoError(t, err)
	return pid
}

// A claim that was given up while it waited for the lock takes no epoch: it would
// fence off whoever came after it.
func TestAClaimThatWasGivenUpTakesNothing(t *testing.T) {
	t.Parallel()
	store, url := newStore(t, postgres.Options{})
	_, err := appendOne(t.Context(), store, "redo/a", "k", nil)
	require.NoError(t, err)
	end := hold(t, url, lockOf("redo/a"))
	ctx, cancel := context.WithCancel(t.Context())
	given := make(chan error, 1)
	go func() {
		_, err := claim(ctx, store, "redo/a")
		given <- err
	}()
	waitBlocked(t, url, 1)
	cancel()
	require.ErrorIs(t, <-given, context.Canceled)
	end("COMMIT")
	waitFor(t, url, `SELECT count(*) = 0 FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = 'holdfast' AND state <> 'idle'`)
	view, err := store.Subject(t.Context(), "redo/a")
	require.NoError(t, err)
	require.Zero(t, view.Epoch)
}

// Hundreds of deliveries wait, each of as many events as a provider may send.
func TestDeliveriesOfManyEventsAreNotStoredAllAtOnce(t *testing.T) {
	t.Parallel()
	const deliveries, events = 60, 1000
	store, _ := newStore(t, postgres.Options{Connections: 4}) // one writer: what waits gathers
	var group errgroup.Group
	for i := range deliveries {
		d := inbox.Delivery{Body: bytes.Repeat([]byte("x"), 100)}
		for j := range events {
			d.Events = append(d.Events, eventOf(fmt.Sprintf("redo/%d", j%100), fmt.Sprintf("%d-%d", i, j)))
		}
		group.Go(func() error {
			_, err := store.Append(within(t), d)
			return err
		})
	}
	require.NoError(t, group.Wait())
	counts, err := store.Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, deliveries*events, counts.Pending)
	require.GreaterOrEqual(t, store.Stats().Commits, int64(deliveries), "each fills a batch")
}

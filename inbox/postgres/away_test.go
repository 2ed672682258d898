package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/postgres"
	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
)

// requireWorks takes an event through the store.
func requireWorks(t *testing.T, store *postgres.Store, key string) {
	t.Helper()
	require.NoError(t, works(t, store, key))
}

func works(t *testing.T, store *postgres.Store, key string) error {
	t.Helper()
	subject := "redo/works-" + key
	if _, err := appendOne(t.Context(), store, subject, key, []byte(key)); err != nil {
		return err
	}
	epoch, err := claim(t.Context(), store, subject)
	if err != nil {
		return err
	}
	entries, err := store.Next(t.Context(), subject, 10, 1<<20)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := settle(t.Context(), store, subject, epoch, entry.Sequence); err != nil {
			return err
		}
	}
	return store.Ping(t.Context())
}

// requireRecovers waits until the store works again, by itself.
func requireRecovers(t *testing.T, store *postgres.Store, key string) {
	t.Helper()
	require.Eventually(t, func() bool { return works(t, store, key) == nil }, patience, 50*time.Millisecond)
	requireWorks(t, store, key+" and stays")
}

// requireAway finds that every operation fails, and soon.
func requireAway(t *testing.T, store *postgres.Store) {
	t.Helper()
	for name, operation := range map[string]func(context.Context) error{
		"append": func(ctx context.Context) error { _, err := appendOne(ctx, store, "redo/a", "away", nil); return err },
		"claim":  func(ctx context.Context) error { _, err := claim(ctx, store, "redo/a"); return err },
		"settle": func(ctx context.Context) error { return settle(ctx, store, "redo/a", 1, 1) },
		"next":   func(ctx context.Context) error { _, err := store.Next(ctx, "redo/a", 1, 1); return err },
		"own":    func(ctx context.Context) error { return store.Own(ctx, "redo/a", 1) },
		"lead":   func(ctx context.Context) error { _, err := store.Lead(ctx); return err },
		"ping":   store.Ping,
		"operate": func(ctx context.Context) error {
			_, err := store.Operate(ctx, inbox.Verb{Verb: inbox.VerbPause, Subject: "redo/a", Now: start})
			return err
		},
		"count": func(ctx context.Context) error { _, err := store.Count(ctx); return err },
	} {
		began := time.Now()
		err := operation(t.Context())
		require.Error(t, err, name)
		for _, verdict := range []error{inbox.ErrFenced, inbox.ErrNotFound, inbox.ErrNotPending, inbox.ErrOverloaded} {
			require.NotErrorIs(t, err, verdict, "%s: nothing is known", name)
		}
		require.Less(t, time.Since(began), 20*time.Second, "%s: a sender waits for it", name)
	}
}

// log is a log that a test reads while it is written.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestAStoppedServerIsNoticedAndItsReturnToo(t *testing.T) {
	t.Parallel()
	server := postgrestest.New(t, postgrestest.Options{})
	store := open(t, server.URL("postgres"), postgres.Options{})
	requireWorks(t, store, "before")
	require.NoError(t, server.Stop())
	requireAway(t, store)
	require.NoError(t, server.Restart(t.Context()))
	requireRecovers(t, store, "after")

	frozen := server.PIDs()
	for _, pid := range frozen {
		_ = syscall.Kill(pid, syscall.SIGSTOP) // a child may just have ended
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := appendOne(ctx, store, "redo/a", "frozen", nil)
	require.Error(t, err, "with its context")
	for _, pid := range frozen {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
	requireRecovers(t, store, "thawed")
}

func TestOpenSucceedsWhileTheServerIsAway(t *testing.T) {
	t.Parallel()
	server := postgrestest.New(t, postgrestest.Options{})
	require.NoError(t, server.Stop())
	var said log
	store := open(t, server.URL("postgres"), postgres.Options{Log: slog.New(slog.NewTextHandler(&said, nil))})
	requireAway(t, store)
	require.Contains(t, said.String(), "cannot be reached")
	require.NoError(t, server.Restart(t.Context()))
	requireRecovers(t, store, "migrated by itself")
	require.Contains(t, said.String(), "the inbox is there")

	closed, err := postgres.Open(t.Context(), "postgres://holdfast:s3cr3t@127.0.0.1:1/inbox", postgres.Options{Log: slog.New(slog.NewTextHandler(&said, nil))})
	require.NoError(t, err)
	err = closed.Ping(t.Context())
	require.ErrorContains(t, err, "127.0.0.1:1")
	require.NotContains(t, err.Error()+said.String(), "s3cr3t")
	require.NoError(t, closed.Close(), "while it still tries")
}

// Everything that was acknowledged is there after a crash of the server under load,
// and no part of a delivery without the rest.
func TestNothingAcknowledgedIsLostByACrashOfTheServer(t *testing.T) {
	t.Parallel()
	server := postgrestest.New(t, postgrestest.Options{})
	url := server.URL("postgres")
	stores := []*postgres.Store{open(t, url, postgres.Options{}), open(t, url, postgres.Options{})}
	stop := make(chan struct{})
	var mu sync.Mutex
	acknowledged := map[string]inbox.Receipt{}
	tried := 0
	var group errgroup.Group
	for i := range 8 {
		group.Go(func() error {
			last := int64(0)
			for j := 0; ; j++ {
				select {
				case <-stop:
					return nil
				default:
				}
				// As a sender: the same delivery until it is accepted, then the next.
				d := inbox.Delivery{Body: []byte("x")}
				for k, subject := range []string{fmt.Sprintf("redo/own-%d", i), "redo/shared"} {
					d.Events = append(d.Events, eventOf(subject, fmt.Sprintf("%d-%d-%d", i, j, k)))
				}
				receipts, err := stores[i%2].Append(t.Context(), d)
				for err != nil {
					select {
					case <-stop:
						return nil
					default:
					}
					receipts, err = stores[i%2].Append(t.Context(), d)
				}
				if receipts[0].Sequence <= last {
					return fmt.Errorf("%d was accepted after %d", receipts[0].Sequence, last)
				}
				last = receipts[0].Sequence
				mu.Lock()
				tried++
				for k, r := range receipts {
					acknowledged[d.Events[k].Key] = r
				}
				mu.Unlock()
			}
		})
	}
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return tried
	}
	for range 3 {
		before := count()
		require.Eventually(t, func() bool { return count() > before+50 }, patience, 5*time.Millisecond)
		require.NoError(t, server.Crash())
		require.NoError(t, server.Restart(t.Context()))
	}
	before := count()
	require.Eventually(t, func() bool { return count() > before+50 }, patience, 5*time.Millisecond)
	close(stop)
	require.NoError(t, group.Wait())

	for key, receipt := range acknowledged {
		event, err := stores[0].Event(t.Context(), receipt.Sequence)
		require.NoError(t, err)
		require.Equal(t, []string{key, receipt.Subject}, []string{event.Key, event.Subject})
	}
	waitFor(t, url, "SELECT bool_and(n = 2) FROM (SELECT count(*) AS n FROM events GROUP BY payload) x")
	waitFor(t, url, "SELECT count(*) = count(DISTINCT key) FROM events")
	waitFor(t, url, `SELECT bool_and(s.pending = (SELECT count(*) FROM events e WHERE e.subject = s.number AND e.status = 'pending'))
		FROM subjects s`)
}

func TestCloseFinishesWhatIsQueuedAndRefusesTheRest(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t, postgres.Options{BatchLength: 4})
	var group errgroup.Group
	answered := make(chan error, 40)
	for i := range 40 {
		group.Go(func() error {
			_, err := appendOne(t.Context(), store, "redo/a", keyOf(i), nil)
			answered <- err
			return nil
		})
	}
	require.NoError(t, <-answered)
	require.NoError(t, store.Close())
	require.NoError(t, group.Wait())
	close(answered)
	for err := range answered {
		if err != nil {
			require.ErrorContains(t, err, "closed")
		}
	}
	require.ErrorContains(t, store.Ping(t.Context()), "closed")
	_, err := appendOne(t.Context(), store, "redo/a", "late", nil)
	require.ErrorContains(t, err, "closed")
	_, err = claim(t.Context(), store, "redo/a")
	require.ErrorContains(t, err, "closed")
	_, err = store.Next(t.Context(), "redo/a", 1, 1)
	require.Error(t, err)
	require.NoError(t, errors.Join(store.Close(), store.Close()))
}

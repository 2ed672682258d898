package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/postgres"
	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
)

// patience is for what surely happens, on the slowest machine.
const patience = time.Minute

var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func newStore(tb testing.TB, options postgres.Options) (store *postgres.Store, url string) {
	tb.Helper()
	url = postgrestest.Database(tb)
	return open(tb, url, options), url
}

func keyOf(i int) string { return fmt.Sprintf("k%d", i) }

func eventOf(subject, key string) inbox.NewEvent {
	return inbox.NewEvent{
		EventID: "id-" + key, Source: "redo", Provider: "redo", Subject: subject, SubjectName: subject,
		Type: "return.updated", Key: key, ReceivedAt: start,
	}
}

func deliveryOf(subject, key string, body []byte) inbox.Delivery {
	return inbox.Delivery{ContentType: "application/json", Body: body, Events: []inbox.NewEvent{eventOf(subject, key)}}
}

func appendOne(ctx context.Context, store inbox.Accepter, subject, key string, body []byte) (inbox.Receipt, error) {
	receipts, err := store.Append(ctx, deliveryOf(subject, key, body))
	if err != nil {
		return inbox.Receipt{}, err
	}
	return receipts[0], nil
}

func claim(ctx context.Context, store inbox.Drainer, subject string) (int64, error) {
	claimed, err := store.Claim(ctx, inbox.Claim{Subject: subject, Now: start, BusyUntil: start.Add(time.Minute)})
	return claimed.Subject.Epoch, err
}

func settlementOf(subject string, epoch, sequence int64) inbox.Settlement {
	return inbox.Settlement{
		Subject: subject, Epoch: epoch, Sequence: sequence, Status: inbox.StatusDelivered, Handler: "log",
		Attempts: 1, Now: start, RunID: "run", OriginalRunID: "run",
	}
}

func settle(ctx context.Context, store inbox.Drainer, subject string, epoch, sequence int64) error {
	_, err := store.Settle(ctx, settlementOf(subject, epoch, sequence))
	return err
}

// session is a connection of the test's own, as another process has one.
func session(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// hold runs statements in a transaction that stays open until the returned
// function ends it.
func hold(t *testing.T, url string, statements ...string) (end func(how string)) {
	t.Helper()
	conn := session(t, url)
	for _, statement := range append([]string{"BEGIN"}, statements...) {
		_, err := conn.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	return func(how string) {
		t.Helper()
		_, err := conn.Exec(t.Context(), how)
		require.NoError(t, err)
	}
}

func lockOf(subject string) string {
	return fmt.Sprintf("SELECT 1 FROM subjects WHERE id = '%s' FOR UPDATE", subject)
}

// waitFor waits until a query answers true.
func waitFor(t *testing.T, url, query string, args ...any) {
	t.Helper()
	conn := session(t, url)
	require.Eventually(t, func() bool {
		var is bool
		return conn.QueryRow(t.Context(), query, args...).Scan(&is) == nil && is
	}, patience, 10*time.Millisecond, query)
}

// waitBlocked waits until so many sessions of the database wait for a lock.
func waitBlocked(t *testing.T, url string, n int) {
	t.Helper()
	waitFor(t, url, `SELECT count(*) >= $1 FROM pg_stat_activity
		WHERE datname = current_database() AND wait_event_type = 'Lock'`, n)
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

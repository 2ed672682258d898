package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/postgres"
)

// appendAsBefore appends one event as the processes of the version before do.
func appendAsBefore(ctx context.Context, conn *pgx.Conn, subject, key string) (r inbox.Receipt, err error) {
	err = conn.QueryRow(ctx, `SELECT sequence, status, duplicate, ring, event_id, subject FROM append_1('30s',
		'{text/plain}', '{0}', '{2}', ARRAY['\x7b7d'::bytea], '{1}', ARRAY[$1::text], '{redo}', '{redo}',
		ARRAY[$2::text], ARRAY[$2::text], '{return.updated}', ARRAY[$3::text], '{""}', '{NULL}', '{NULL}',
		ARRAY[$4::timestamptz], '{0}', '{""}', '{false}', '{""}')`, "old-"+key, subject, key, start).
		Scan(&r.Sequence, &r.Status, &r.Duplicate, &r.Ring, &r.EventID, &r.Subject)
	return r, err
}

// While a fleet is upgraded old and new processes append side by side: each knows the
// other's keys, sequences grow in each subject, and one of them rings.
func TestOldProcessesAppendBesideNewOnes(t *testing.T) {
	t.Parallel()
	store, url := newStore(t, postgres.Options{})
	const keys, subjects = 200, 5
	var group errgroup.Group
	var receipts [2][keys]inbox.Receipt
	for process := range 2 {
		conn := session(t, url)
		group.Go(func() (err error) {
			for i := range keys {
				subject := fmt.Sprintf("redo/%d", i%subjects)
				if process == 0 {
					receipts[0][i], err = appendAsBefore(t.Context(), conn, subject, keyOf(i))
				} else {
					receipts[1][i], err = appendOne(t.Context(), store, subject, keyOf(i), []byte("{}"))
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	rings := map[string]int{}
	last := map[string]int64{}
	for i := range keys {
		old, now := receipts[0][i], receipts[1][i]
		require.Equal(t, old.Sequence, now.Sequence, "key %d is one event", i)
		require.Equal(t, old.EventID, now.EventID)
		require.NotEqual(t, old.Duplicate, now.Duplicate, "one of them was first")
		require.Greater(t, now.Sequence, last[now.Subject])
		last[now.Subject] = now.Sequence
		for _, r := range []inbox.Receipt{old, now} {
			if r.Ring {
				rings[r.Subject]++
			}
		}
	}
	require.Len(t, rings, subjects)
	for subject, n := range rings {
		require.Equal(t, 1, n)
		view, err := store.Subject(t.Context(), subject)
		require.NoError(t, err)
		require.Equal(t, keys/subjects, view.Pending)
	}
}

// What was counted as pending before its key was known to be there is taken back: a
// redelivery neither wakes a subject at rest nor leaves one behind that was not there.
func TestDuplicatesLeaveSubjectsAsTheyWere(t *testing.T) {
	t.Parallel()
	store, url := newStore(t, postgres.Options{})
	first, err := appendOne(t.Context(), store, "redo/a", "k", nil)
	require.NoError(t, err)
	epoch, err := claim(t.Context(), store, "redo/a")
	require.NoError(t, err)
	require.NoError(t, settle(t.Context(), store, "redo/a", epoch, first.Sequence))
	row := func() (now string) {
		t.Helper()
		require.NoError(t, session(t, url).QueryRow(t.Context(),
			"SELECT (pending, queued, epoch, held, streak, busy_run, busy_until)::text FROM subjects WHERE id = 'redo/a'").Scan(&now))
		return now
	}
	before := row()
	d := deliveryOf("redo/a", "k", []byte("{}"))
	other := eventOf("redo/b", "k") // the same key from another subject
	other.ReceivedAt = start.Add(time.Second)
	d.Events = append(d.Events, other)
	receipts, err := store.Append(t.Context(), d)
	require.NoError(t, err)
	for _, r := range receipts {
		require.True(t, r.Duplicate)
		require.False(t, r.Ring)
		require.Equal(t, first.Sequence, r.Sequence)
		require.Equal(t, "redo/a", r.Subject)
		require.Equal(t, inbox.StatusDelivered, r.Status)
	}
	require.Equal(t, before, row())
	_, err = store.Subject(t.Context(), "redo/b")
	require.ErrorIs(t, err, inbox.ErrNotFound)
	var payloads int
	require.NoError(t, session(t, url).QueryRow(t.Context(), "SELECT count(*) FROM payloads").Scan(&payloads))
	require.Equal(t, 1, payloads)
}

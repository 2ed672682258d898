package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

// oldDatabase is one of the first schema: a delivered event, its replay, one that
// waits, one that came again when its key's life had ended, and one with another
// content. The last sequences have been pruned.
const oldDatabase = `
INSERT INTO payloads (id, refs, content_type, body) VALUES (1, 5, 'application/json', x'7b7d');
INSERT INTO subjects (number, id, name, source, pending, sweep_at) VALUES (1, 'redo/a', 'redo/a', 'redo', 2, 0);
INSERT INTO events (sequence, event_id, source, provider, subject, type, key, received_at, position, staging, payload, status, settled_at, replay_of, reason) VALUES
	(1, 'first', 'redo', 'redo', 1, 't', 'k1', 1000, 0, 0, 1, 'delivered', 2000, 0, ''),
	(2, 'replay', 'redo', 'redo', 1, 't', 'k1', 1000, 0, 0, 1, 'pending', NULL, 1, ''),
	(3, 'over', 'redo', 'redo', 1, 't', 'k2', 1000, 0, 0, 1, 'delivered', 2000, 0, ''),
	(4, 'again', 'redo', 'redo', 1, 't', 'k2', 5000, 0, 0, 1, 'pending', NULL, 0, ''),
	(5, 'forged', 'redo', 'redo', 1, 't', 'k1', 1000, 0, 0, 1, 'quarantined', 2000, 0, 'another content');
INSERT INTO events SELECT 20, event_id, source, provider, subject, type, '', at, received_at, position, related, staging, payload, status, attempts,
	reason, handler, settled_at, redo, replay_of, epoch, run_id, original_run_id FROM events WHERE sequence = 1;
DELETE FROM events WHERE sequence = 20;
INSERT INTO keys (source, key, variant, sequence, digest, expires_at) VALUES
	('redo', 'k1', '', 1, 'd1', NULL), ('redo', 'k2', '', 4, '', 9000000000000000), ('redo', 'k1', 'd2', 5, 'd2', NULL);
`

func TestKeysAndSequencesOfTheFirstSchemaAreKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	db, err := sqlite.Connect(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, db.Migrate(fstest.MapFS{"0001_initial.sql": file(sqlite.Migration(t, "0001_initial.sql"))}))
	require.NoError(t, db.Exec(oldDatabase))
	require.NoError(t, db.Close())

	store := open(t, path, sqlite.Options{})
	keyed := func(key, digest string) inbox.Receipt {
		d := deliveryOf("redo/a", key, nil)
		d.Events[0].Digest = digest
		receipts, err := store.Append(t.Context(), d)
		require.NoError(t, err)
		return receipts[0]
	}
	require.Equal(t, inbox.Receipt{EventID: "first", Sequence: 1, Subject: "redo/a", Duplicate: true, Status: inbox.StatusDelivered}, keyed("k1", "d1"))
	require.Equal(t, int64(5), keyed("k1", "d2").Sequence, "its copy, as before")
	require.Equal(t, "again", keyed("k2", "").EventID)
	other := keyed("k1", "d3")
	require.Equal(t, int64(21), other.Sequence, "no sequence is given twice")
	require.Equal(t, inbox.StatusQuarantined, other.Status)
	event, err := store.Event(t.Context(), other.Sequence)
	require.NoError(t, err)
	require.Contains(t, event.Reason, "sequence 1)")
	entries, err := store.Next(t.Context(), "redo/a", 10, 1<<20)
	require.NoError(t, err)
	require.Len(t, entries, 2)
	require.Equal(t, "{}", string(entries[0].Payload.Body))

	pruned, err := store.Prune(t.Context(), start.Add(time.Hour), 10)
	require.NoError(t, err)
	require.Positive(t, pruned)
	require.NoError(t, store.Close())
	db, err = sqlite.Connect(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	left, err := db.Text("SELECT key || ' ' || sequence FROM keys")
	require.NoError(t, err)
	require.Equal(t, []string{"k2 4"}, left, "only of an event that is still there")
}

func TestASequenceIsNeverGivenAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	store := open(t, path, sqlite.Options{})
	for i := range 3 {
		_, err := appendOne(t.Context(), store, "redo/a", keyOf(i), nil)
		require.NoError(t, err)
	}
	epoch, err := claim(t.Context(), store, "redo/a")
	require.NoError(t, err)
	for sequence := range int64(3) {
		require.NoError(t, settle(t.Context(), store, "redo/a", epoch, sequence+1))
	}
	pruned, err := store.Prune(t.Context(), start.Add(time.Hour), 10)
	require.NoError(t, err)
	require.Equal(t, 3, pruned, "nothing is left that tells how many there were")
	require.NoError(t, store.Close())
	store = open(t, path, sqlite.Options{})
	receipt, err := appendOne(t.Context(), store, "redo/a", keyOf(0), nil)
	require.NoError(t, err)
	require.False(t, receipt.Duplicate)
	require.Equal(t, int64(4), receipt.Sequence)
}

// TestAKeyThatComesBackIsFoundAtOnce is a sender that repeats one body all day.
func TestAKeyThatComesBackIsFoundAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	store := open(t, path, sqlite.Options{})
	const times = 20
	for i := range times {
		d := deliveryOf("redo/a", "same", nil)
		d.Events[0].KeyLife, d.Events[0].ReceivedAt = time.Minute, start.Add(time.Duration(2*i)*time.Minute)
		receipts, err := store.Append(t.Context(), d)
		require.NoError(t, err)
		require.False(t, receipts[0].Duplicate)
		epoch, err := claim(t.Context(), store, "redo/a")
		require.NoError(t, err)
		require.NoError(t, settle(t.Context(), store, "redo/a", epoch, receipts[0].Sequence))
	}
	db, err := sqlite.Connect(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	found, err := db.Text("SELECT sequence FROM events WHERE key_hash IS NOT NULL")
	require.NoError(t, err)
	require.Equal(t, []string{fmt.Sprint(times)}, found, "an append looks at one of them, not at all there ever were")
}

// TestAKeysNumberNeverChanges: it is in the databases that there are.
func TestAKeysNumberNeverChanges(t *testing.T) {
	t.Parallel()
	require.Equal(t, int64(9118103744350073180), sqlite.KeyHash("redo", "k1"))
}

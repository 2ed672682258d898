package sqlite_test

import (
	"path/filepath"
	"strconv"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

// manyEvents fills the first schema with events, of which a few are set aside and a few pending.
const manyEvents = `
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO events (event_id, source, provider, subject, type, key, received_at, position, staging, payload, status)
SELECT 'event-' || i, 'redo', 'redo', i, 't', 'key-' || i, i, 0, 0, i,
	CASE i % 1000 WHEN 1 THEN 'parked' WHEN 2 THEN 'failed' WHEN 3 THEN 'quarantined' WHEN 4 THEN 'pending' ELSE 'delivered' END FROM n;
INSERT INTO subjects (id, name, source, pending, sweep_at) SELECT 'redo/' || sequence, 'redo/' || sequence, 'redo', status = 'pending', sequence FROM events;
`

// TestAnUpgradeDoesNotReadTheEvents: while it does, the door is shut, and with ten million
// of them that would be for ten seconds.
func TestAnUpgradeDoesNotReadTheEvents(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	old := connected(t, path)
	require.NoError(t, old.Migrate(fstest.MapFS{"0001_initial.sql": file(sqlite.Migration(t, "0001_initial.sql"))}))
	require.NoError(t, old.Exec(manyEvents))

	db := connected(t, path)
	before, err := db.Misses()
	require.NoError(t, err)
	require.NoError(t, db.Migrate(sqlite.Migrations))
	after, err := db.Misses()
	require.NoError(t, err)
	pages, err := strconv.ParseInt(text(t, db, "PRAGMA page_count"), 10, 64)
	require.NoError(t, err)
	require.Less(t, after-before, pages/20)

	const setAside = "status = 'parked' OR status = 'failed' OR status = 'quarantined'"
	for _, check := range []sqlite.Conn{old, db, connected(t, path)} {
		require.Equal(t, "CREATE INDEX events_set_aside ON events (status) WHERE "+setAside,
			text(t, check, "SELECT sql FROM sqlite_schema WHERE name = 'events_set_aside'"))
		requireSound(t, check)
		require.Equal(t, "20", text(t, check, "SELECT count(*) FROM subjects INDEXED BY subjects_to_sweep WHERE waits = 1"))
		require.Equal(t, "60", text(t, check, "SELECT count(*) FROM events INDEXED BY events_set_aside WHERE "+setAside))
		require.Equal(t, "0", text(t, check, "SELECT count(*) FROM events INDEXED BY events_by_key WHERE key_hash IS NOT NULL"))
		require.NoError(t, check.Exec("UPDATE events SET status = 'failed', key_hash = 7 WHERE sequence = 9"))
		require.Equal(t, "61", text(t, check, "SELECT count(*) FROM events INDEXED BY events_set_aside WHERE "+setAside))
		require.Equal(t, "9", text(t, check, "SELECT sequence FROM events INDEXED BY events_by_key WHERE key_hash = 7"))
		require.NoError(t, check.Exec("UPDATE events SET status = 'delivered', key_hash = NULL WHERE sequence = 9"))
	}
}

package sqlite_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

// beside returns a connection to the database of a store that is open.
func beside(t *testing.T) sqlite.Conn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "inbox.db")
	open(t, path, sqlite.Options{})
	return connected(t, path)
}

// TestWhoWaitsIsFoundByAnIndex holds with any number of subjects: SQLite plans
// without figures about a table that nobody has had it count.
func TestWhoWaitsIsFoundByAnIndex(t *testing.T) {
	t.Parallel()
	db := beside(t)
	for name, c := range map[string]struct{ sql, want string }{
		"Rung":      {sqlite.RungSQL, "SEARCH subjects USING INDEX subjects_to_sweep (sweep_at<?)"},
		"StillRung": {sqlite.StillRungSQL(500), "SEARCH subjects USING INDEX sqlite_autoindex_subjects_1 (id=?)"},
		"LetGo":     {sqlite.LetGoSQL, "SEARCH subjects USING INDEX subjects_to_sweep (sweep_at>?)"},
		"Held":      {sqlite.HeldSQL(500), "SEARCH subjects USING INDEX sqlite_autoindex_subjects_1 (id=?)"},
		"SetAside": {
			"SELECT e.event_id FROM events e WHERE " + sqlite.SetAsideSQL + " ORDER BY e.sequence LIMIT ?",
			"SEARCH e USING INDEX events_set_aside (status=?)",
		},
		"Known": {sqlite.KnownSQL, "SEARCH events USING INDEX events_by_key (key_hash=?)"},
	} {
		plan, err := db.Plan(c.sql)
		require.NoError(t, err)
		require.Equal(t, c.want, strings.Join(plan, "\n"), "%s: neither a scan nor a sort", name)
	}
}

// TestAnEventIsWrittenWithoutATableOfItsOwn: a condition of an index can cost one
// each time a row is written.
func TestAnEventIsWrittenWithoutATableOfItsOwn(t *testing.T) {
	t.Parallel()
	db := beside(t)
	for name, sql := range map[string]string{"InsertEvent": sqlite.InsertEventSQL, "Settle": sqlite.SettleSQL} {
		opcodes, err := db.Opcodes(sql)
		require.NoError(t, err)
		require.Contains(t, opcodes, "IdxInsert", name)
		require.NotContains(t, opcodes, "OpenEphemeral", name)
	}
}

// TestASubjectThatWaitsOnKeepsItsPlaceInTheIndex: it is written without it.
func TestASubjectThatWaitsOnKeepsItsPlaceInTheIndex(t *testing.T) {
	t.Parallel()
	opcodes, err := beside(t).Opcodes(sqlite.UpdateThinSQL)
	require.NoError(t, err)
	require.Contains(t, opcodes, "Insert")
	require.NotContains(t, opcodes, "IdxInsert")
	require.NotContains(t, opcodes, "IdxDelete")
}

package sqlite_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

// TestWhoWaitsIsFoundByAnIndex holds with any number of subjects: SQLite plans
// without figures about a table that nobody has had it count.
func TestWhoWaitsIsFoundByAnIndex(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	open(t, path, sqlite.Options{})
	db, err := sqlite.Connect(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	for name, c := range map[string]struct {
		sql  string
		args int
		want string
	}{
		"Rung":      {sqlite.RungSQL, 4, "SEARCH subjects USING INDEX subjects_to_sweep (sweep_at<?)"},
		"StillRung": {sqlite.StillRungSQL(500), 503, "SEARCH subjects USING INDEX sqlite_autoindex_subjects_1 (id=?)"},
	} {
		rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+c.sql, make([]any, c.args)...)
		require.NoError(t, err)
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var detail string
			require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
			plan = append(plan, detail)
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
		require.Equal(t, c.want, strings.Join(plan, "\n"), "%s: neither a scan nor a sort", name)
	}
}

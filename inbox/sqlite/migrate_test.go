package sqlite_test

import (
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func database(t *testing.T) sqlite.Conn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "inbox.db")
	db, err := sqlite.Connect(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func TestMigrationsBuildOnEachOther(t *testing.T) {
	t.Parallel()
	db := database(t)
	files := fstest.MapFS{"0001_first.sql": file("CREATE TABLE things (id INTEGER); INSERT INTO things VALUES (1);")}
	require.NoError(t, db.Migrate(files))
	require.NoError(t, db.Migrate(files), "what was done is not done again")

	files["0002_second.sql"] = file("ALTER TABLE things ADD COLUMN name TEXT NOT NULL DEFAULT 'old'; INSERT INTO things VALUES (2, 'new');")
	require.NoError(t, db.Migrate(files))
	names, err := db.Text("SELECT name FROM things ORDER BY id")
	require.NoError(t, err)
	require.Equal(t, []string{"old", "new"}, names)
}

func TestAMigrationThatBreaksLeavesNothing(t *testing.T) {
	t.Parallel()
	db := database(t)
	files := fstest.MapFS{
		"0001_first.sql":  file("CREATE TABLE things (id INTEGER);"),
		"0002_second.sql": file("PRAGMA writable_schema = ON; INSERT INTO things VALUES (1); INSERT INTO nowhere VALUES (1);"),
	}
	require.ErrorContains(t, db.Migrate(files), "0002_second.sql")
	n, err := db.Text("SELECT count(*) FROM things")
	require.NoError(t, err)
	require.Equal(t, []string{"0"}, n)
	require.Equal(t, "0", text(t, db, "PRAGMA writable_schema"))
	files["0002_second.sql"] = file("INSERT INTO things VALUES (2);")
	require.NoError(t, db.Migrate(files))
}

func TestANewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	store := open(t, path, sqlite.Options{})
	require.NoError(t, store.Write(t.Context(), func(exec func(string, ...any) error) error {
		return exec("INSERT INTO migrations (version, name) VALUES (9999, 'future')")
	}))
	require.NoError(t, store.Close())
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "version 9999")
	require.ErrorContains(t, err, "newer holdfast")
}

package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

// copied is what is on the disk now, as a crash would leave it.
func copied(t *testing.T, path string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(to+suffix, data, 0o600))
	}
	return to
}

func connected(t *testing.T, path string) sqlite.Conn {
	t.Helper()
	c, err := sqlite.Connect(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func text(t *testing.T, c sqlite.Conn, query string) string {
	t.Helper()
	said, err := c.Text(query)
	require.NoError(t, err)
	require.NotEmpty(t, said)
	return said[0]
}

func run(t *testing.T, c sqlite.Conn, statements string, args ...any) {
	t.Helper()
	require.NoError(t, c.Exec(fmt.Sprintf(statements, args...)))
}

const (
	things = "CREATE TABLE things (id INTEGER PRIMARY KEY, round INTEGER NOT NULL, body BLOB NOT NULL)"
	// Seven rows of a length each, whose first byte tells it.
	addThings = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 7)
		INSERT INTO things (round, body) SELECT %d, CAST(substr('abcdefghijklmnopqrstuvwxyz', 1 + (%[1]d + i) %% 26, 1)
			|| hex(zeroblob(%d)) AS BLOB) FROM n`
	whole  = "SELECT 0 = count(*) FROM (SELECT count(*) c FROM things GROUP BY round HAVING c <> 7)"
	intact = "PRAGMA integrity_check"
)

// commitThings adds the rows of a round in a transaction of their own.
func commitThings(t *testing.T, c sqlite.Conn, round, length int) {
	t.Helper()
	run(t, c, "BEGIN IMMEDIATE")
	run(t, c, addThings, round, length)
	require.NoError(t, c.Commit())
}

func TestACommitIsWrittenWithOneCall(t *testing.T) {
	t.Parallel()
	store := newStore(t, sqlite.Options{})
	_, err := appendOne(t.Context(), store, "redo/a", "first", nil)
	require.NoError(t, err)
	var file watchedFile
	require.NoError(t, store.WrapLog(t.Context(), file.wrap))
	thaw := freeze(t, store)
	var group errgroup.Group
	for i := range 20 {
		group.Go(func() error {
			_, err := appendOne(t.Context(), store, "redo/a", keyOf(i), make([]byte, 4000))
			return err
		})
	}
	waitQueued(store, 20)
	require.Zero(t, file.writes.Load())
	thaw()
	require.NoError(t, group.Wait())
	require.Equal(t, []int64{1, 1}, []int64{file.writes.Load(), file.syncs.Load()})
}

// TestWhatIsCommittedIsInTheFile also without the fsync that makes it durable: other
// connections read it, and a process can be killed.
func TestWhatIsCommittedIsInTheFile(t *testing.T) {
	t.Parallel()
	for _, synchronous := range []string{"FULL", "NORMAL", "OFF"} {
		t.Run(synchronous, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "inbox.db")
			writer := connected(t, path)
			run(t, writer, things)
			run(t, writer, "PRAGMA synchronous = %s; PRAGMA wal_autocheckpoint = 300", synchronous)
			var stop atomic.Bool
			var readers errgroup.Group
			finish := func() error {
				stop.Store(true)
				return readers.Wait()
			}
			defer func() { _ = finish() }() // before their connections are closed
			for range 2 {
				reader := connected(t, path)
				readers.Go(func() error {
					for !stop.Load() {
						for query, want := range map[string]string{whole: "1", intact: "ok"} {
							if said, err := reader.Text(query); err != nil || said[0] != want {
								return fmt.Errorf("a reader was told %v: %w", said, err)
							}
						}
					}
					return nil
				})
			}
			reader := connected(t, path)
			for round := range 30 {
				commitThings(t, writer, round, []int{10, 3000, 50_000}[round%3])
				want := fmt.Sprint(7 * (round + 1))
				require.Equal(t, want, text(t, reader, "SELECT count(*) FROM things"), "who reads with a handle of its own")
				if round%5 == 0 {
					left := connected(t, copied(t, path))
					require.Equal(t, want, text(t, left, "SELECT count(*) FROM things"), "who comes after a crash")
					require.Equal(t, "ok", text(t, left, intact))
				}
			}
			require.NoError(t, finish())
		})
	}
}

func TestATransactionLargerThanThePageCacheIsRight(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	writer, other := connected(t, path), connected(t, path)
	run(t, writer, things)
	run(t, writer, "PRAGMA cache_size = 10; PRAGMA cache_spill = 10; PRAGMA wal_autocheckpoint = 0")
	var file watchedFile
	run(t, writer, "BEGIN")
	require.Equal(t, "0", text(t, writer, "SELECT count(*) FROM things"))
	require.NoError(t, writer.WrapLog(file.wrap))
	run(t, writer, "ROLLBACK")
	const sums = "SELECT count(*) || ' ' || sum(round * id) || ' ' || sum(length(body)) FROM things"
	for round := range 8 {
		run(t, writer, "BEGIN IMMEDIATE")
		run(t, writer, addThings, round, 20_000)
		for range 3 { // pages that the cache has written change again
			run(t, writer, "UPDATE things SET body = body || 'x', round = round + 7 WHERE id %% 3 = 0 OR round = %d", round)
		}
		require.Positive(t, file.writes.Load(), "the cache has written pages before the commit")
		mine := text(t, writer, sums)
		require.NotEqual(t, mine, text(t, other, sums), "nobody else sees them")
		require.NoError(t, writer.Commit())
		require.Equal(t, mine, text(t, other, sums))
		left := connected(t, copied(t, path))
		require.Equal(t, mine, text(t, left, sums), "the log's checksums are right")
		require.Equal(t, "ok", text(t, left, intact))
		file.writes.Store(0)
	}
}

// TestWhatIsTakenBackIsNotWrittenOverAnothersCommit has a full page cache write pages
// of a transaction that is rolled back, and another connection write in their place.
func TestWhatIsTakenBackIsNotWrittenOverAnothersCommit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	writer, other := connected(t, path), connected(t, path)
	run(t, writer, things)
	run(t, writer, "PRAGMA cache_size = 10; PRAGMA cache_spill = 10; PRAGMA wal_autocheckpoint = 0")
	for round := range 8 {
		// Else SQLite would read the log as it rolls back, and so have it written.
		require.Equal(t, "0", text(t, other, "PRAGMA wal_checkpoint(TRUNCATE)"))
		run(t, writer, "BEGIN IMMEDIATE")
		run(t, writer, addThings, 2*round, 20_000)
		run(t, writer, "ROLLBACK")
		commitThings(t, other, 2*round, 20_000)
		want := fmt.Sprint(7 * (2*round + 1))
		require.Equal(t, want, text(t, writer, "SELECT count(*) FROM things WHERE length(body) > 10"))
		commitThings(t, writer, 2*round+1, 10)
		for _, c := range []sqlite.Conn{writer, other, connected(t, path), connected(t, copied(t, path))} {
			require.Equal(t, "1", text(t, c, whole))
			require.Equal(t, "ok", text(t, c, intact))
		}
	}
}

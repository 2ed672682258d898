package sqlite_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

func TestASecondOpenIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	first := open(t, path, sqlite.Options{})
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "process "+strconv.Itoa(os.Getpid()))
	require.ErrorContains(t, err, "HOLDFAST_INBOX")
	require.ErrorContains(t, err, "several processes cannot share an SQLite inbox")
	require.NoError(t, first.Ping(t.Context()), "the first one goes on")

	require.NoError(t, first.Close())
	require.NoError(t, first.Close(), "closing twice is closing")
	require.NoError(t, open(t, path, sqlite.Options{}).Ping(t.Context()))
}

func TestOpenMakesPrivateFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "data", "in box?#%.db")
	store := open(t, path, sqlite.Options{})
	require.NoError(t, store.Ping(t.Context()))
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 3)
	for _, file := range files {
		info, err := file.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), file.Name())
	}
	info, err := os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

func TestOpenRefusesWhatIsNoDatabase(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	require.NoError(t, os.WriteFile(path, []byte("surely this is no database, but some text somebody put here"), 0o600))
	for range 2 { // the lock is free again after a refusal
		_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		require.ErrorContains(t, err, path)
		require.ErrorContains(t, err, "not a database")
	}
}

func TestReopeningContinues(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	store := open(t, path, sqlite.Options{})
	var sequences []int64
	for i := range 4 {
		r, err := appendOne(t.Context(), store, "redo/a", keyOf(i), []byte("body"))
		require.NoError(t, err)
		sequences = append(sequences, r.Sequence)
	}
	for _, subject := range []string{"redo/b", "redo/c"} {
		_, err := appendOne(t.Context(), store, subject, subject, nil)
		require.NoError(t, err)
	}
	epoch, err := claim(t.Context(), store, "redo/a")
	require.NoError(t, err)
	require.NoError(t, settle(t.Context(), store, "redo/a", epoch, sequences[0]))
	_, err = store.Fail(t.Context(), inbox.Failure{Subject: "redo/a", Epoch: epoch, Sequence: sequences[1], Error: "no", Now: start})
	require.NoError(t, err)
	_, err = store.Operate(t.Context(), inbox.Verb{Verb: inbox.VerbPause, Subject: "redo/b", By: "ann", Now: start})
	require.NoError(t, err)
	before, err := store.Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, inbox.Counts{Pending: 5, Subjects: map[inbox.State]int{
		inbox.StateHeld: 1, inbox.StateRetrying: 1, inbox.StatePending: 1,
	}}, before)
	require.NoError(t, store.Close())

	store = open(t, path, sqlite.Options{})
	after, err := store.Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after, "what was counted along is what is there")
	require.NoError(t, store.Own(t.Context(), "redo/a", epoch))
	next, err := claim(t.Context(), store, "redo/a")
	require.NoError(t, err)
	require.Greater(t, next, epoch)
	r, err := appendOne(t.Context(), store, "redo/a", keyOf(0), nil)
	require.NoError(t, err)
	require.True(t, r.Duplicate)
	entries, err := store.Next(t.Context(), "redo/a", 10, 1<<20)
	require.NoError(t, err)
	require.Len(t, entries, 3)
	require.Equal(t, sequences[1], entries[0].Sequence)
}

func TestBodiesOf40MBFit(t *testing.T) {
	t.Parallel()
	store := newStore(t, sqlite.Options{QueueBytes: 1 << 20, BatchBytes: 1 << 20})
	body := bytes.Repeat([]byte("forty million bytes, and not in pages of equal content. "), 40_000_000/56)
	_, err := appendOne(t.Context(), store, "redo/a", "large", body)
	require.NoError(t, err, "one delivery is always let in")
	_, err = appendOne(t.Context(), store, "redo/a", "small", []byte("x"))
	require.NoError(t, err)
	entries, err := store.Next(t.Context(), "redo/a", 10, 1<<20)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.True(t, bytes.Equal(body, entries[0].Payload.Body), "byte for byte")
}

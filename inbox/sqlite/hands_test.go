package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

// TestNobodyWaitsForADeadProcess: what it had in hand is taken at once when the file is
// opened again, and what waits for a time of its own goes on waiting for that.
func TestNobodyWaitsForADeadProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	store, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	now := time.Now()
	for n := range 4 {
		id := fmt.Sprint("redo/", n)
		_, err := store.Append(t.Context(), inbox.Delivery{Body: []byte("{}"), Events: []inbox.NewEvent{{
			EventID: id, Source: "redo", Subject: id, SubjectName: id, Type: "t", ReceivedAt: now,
		}}})
		require.NoError(t, err)
	}
	claim := func(s *sqlite.Store, id, run string) inbox.Claimed {
		t.Helper()
		claimed, err := s.Claim(t.Context(), inbox.Claim{Subject: id, Now: now, BusyUntil: now.Add(5 * time.Minute), RunID: run})
		require.NoError(t, err)
		return claimed
	}
	for _, id := range []string{"redo/0", "redo/1", "redo/2"} {
		require.NotZero(t, claim(store, id, "dead").Subject.Epoch)
	}
	_, err = store.Fail(t.Context(), inbox.Failure{
		Subject: "redo/1", Epoch: 2, Sequence: 2, Error: "503", Now: now, NextWake: now.Add(time.Minute),
	})
	require.NoError(t, err)
	_, err = store.Operate(t.Context(), inbox.Verb{Verb: inbox.VerbPause, Subject: "redo/2", Reason: "a look", By: "ann", Now: now})
	require.NoError(t, err)
	rung := func(s *sqlite.Store) []string {
		t.Helper()
		subjects, err := s.Rung(t.Context(), now, now, 10)
		require.NoError(t, err)
		return subjects
	}
	require.Equal(t, []string{"redo/3"}, rung(store))
	require.NoError(t, store.Close())

	store = open(t, path, sqlite.Options{})
	require.ElementsMatch(t, []string{"redo/0", "redo/3"}, rung(store))
	require.NotZero(t, claim(store, "redo/0", "next").Subject.Epoch)
	unrung, err := store.Unrung(t.Context(), now.Add(30*time.Second), now.Add(30*time.Second), 10)
	require.NoError(t, err)
	require.Equal(t, []string{"redo/3"}, unrung, "neither who waits for its next try, nor who is held, nor who is in a hand")
}

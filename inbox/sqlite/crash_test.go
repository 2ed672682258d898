package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

// acknowledged is what a child said before it was killed.
type acknowledged struct {
	sequence     int64
	subject, key string
}

func TestNothingAcknowledgedIsLostByKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	var events []acknowledged
	settled := map[int64]bool{}
	for round := range 8 {
		command, lines := child(t, childAppends, path, fmt.Sprint(round))
		for n, last := 0, 100+rand.IntN(400); lines.Scan(); n++ {
			if n == last {
				require.NoError(t, command.Process.Kill()) // what it has said by then is still read
			}
			var e acknowledged
			word, rest, _ := strings.Cut(lines.Text(), " ")
			switch word {
			case "appended":
				_, err := fmt.Sscan(rest, &e.sequence, &e.subject, &e.key)
				require.NoError(t, err)
				events = append(events, e)
			case "settled":
				_, err := fmt.Sscan(rest, &e.sequence)
				require.NoError(t, err)
				settled[e.sequence] = true
			default:
				require.Fail(t, lines.Text())
			}
		}
		require.Error(t, command.Wait(), "it was killed")
		requireKept(t, path, events, settled)
	}
}

func requireKept(t *testing.T, path string, events []acknowledged, settled map[int64]bool) {
	t.Helper()
	store := open(t, path, sqlite.Options{})
	last := map[string]int64{}
	for _, e := range events {
		require.Greater(t, e.sequence, last[e.subject], "in the order of acknowledgement")
		last[e.subject] = e.sequence
		event, err := store.Event(t.Context(), e.sequence)
		require.NoError(t, err)
		require.Equal(t, []string{e.subject, e.key}, []string{event.Subject, event.Key})
		if settled[e.sequence] {
			require.Equal(t, inbox.StatusDelivered, event.Status)
		}
		payload, err := store.Payload(t.Context(), e.sequence)
		require.NoError(t, err)
		require.Equal(t, e.key, string(payload.Body))
	}
	require.NotEmpty(t, events)
	pending := 0
	for subject := range last {
		view, err := store.Subject(t.Context(), subject)
		require.NoError(t, err)
		entries, err := store.Next(t.Context(), subject, 1<<20, 1<<30)
		require.NoError(t, err)
		require.Len(t, entries, view.Pending, "the row agrees with the events")
		pending += view.Pending
	}
	counts, err := store.Count(t.Context())
	require.NoError(t, err)
	require.LessOrEqual(t, pending, counts.Pending)
	require.NoError(t, store.Close())
}

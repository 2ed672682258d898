package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

func TestAChangeByAnotherHandIsSeen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	store := open(t, path, sqlite.Options{})
	_, err := appendOne(t.Context(), store, "redo/a", "first", nil)
	require.NoError(t, err)
	epoch, err := claim(t.Context(), store, "redo/a")
	require.NoError(t, err)
	require.Positive(t, epoch)

	db, err := sqlite.Connect(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, db.Exec("UPDATE subjects SET held = 1, held_by = 'ann', held_reason = 'by hand' WHERE id = 'redo/a'"))
	require.NoError(t, db.Close())

	epoch, err = claim(t.Context(), store, "redo/a")
	require.NoError(t, err)
	require.Zero(t, epoch, "it is held")
	_, err = appendOne(t.Context(), store, "redo/a", "second", nil)
	require.NoError(t, err)
	view, err := store.Subject(t.Context(), "redo/a")
	require.NoError(t, err)
	require.Equal(t, "by hand", view.HeldReason, "and nobody has written it over")
	require.Equal(t, 2, view.Pending)
}

// TestRowsThatWereForgottenAreReadAgain has more subjects than are remembered, some of
// them met in each of their events.
func TestRowsThatWereForgottenAreReadAgain(t *testing.T) {
	t.Parallel()
	store := newStore(t, sqlite.Options{})
	const subjects, each = 3 * sqlite.YoungRows, 2
	for n := range each {
		for i := 0; i < subjects; i += 500 {
			var d inbox.Delivery
			for j := i; j < min(i+500, subjects); j++ {
				d.Events = append(d.Events, deliveryOf(fmt.Sprint("redo/", j), fmt.Sprint(j, "-", n), nil).Events...)
			}
			d.Events = append(d.Events, deliveryOf("redo/busy", fmt.Sprint("busy", i, "-", n), nil).Events...)
			receipts, err := store.Append(t.Context(), d)
			require.NoError(t, err)
			for _, r := range receipts {
				require.Equal(t, n == 0 && (r.Subject != "redo/busy" || i == 0), r.Ring, r.Subject)
			}
		}
	}
	counts, err := store.Count(t.Context())
	require.NoError(t, err)
	all, err := store.Subjects(t.Context(), inbox.SubjectFilter{Limit: 2 * subjects})
	require.NoError(t, err)
	require.Len(t, all, subjects+1)
	pending := 0
	for _, view := range all {
		if view.ID != "redo/busy" {
			require.Equal(t, each, view.Pending, view.ID)
		}
		pending += view.Pending
	}
	require.Equal(t, counts.Pending, pending)
	unrung, err := store.Unrung(t.Context(), start.Add(time.Hour), start.Add(time.Hour), 2*subjects)
	require.NoError(t, err)
	require.Len(t, unrung, subjects+1, "a sweep uses more rows than are remembered")
}

// TestASubjectIsParkedInTheTransactionItCameWith has a verb look for the name of a
// subject which that transaction has not stored yet.
func TestASubjectIsParkedInTheTransactionItCameWith(t *testing.T) {
	t.Parallel()
	store := newStore(t, sqlite.Options{})
	thaw := freeze(t, store)
	var group errgroup.Group
	group.Go(func() error {
		_, err := appendOne(t.Context(), store, "redo/new", "first", nil)
		return err
	})
	waitQueued(store, 1)
	for i := range 2 { // the queues take turns: these two let the append come before the verb
		group.Go(func() error { return store.Ping(t.Context()) })
		waitQueued(store, 2+i)
	}
	group.Go(func() error {
		view, err := store.Operate(t.Context(), inbox.Verb{
			Verb: inbox.VerbPark, Subject: "redo/new", Sequence: 1, Reason: "poison", By: "ann", Now: start,
		})
		if err == nil && view.Pending != 0 {
			err = fmt.Errorf("%d are pending", view.Pending)
		}
		return err
	})
	waitQueued(store, 4)
	before := store.Stats().Commits
	thaw()
	require.NoError(t, group.Wait())
	require.Equal(t, int64(2), store.Stats().Commits-before, "the frozen one, and one for all")
	event, err := store.Event(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, inbox.StatusParked, event.Status)
}

package sqlite_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

// watchedFile counts the calls that write, and fails when it is told to.
type watchedFile struct {
	vfs.File
	writes, syncs atomic.Int64
	failWrite     func() bool // after half of what is to be written
	failSync      func() bool
}

func (f *watchedFile) WriteAt(p []byte, offset int64) (int, error) {
	f.writes.Add(1)
	if f.failWrite != nil && f.failWrite() {
		n, err := f.File.WriteAt(p[:len(p)/2], offset)
		return n, errors.Join(err, syscall.ENOSPC)
	}
	return f.File.WriteAt(p, offset)
}

func (f *watchedFile) Sync(flags vfs.SyncFlag) error {
	f.syncs.Add(1)
	if f.failSync != nil && f.failSync() {
		return syscall.EIO
	}
	return f.File.Sync(flags)
}

func (f *watchedFile) wrap(file vfs.File) vfs.File {
	f.File = file
	return f
}

// TestALogThatFailsFailsItsCommitOnly has a write or a sync of the log fail at any
// place, after half of what was to be written.
func TestALogThatFailsFailsItsCommitOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	store := open(t, path, sqlite.Options{BatchLength: 8})
	var stored, failed atomic.Int64
	for round := range 40 {
		var calls atomic.Int64
		random := rand.New(rand.NewPCG(uint64(round), 0))
		last := int64(1 + random.IntN(4))
		fail := func() bool { return calls.Add(1) == last }
		file := &watchedFile{failWrite: fail}
		if round%4 == 3 {
			file.failWrite, file.failSync = nil, fail
		}
		require.NoError(t, store.WrapLog(t.Context(), file.wrap))
		body := make([]byte, []int{100, 5000, 200_000}[round%3])
		var group errgroup.Group
		for i := range 12 {
			group.Go(func() error {
				key := fmt.Sprintf("%d-%d", round, i)
				subject := fmt.Sprintf("redo/%d", i%3)
				for attempt := range 5 {
					receipt, err := appendOne(t.Context(), store, subject, key, body)
					if err == nil {
						stored.Add(1)
						if receipt.Duplicate {
							return fmt.Errorf("%s failed %d times and was stored", key, attempt)
						}
						return nil
					}
					failed.Add(1)
				}
				return errors.New("the store does not go on")
			})
		}
		require.NoError(t, group.Wait())
	}
	require.Greater(t, failed.Load(), int64(40), "the disk has failed")
	for name, kept := range map[string]*sqlite.Store{
		"the store": store, "what a crash would leave": open(t, copied(t, path), sqlite.Options{}),
	} {
		pending := 0
		for i := range 3 {
			subject := fmt.Sprintf("redo/%d", i)
			view, err := kept.Subject(t.Context(), subject)
			require.NoError(t, err)
			entries, err := kept.Next(t.Context(), subject, 1<<20, 1<<30)
			require.NoError(t, err)
			require.Len(t, entries, view.Pending)
			seen := map[string]bool{}
			for _, entry := range entries {
				require.False(t, seen[entry.Key], entry.Key)
				seen[entry.Key] = true
			}
			pending += view.Pending
		}
		require.Equal(t, int(stored.Load()), pending, name)
	}
	require.Equal(t, "ok", text(t, connected(t, path), intact))
}

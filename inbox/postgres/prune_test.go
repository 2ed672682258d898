package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/inbox/postgres"
)

// An append waits for a subject's row while Prune deletes it: the event belongs to
// a row that is there.
func TestPruneAndAppendOfTheSameSubjectAgree(t *testing.T) {
	t.Parallel()
	stores, url := fleet(t, 2, postgres.Options{})
	var group errgroup.Group
	for i := range 2 {
		group.Go(func() error {
			for j := range 60 {
				subject := fmt.Sprintf("redo/%d", i)
				receipt, err := appendOne(within(t), stores[0], subject, "same key", nil)
				if err != nil {
					return err
				}
				if receipt.Duplicate {
					continue // of what is about to be pruned, or of the other subject's
				}
				epoch, err := claim(t.Context(), stores[0], subject)
				if err != nil {
					return err
				}
				if err := settle(t.Context(), stores[0], subject, epoch, receipt.Sequence); err != nil {
					return fmt.Errorf("round %d: %w", j, err)
				}
			}
			return nil
		})
	}
	stop := make(chan struct{})
	var pruning errgroup.Group
	for _, store := range stores {
		pruning.Go(func() error {
			for {
				select {
				case <-stop:
					return nil
				default:
				}
				if _, err := store.Prune(t.Context(), start.Add(time.Minute), 10); err != nil {
					return err
				}
			}
		})
	}
	require.NoError(t, group.Wait())
	close(stop)
	require.NoError(t, pruning.Wait())
	for n := 1; n > 0; {
		var err error
		n, err = stores[0].Prune(t.Context(), start.Add(time.Minute), 100)
		require.NoError(t, err)
	}
	for _, table := range []string{"events", "payloads", "keys", "subjects"} {
		waitFor(t, url, "SELECT count(*) = 0 FROM "+table)
	}
}

func TestNothingIsPrunedThatSomebodyIsUsing(t *testing.T) {
	t.Parallel()
	for name, lock := range map[string]string{
		"TheSubject": lockOf("redo/a"),
		"TheKey":     "SELECT 1 FROM keys FOR UPDATE",
		"TheEvent":   "SELECT 1 FROM events FOR KEY SHARE",
		"ThePayload": "SELECT 1 FROM payloads FOR UPDATE",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, url := newStore(t, postgres.Options{})
			first, err := appendOne(t.Context(), store, "redo/a", "k", nil)
			require.NoError(t, err)
			epoch, err := claim(t.Context(), store, "redo/a")
			require.NoError(t, err)
			require.NoError(t, settle(t.Context(), store, "redo/a", epoch, first.Sequence))
			end := hold(t, url, lock)
			n, err := store.Prune(t.Context(), start.Add(time.Minute), 10)
			require.NoError(t, err, "it waits for nobody")
			require.Zero(t, n)
			end("COMMIT")
			n, err = store.Prune(t.Context(), start.Add(time.Minute), 10)
			require.NoError(t, err)
			require.Equal(t, 1, n)
			waitFor(t, url, "SELECT count(*) = 0 FROM subjects")
		})
	}
}

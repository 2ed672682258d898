package postgres_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/postgres"
	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
)

// fleet opens several stores on one database, as several processes have them.
func fleet(t *testing.T, n int, options postgres.Options) (stores []*postgres.Store, url string) {
	t.Helper()
	url = postgrestest.Database(t)
	for range n {
		stores = append(stores, open(t, url, options))
	}
	return stores, url
}

// Whoever has seen an event of a subject never sees a smaller sequence appear there
// later: order of sequence is order of commit.
func TestSequenceOrderIsCommitOrderAcrossIngresses(t *testing.T) {
	t.Parallel()
	stores, url := fleet(t, 3, postgres.Options{})
	subjects := []string{"redo/a", "redo/b", "redo/c"}
	const senders, each = 4, 40
	var group, watchers errgroup.Group
	var done atomic.Bool
	for _, subject := range subjects {
		conn := session(t, url)
		watchers.Go(func() error {
			seen := map[int64]bool{}
			for last, final := int64(0), false; !final; {
				final = done.Load()
				rows, err := conn.Query(t.Context(), `SELECT e.sequence FROM events e JOIN subjects s ON s.number = e.subject
					WHERE s.id = $1 ORDER BY e.sequence`, subject)
				if err != nil {
					return err
				}
				highest := last
				for rows.Next() {
					var sequence int64
					if err := rows.Scan(&sequence); err != nil {
						return err
					}
					if sequence <= last && !seen[sequence] {
						return fmt.Errorf("%s: %d appeared after %d", subject, sequence, last)
					}
					seen[sequence] = true
					highest = max(highest, sequence)
				}
				if err := rows.Err(); err != nil {
					return err
				}
				last = highest
			}
			if len(seen) != senders*each {
				return fmt.Errorf("%s: %d events were seen", subject, len(seen))
			}
			return nil
		})
	}
	for i := range senders {
		store := stores[i%len(stores)]
		group.Go(func() error {
			for j := range each {
				var events []inbox.NewEvent // of all subjects, so that batches have them in any order
				for k := range subjects {
					events = append(events, eventOf(subjects[(i+k)%len(subjects)], fmt.Sprintf("%d-%d-%d", i, j, k)))
				}
				if _, err := store.Append(within(t), inbox.Delivery{Body: []byte("x"), Events: events}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	done.Store(true)
	require.NoError(t, watchers.Wait())
}

// A first copy whose ingress has not committed may still vanish: whoever brings the
// second waits, and never says that it is a duplicate of nothing.
func TestAnUncommittedFirstCopyIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		subject, end string
		duplicate    bool
	}{
		"AndItIsADuplicateWhenThatCommits":                 {"redo/a", "COMMIT", true},
		"AndItIsTheFirstWhenThatVanishes":                  {"redo/a", "ROLLBACK", false},
		"OfAnotherSubjectAndItIsADuplicateWhenThatCommits": {"redo/b", "COMMIT", true},
		"OfAnotherSubjectAndItIsTheFirstWhenThatVanishes":  {"redo/b", "ROLLBACK", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, url := newStore(t, postgres.Options{})
			end := hold(t, url, appendCall("k", "redo/a")) // as another ingress, frozen before its commit
			answer := make(chan inbox.Receipt, 1)
			failed := make(chan error, 1)
			go func() {
				receipt, err := appendOne(within(t), store, c.subject, "k", nil)
				answer <- receipt
				failed <- err
			}()
			waitBlocked(t, url, 1)
			_, err := appendOne(t.Context(), store, "redo/other", "other", nil)
			require.NoError(t, err, "others go on")
			require.Empty(t, answer)
			end(c.end)
			receipt := <-answer
			require.NoError(t, <-failed)
			require.Equal(t, c.duplicate, receipt.Duplicate)
			event, err := store.Event(t.Context(), receipt.Sequence)
			require.NoError(t, err, "what it is a duplicate of is there")
			require.Equal(t, receipt.EventID, event.EventID)
			_, err = store.Subject(t.Context(), c.subject)
			if c.duplicate && c.subject != "redo/a" {
				require.ErrorIs(t, err, inbox.ErrNotFound, "a duplicate makes no subject")
			} else {
				require.NoError(t, err)
			}
		})
	}
}

func TestTheSameDeliveryAtTheSameInstantIsStoredOnce(t *testing.T) {
	t.Parallel()
	stores, url := fleet(t, 4, postgres.Options{})
	for name, subjects := range map[string]int{"same subject": 1, "different subjects": 4} {
		for round := range 20 {
			var stored, duplicates atomic.Int64
			var group errgroup.Group
			for i, store := range stores {
				group.Go(func() error {
					subject := fmt.Sprintf("redo/%s-%d-%d", name, round, i%subjects)
					receipt, err := appendOne(within(t), store, subject, fmt.Sprintf("%s-%d", name, round), nil)
					if receipt.Duplicate {
						duplicates.Add(1)
					} else {
						stored.Add(1)
					}
					return err
				})
			}
			require.NoError(t, group.Wait())
			require.Equal(t, []int64{1, 3}, []int64{stored.Load(), duplicates.Load()}, name)
		}
	}
	waitFor(t, url, "SELECT count(*) = 0 FROM subjects s WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.subject = s.number)")
}

// An epoch taken between a zombie's read and its settle.
func TestAZombieIsFencedWhoeverHasTheSubject(t *testing.T) {
	t.Parallel()
	stores, url := fleet(t, 2, postgres.Options{})
	first, err := appendOne(t.Context(), stores[0], "redo/a", "k", nil)
	require.NoError(t, err)
	zombie, err := claim(t.Context(), stores[0], "redo/a")
	require.NoError(t, err)
	require.NoError(t, stores[0].Own(t.Context(), "redo/a", zombie))

	// Its settle waits for the row, which another process's claim has just taken.
	end := hold(t, url, lockOf("redo/a"), "UPDATE subjects SET epoch = nextval('epochs')")
	settled := make(chan error, 1)
	go func() { settled <- settle(within(t), stores[0], "redo/a", zombie, first.Sequence) }()
	waitBlocked(t, url, 1)
	end("COMMIT")
	require.ErrorIs(t, <-settled, inbox.ErrFenced)
	require.ErrorIs(t, stores[0].Own(t.Context(), "redo/a", zombie), inbox.ErrFenced)

	owner, err := claim(t.Context(), stores[1], "redo/a")
	require.NoError(t, err)
	require.Greater(t, owner, zombie)
	require.NoError(t, settle(t.Context(), stores[1], "redo/a", owner, first.Sequence))
}

// What Settle says is left is true at its commit: an append that is about to commit
// is either counted, or rings.
func TestASettlementAndAnAppendAtOnceNeverLoseARing(t *testing.T) {
	t.Parallel()
	stores, _ := fleet(t, 2, postgres.Options{})
	for round := range 60 {
		first, err := appendOne(t.Context(), stores[0], "redo/a", fmt.Sprintf("first-%d", round), nil)
		require.NoError(t, err)
		require.True(t, first.Ring)
		epoch, err := claim(t.Context(), stores[1], "redo/a")
		require.NoError(t, err)
		var second inbox.Receipt
		var settled inbox.Settled
		var group errgroup.Group
		group.Go(func() (err error) {
			second, err = appendOne(t.Context(), stores[0], "redo/a", fmt.Sprintf("second-%d", round), nil)
			return err
		})
		group.Go(func() (err error) {
			settled, err = stores[1].Settle(t.Context(), settlementOf("redo/a", epoch, first.Sequence))
			return err
		})
		require.NoError(t, group.Wait())
		require.Equal(t, second.Ring, settled.Pending == 0, "one of both sees the other")
		if !second.Ring {
			require.Equal(t, inbox.Settled{Pending: 1, Next: second.Sequence}, settled)
		}
		epoch, err = claim(t.Context(), stores[1], "redo/a")
		require.NoError(t, err)
		require.NoError(t, settle(t.Context(), stores[1], "redo/a", epoch, second.Sequence))
	}
}

func TestOneLeadsAndAnotherWhenItIsGone(t *testing.T) {
	t.Parallel()
	stores, url := fleet(t, 3, postgres.Options{})
	leads := func(store *postgres.Store) bool {
		is, err := store.Lead(t.Context())
		require.NoError(t, err)
		return is
	}
	for range 3 {
		require.Equal(t, []bool{true, false, false}, []bool{leads(stores[0]), leads(stores[1]), leads(stores[2])})
	}
	require.NoError(t, stores[0].Close())
	require.True(t, leads(stores[2]), "at once")
	require.False(t, leads(stores[1]))

	// It freezes, and does not ask again before its lease is over.
	_, err := session(t, url).Exec(t.Context(), "UPDATE leases SET until = clock_timestamp() - interval '1 second'")
	require.NoError(t, err)
	require.True(t, leads(stores[1]))
	require.False(t, leads(stores[2]), "when it is back")

	short := open(t, url, postgres.Options{Lease: time.Millisecond})
	require.NoError(t, stores[1].Close())
	require.True(t, leads(short))
	require.Eventually(t, func() bool { return leads(stores[2]) }, patience, 10*time.Millisecond, "a lease ends by itself")
}

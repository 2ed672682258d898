package main

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

// TestSettledRowsAreAsAStoreWritesThem: the store finds their keys and subjects, gives
// no number twice, and can prune every one of them.
func TestSettledRowsAreAsAStoreWritesThem(t *testing.T) {
	t.Parallel()
	const events = 2000
	for kind, urls := range inboxes(t) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			ctx, url := t.Context(), urls[0]
			require.NoError(t, withStore(ctx, url, func(inbox.Inbox) error { return nil }))
			require.NoError(t, fillSettled(ctx, url, events, io.Discard))
			require.NoError(t, fillSettled(ctx, url, events, io.Discard), "it is full")
			require.ErrorContains(t, fillSettled(ctx, url, events+1, io.Discard), "give an empty one")

			store, err := openStore(ctx, url)
			require.NoError(t, err)
			defer store.Close()
			now := time.Now()
			subject := settledSubject(7)
			found, err := store.Events(ctx, inbox.EventFilter{Subject: subject})
			require.NoError(t, err)
			require.Len(t, found, perSubject)
			one := found[3]
			payload, err := store.Payload(ctx, one.Sequence)
			require.NoError(t, err)
			require.Equal(t, body(one.Key), payload.Body)
			require.Equal(t, inbox.StatusDelivered, one.Status)
			require.Less(t, one.ReceivedAt, one.SettledAt)

			again := inbox.NewEvent{EventID: "again", Source: one.Source, Provider: "redo", Subject: subject, Key: one.Key, ReceivedAt: now}
			fresh := again
			fresh.EventID, fresh.Key = "fresh", "fresh"
			receipts, err := store.Append(ctx, inbox.Delivery{Body: []byte("{}"), Events: []inbox.NewEvent{again, fresh}})
			require.NoError(t, err)
			require.True(t, receipts[0].Duplicate)
			require.Equal(t, one.Sequence, receipts[0].Sequence)
			require.Greater(t, receipts[1].Sequence, int64(events))
			claimed, err := store.Claim(ctx, inbox.Claim{Subject: subject, Now: now, BusyUntil: now.Add(time.Minute), RunID: "run"})
			require.NoError(t, err)
			require.Greater(t, claimed.Subject.Epoch, int64(events))

			within := now.AddDate(0, 0, -30)
			pruned, err := store.Prune(ctx, within, events)
			require.NoError(t, err)
			require.Zero(t, pruned, "all are within the retention")
			total := 0
			for {
				pruned, err := store.Prune(ctx, now, events)
				require.NoError(t, err)
				if pruned == 0 {
					break
				}
				total += pruned
			}
			require.Equal(t, events, total)
			left, err := store.Events(ctx, inbox.EventFilter{})
			require.NoError(t, err)
			require.Len(t, left, 1)
			_, err = store.Subject(ctx, settledSubject(8))
			require.ErrorIs(t, err, inbox.ErrNotFound)
		})
	}
}

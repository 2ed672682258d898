package inboxtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/inbox"
)

const (
	raceAppenders = 8
	raceEvents    = 40 // of each appender
)

// appendMany has many goroutines append to one subject and hands each receipt on.
func appendMany(ctx context.Context, b box, subject string, each func(inbox.Receipt)) error {
	var group errgroup.Group
	for i, handle := range b.handles(raceAppenders) {
		group.Go(func() error {
			last := int64(0)
			for j := range raceEvents {
				receipts, err := handle.Append(ctx, delivery(newEvent(subject, fmt.Sprintf("%d-%d", i, j))))
				if err != nil {
					return err
				}
				if receipts[0].Sequence <= last {
					return fmt.Errorf("sequence %d was acknowledged after %d", receipts[0].Sequence, last)
				}
				last = receipts[0].Sequence
				each(receipts[0])
			}
			return nil
		})
	}
	return group.Wait()
}

// drain does what a worker does when a subject is rung, until nothing is pending
// or somebody else has the subject. It returns what it settled, and how often it
// was told that nothing is left.
func drain(ctx context.Context, store inbox.Inbox, subject string) (settled []int64, emptied int, err error) {
	claimed, err := store.Claim(ctx, inbox.Claim{Subject: subject, Now: at(1), BusyUntil: at(2)})
	if err != nil {
		return nil, 0, err
	}
	for {
		entries, err := store.Next(ctx, subject, 7, 1<<20)
		if err != nil || len(entries) == 0 {
			return settled, emptied, err
		}
		for _, entry := range entries {
			after, err := store.Settle(ctx, settlement(claimed.Subject, entry.Sequence))
			if errors.Is(err, inbox.ErrFenced) {
				return settled, emptied, nil
			}
			if err != nil {
				return settled, emptied, err
			}
			settled = append(settled, entry.Sequence)
			if after.Pending == 0 {
				emptied++
			}
		}
	}
}

func testRaces(t *testing.T, open Opener) {
	t.Helper()
	t.Run("WhoeverEmptiesAQueueIsRungAgain", func(t *testing.T) {
		b := setup(t, open)
		rings := make(chan struct{}, raceAppenders*raceEvents)
		var group errgroup.Group
		group.Go(func() error {
			defer close(rings)
			return appendMany(t.Context(), b, "redo/a", func(r inbox.Receipt) {
				if r.Ring {
					rings <- struct{}{}
				}
			})
		})
		var settled []int64
		rung, emptied := 0, 0
		for range rings {
			rung++
			some, empties, err := drain(t.Context(), b, "redo/a")
			require.NoError(t, err)
			settled, emptied = append(settled, some...), emptied+empties
		}
		require.NoError(t, group.Wait())
		require.Len(t, settled, raceAppenders*raceEvents, "nothing is left that nobody was rung for")
		require.True(t, slices.IsSorted(settled), "order of handling is order of sequence")
		require.Equal(t, rung, emptied, "one ring for each time the queue became empty")
		require.Zero(t, b.subject("redo/a").Pending)
	})
	t.Run("DrainsThatFenceEachOtherLoseAndRepeatNothing", func(t *testing.T) {
		b := setup(t, open)
		rings := make(chan struct{}, raceAppenders*raceEvents)
		var appending, draining errgroup.Group
		appending.Go(func() error {
			defer close(rings)
			return appendMany(t.Context(), b, "redo/a", func(inbox.Receipt) { rings <- struct{}{} })
		})
		var mu sync.Mutex
		var settled []int64
		for _, handle := range b.handles(4) {
			draining.Go(func() error {
				for range rings {
					some, _, err := drain(t.Context(), handle, "redo/a")
					if err != nil { // not even inbox.ErrNotPending: a claim ends what was before
						return err
					}
					mu.Lock()
					settled = append(settled, some...)
					mu.Unlock()
				}
				return nil
			})
		}
		require.NoError(t, appending.Wait())
		require.NoError(t, draining.Wait())
		some, _, err := drain(t.Context(), b, "redo/a")
		require.NoError(t, err)
		settled = append(settled, some...)
		slices.Sort(settled)
		require.Len(t, settled, raceAppenders*raceEvents)
		require.Len(t, slices.Compact(settled), raceAppenders*raceEvents, "each is settled once")
	})
	t.Run("SequenceOrderIsCommitOrder", func(t *testing.T) {
		b := setup(t, open)
		done := make(chan error, 1)
		go func() { done <- appendMany(t.Context(), b, "redo/a", func(inbox.Receipt) {}) }()
		var seen []int64
		look := func() {
			last := int64(0)
			if len(seen) > 0 {
				last = seen[len(seen)-1]
			}
			events, err := b.Events(t.Context(), inbox.EventFilter{Subject: "redo/a", After: last, Limit: 1000})
			require.NoError(t, err)
			for _, event := range events {
				seen = append(seen, event.Sequence)
			}
		}
		for appending := true; appending; {
			select {
			case err := <-done:
				require.NoError(t, err)
				appending = false
			default:
			}
			look()
		}
		require.Equal(t, b.pending("redo/a"), seen, "nothing came in behind what was seen already")
		require.Len(t, seen, raceAppenders*raceEvents)
	})
	t.Run("OfConcurrentDuplicatesOneIsStored", func(t *testing.T) {
		b := setup(t, open)
		const copies = 24
		receipts := make([]inbox.Receipt, copies)
		var group errgroup.Group
		for i, handle := range b.handles(copies) {
			group.Go(func() error {
				e := newEvent("redo/a", "k")
				e.EventID = fmt.Sprintf("copy-%d", i)
				got, err := handle.Append(t.Context(), delivery(e))
				if err == nil {
					receipts[i] = got[0]
				}
				return err
			})
		}
		require.NoError(t, group.Wait())
		stored, rung := 0, 0
		for _, r := range receipts {
			require.Equal(t, receipts[0].Sequence, r.Sequence)
			require.Equal(t, receipts[0].EventID, r.EventID)
			if !r.Duplicate {
				stored++
			}
			if r.Ring {
				rung++
			}
		}
		require.Equal(t, 1, stored)
		require.Equal(t, 1, rung)
		require.Len(t, b.pending("redo/a"), 1)
	})
	t.Run("ARequestThatComesTwiceAtOnceIsDoneOnce", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		var group errgroup.Group
		for _, handle := range b.handles(8) {
			group.Go(func() error {
				park := parkOf("redo/a", all[0].Sequence)
				park.RequestID = "u1"
				_, err := handle.Operate(t.Context(), park)
				return err
			})
		}
		require.NoError(t, group.Wait())
		require.Equal(t, 1, b.subject("redo/a").Pending)
		entries, err := b.Audit(t.Context(), "redo/a", 0)
		require.NoError(t, err)
		require.Len(t, entries, 1)
	})
}

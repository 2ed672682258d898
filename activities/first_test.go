package activities_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

// bringing is a store whose claims bring the first event along, and which counts how
// often it is asked for some.
type bringing struct {
	inbox.Inbox
	asked atomic.Int64
}

func (s *bringing) Claim(ctx context.Context, c inbox.Claim) (inbox.Claimed, error) {
	claimed, err := s.Inbox.Claim(ctx, c)
	if err != nil || claimed.Subject.Epoch == 0 {
		return claimed, err
	}
	entries, err := s.Inbox.Next(ctx, c.Subject, 1, 1)
	if len(entries) > 0 {
		claimed.First = &entries[0]
	}
	return claimed, err
}

func (s *bringing) Next(ctx context.Context, subject string, limit, maxBytes int) ([]inbox.Entry, error) {
	s.asked.Add(1)
	return s.Inbox.Next(ctx, subject, limit, maxBytes)
}

func TestADrainHandlesTheEventThatCameWithItsClaim(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bubble) {
		store := &bringing{Inbox: b.store}
		a := b.worker(store)
		b.append("redo/one", 1)
		b.drainAs(a, "redo/one", "run")
		b.requireOnce("redo/one", 1)
		require.Zero(t, store.asked.Load())

		b.append("redo/many", 250)
		b.drainAs(a, "redo/many", "run")
		b.requireOnce("redo/many", 250)
		require.EqualValues(t, 3, store.asked.Load(), "for 249 events")
	})
}

package inboxtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

func testPrune(t *testing.T, open Opener) {
	t.Helper()
	prune := func(b box, before time.Time, limit int) int {
		b.t.Helper()
		n, err := b.Prune(b.t.Context(), before, limit)
		require.NoError(b.t, err)
		return n
	}
	t.Run("DeletesWhatWasSettledBefore", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 3)
		owner := b.claim("redo/a", at(1))
		b.deliver(owner, all[0].Sequence) // at 2
		late := settlement(owner, all[1].Sequence)
		late.Now = at(50)
		_, err := b.Settle(t.Context(), late)
		require.NoError(t, err)

		require.Zero(t, prune(b, at(2), 10))
		require.Equal(t, 1, prune(b, at(3), 10))
		_, err = b.Event(t.Context(), all[0].Sequence)
		require.ErrorIs(t, err, inbox.ErrNotFound)
		_, err = b.Payload(t.Context(), all[0].Sequence)
		require.ErrorIs(t, err, inbox.ErrNotFound)
		require.Equal(t, 1, prune(b, at(51), 10))
		require.Zero(t, prune(b, at(100_000), 10), "pending events never go")
		require.Equal(t, []int64{all[2].Sequence}, b.pending("redo/a"))
		require.False(t, b.append(newEvent("redo/a", "redo/a-0"))[0].Duplicate, "its key went with it")
		require.True(t, b.append(newEvent("redo/a", "redo/a-2"))[0].Duplicate)
	})
	t.Run("KeepsToItsLimit", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 7)
		b.deliverAll("redo/a")
		require.Equal(t, []int{3, 3, 1, 0}, []int{prune(b, at(9), 3), prune(b, at(9), 3), prune(b, at(9), 3), prune(b, at(9), 3)})
	})
	t.Run("PassesOverThePendingOnes", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/stuck", 20)
		b.put("redo/a", 3)
		b.deliverAll("redo/a")
		pruned := 0
		for range 100 {
			pruned += prune(b, at(9), 2)
		}
		require.Equal(t, 3, pruned)
		b.deliverAll("redo/stuck")
		for range 100 {
			pruned += prune(b, at(9), 2)
		}
		require.Equal(t, 23, pruned, "it comes back to them")
	})
	t.Run("TakesFewOfLargeBodies", func(t *testing.T) {
		b := setup(t, open)
		var all []inbox.Receipt
		large := func(size int, events ...inbox.NewEvent) {
			t.Helper()
			receipts, err := b.Append(t.Context(), inbox.Delivery{Body: make([]byte, size), Events: events})
			require.NoError(t, err)
			all = append(all, receipts...)
		}
		for range 3 {
			large(3<<20, newEvent("redo/a", ""))
		}
		large(9<<20, newEvent("redo/a", ""))
		large(3<<20, newEvent("redo/a", ""), newEvent("redo/a", ""), newEvent("redo/a", ""))
		owner := b.claim("redo/a", at(1))
		for i, r := range all {
			s := settlement(owner, r.Sequence)
			s.Now = at(1).Add(time.Duration(i) * time.Second)
			_, err := b.Settle(t.Context(), s)
			require.NoError(t, err)
		}
		var pruned []int
		for n := -1; n != 0; {
			n = prune(b, at(9), 10)
			pruned = append(pruned, n)
		}
		require.Equal(t, []int{1, 1, 1, 1, 3, 0}, pruned, "the last three share one body")
	})
	t.Run("TakesTheAuditButOfHeldSubjects", func(t *testing.T) {
		b := setup(t, open)
		for _, id := range []string{"redo/a", "redo/held"} {
			b.put(id, 1)
			b.operate(pauseOf(id, time.Time{})) // at 3
		}
		b.operate(resumeOf("redo/a")) // at 5
		audited := func(subject string) int {
			t.Helper()
			entries, err := b.Audit(t.Context(), subject, 10)
			require.NoError(t, err)
			return len(entries)
		}
		for minute, want := range []int{3: 2, 4: 1, 5: 1, 6: 0} {
			if minute >= 3 {
				require.Zero(t, prune(b, at(minute), 1), "only events count")
				require.Equal(t, want, audited("redo/a"), "before minute %d", minute)
			}
		}
		require.Equal(t, 1, audited("redo/held"), "it may be why")
	})
	t.Run("APayloadStaysWhileAnybodyNeedsIt", func(t *testing.T) {
		b := setup(t, open)
		receipts := b.append(newEvent("redo/a", "k1"), newEvent("redo/b", "k2"))
		requirePayload := func(sequence int64) {
			t.Helper()
			payload, err := b.Payload(t.Context(), sequence)
			require.NoError(t, err)
			require.JSONEq(t, `{"of":"k1"}`, string(payload.Body))
		}
		b.deliverAll("redo/a")
		require.Equal(t, 1, prune(b, at(9), 10))
		requirePayload(receipts[1].Sequence)

		b.deliverAll("redo/b")
		copied := b.replay(inbox.Replay{Sequences: sequences(receipts[1:])}).Events[0]
		require.Equal(t, 1, prune(b, at(9), 10))
		requirePayload(copied.Sequence)
		require.Equal(t, []int64{copied.Sequence}, b.pending("redo/b"))
	})
	t.Run("AnIdleSubjectStaysWithItsLaterEvents", func(t *testing.T) {
		b := setup(t, open)
		all := b.put("redo/a", 2)
		owner := b.claim("redo/a", at(1))
		b.deliver(owner, all[0].Sequence)
		late := settlement(owner, all[1].Sequence)
		late.Now = at(50)
		_, err := b.Settle(t.Context(), late)
		require.NoError(t, err)
		require.Equal(t, 1, prune(b, at(9), 10))
		require.Equal(t, inbox.StateIdle, b.subject("redo/a").State())
		require.Equal(t, "redo/a", b.event(all[1].Sequence).Subject)
	})
	t.Run("ARepeatedKeyIsTheNewerEvents", func(t *testing.T) {
		b := setup(t, open)
		short := newEvent("redo/a", "k")
		short.KeyLife = time.Minute
		b.append(short)
		b.deliverAll("redo/a")
		short.ReceivedAt = at(5)
		second := b.append(short)[0]
		require.Equal(t, 1, prune(b, at(3), 10))
		short.ReceivedAt = at(5).Add(time.Second)
		require.Equal(t, second.Sequence, b.append(short)[0].Sequence)
	})
	t.Run("ASubjectGoesWithItsLastEvent", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		b.put("redo/held", 1)
		owner := b.claim("redo/a", at(1))
		b.deliverAll("redo/held")
		b.operate(pauseOf("redo/held", time.Time{}))
		b.deliverAll("redo/a")
		require.Equal(t, 2, prune(b, at(9), 10))
		_, err := b.Subject(t.Context(), "redo/a")
		require.ErrorIs(t, err, inbox.ErrNotFound)
		require.True(t, b.subject("redo/held").Held, "a hold is remembered")

		receipt := b.put("redo/a", 1)[0]
		require.True(t, receipt.Ring)
		_, err = b.Settle(t.Context(), settlement(owner, receipt.Sequence))
		require.ErrorIs(t, err, inbox.ErrFenced, "an old epoch is none of the new row's")
		require.Greater(t, b.claim("redo/a", at(1)).Epoch, owner.Epoch)
	})
	t.Run("ASequenceIsNeverGivenAgain", func(t *testing.T) {
		b := setup(t, open)
		last := b.put("redo/a", 2)[1]
		b.deliverAll("redo/a")
		require.Equal(t, 2, prune(b, at(9), 10))
		require.Greater(t, b.put("redo/a", 1)[0].Sequence, last.Sequence)
	})
}

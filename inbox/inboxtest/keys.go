package inboxtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

func testKeys(t *testing.T, open Opener) {
	t.Helper()
	keyed := func(key, digest string, received time.Time) inbox.NewEvent {
		e := newEvent("redeam/a", key)
		e.EventID += digest + received.String()
		e.Digest, e.ReceivedAt = digest, received
		return e
	}
	requireCopyOf := func(t *testing.T, first, again inbox.Receipt) {
		t.Helper()
		first.Duplicate, first.Ring, first.Status = true, false, again.Status
		require.Equal(t, first, again)
	}

	t.Run("ADuplicateIsTheFirstCopyWhateverBecameOfIt", func(t *testing.T) {
		b := setup(t, open)
		first := b.append(keyed("k", "", start))[0]
		duplicate := func(status inbox.Status) {
			t.Helper()
			again := b.append(keyed("k", "", at(9)))[0]
			requireCopyOf(t, first, again)
			require.Equal(t, status, again.Status)
		}
		duplicate(inbox.StatusPending)
		owner := b.claim("redeam/a", at(1))
		b.fail(owner, first.Sequence, &inbox.Hold{Until: at(60), Reason: "critical"})
		duplicate(inbox.StatusPending)
		b.deliver(owner, first.Sequence)
		duplicate(inbox.StatusDelivered)
		require.Empty(t, b.pending("redeam/a"))
	})
	t.Run("AKeyIsOfItsSource", func(t *testing.T) {
		b := setup(t, open)
		b.append(keyed("k", "", start))
		other := keyed("k", "", start)
		other.Source, other.Subject = "sandbox", "sandbox/a"
		require.False(t, b.append(other)[0].Duplicate)
	})
	t.Run("WithoutAKeyNothingIsADuplicate", func(t *testing.T) {
		b := setup(t, open)
		first, second := b.append(keyed("", "", start))[0], b.append(keyed("", "", start))[0]
		require.Less(t, first.Sequence, second.Sequence)
	})
	t.Run("TwiceInOneDeliveryIsADuplicateToo", func(t *testing.T) {
		b := setup(t, open)
		receipts := b.append(keyed("k", "", start), keyed("k", "", at(1)))
		requireCopyOf(t, receipts[0], receipts[1])
		require.Len(t, b.pending("redeam/a"), 1)
	})
	t.Run("ADeliveryMayBePartlyKnown", func(t *testing.T) {
		b := setup(t, open)
		first := b.append(keyed("k1", "", start))[0]
		receipts := b.append(keyed("k1", "", at(1)), keyed("k2", "", at(1)))
		requireCopyOf(t, first, receipts[0])
		require.False(t, receipts[1].Duplicate)
		require.Len(t, b.pending("redeam/a"), 2)
	})
	t.Run("AKeyEndsWithItsLife", func(t *testing.T) {
		b := setup(t, open)
		short := func(minutes int) inbox.NewEvent {
			e := keyed("k", "", at(minutes))
			e.KeyLife = 10 * time.Minute
			return e
		}
		first := b.append(short(0))[0]
		b.deliverAll("redeam/a")
		requireCopyOf(t, first, b.append(short(9))[0])
		second := b.append(short(10))[0]
		require.False(t, second.Duplicate, "a duplicate does not prolong a life")
		b.deliverAll("redeam/a")
		requireCopyOf(t, second, b.append(short(19))[0])
		require.False(t, b.append(short(20))[0].Duplicate)
	})
	t.Run("AKeyLivesAsLongAsItsEventIsPending", func(t *testing.T) {
		b := setup(t, open)
		short := func(digest string, minutes int) inbox.NewEvent {
			e := keyed("k", digest, at(minutes))
			e.KeyLife = 10 * time.Minute
			return e
		}
		first := b.append(short("d1", 0))[0]
		requireCopyOf(t, first, b.append(short("d1", 11))[0])
		require.Equal(t, inbox.StatusQuarantined, b.append(short("d2", 11))[0].Status, "nor is another content a new event")
		b.fail(b.claim("redeam/a", at(1)), first.Sequence, &inbox.Hold{Until: at(10_000), Reason: "critical"})
		requireCopyOf(t, first, b.append(short("d1", 9_999))[0])
		require.Equal(t, []int64{first.Sequence}, b.pending("redeam/a"))
		b.deliver(b.claim("redeam/a", at(10_000)), first.Sequence)
		require.False(t, b.append(short("d1", 10_001))[0].Duplicate)
	})
	t.Run("AnotherContentIsQuarantined", func(t *testing.T) {
		b := setup(t, open)
		first := b.append(keyed("k", "d1", start))[0]
		forged := b.append(keyed("k", "d2", at(1)))[0]
		require.Equal(t, inbox.StatusQuarantined, forged.Status)
		require.False(t, forged.Duplicate)
		require.False(t, forged.Ring)
		event := b.event(forged.Sequence)
		require.Contains(t, event.Reason, "key was used before with another content")
		require.Equal(t, "k", event.Key)
		requireCopyOf(t, forged, b.append(keyed("k", "d2", at(2)))[0])
		requireCopyOf(t, first, b.append(keyed("k", "d1", at(2)))[0])
		require.Equal(t, inbox.StatusQuarantined, b.append(keyed("k", "d3", at(2)))[0].Status)
		require.Equal(t, []int64{first.Sequence}, b.pending("redeam/a"))
		require.Equal(t, 1, b.subject("redeam/a").Pending)
	})
	t.Run("NoDigestMatchesAnyDigest", func(t *testing.T) {
		b := setup(t, open)
		first := b.append(keyed("k", "", start))[0]
		requireCopyOf(t, first, b.append(keyed("k", "d1", at(1)))[0])
		second := b.append(keyed("l", "d1", start))[0]
		requireCopyOf(t, second, b.append(keyed("l", "", at(1)))[0])
	})
}

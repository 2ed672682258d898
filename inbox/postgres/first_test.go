package postgres_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/postgres"
)

// claimFirst claims a subject, and compares what came with the claim with what Next returns.
func claimFirst(t *testing.T, store *postgres.Store, subject string) (claimed inbox.Claimed, next inbox.Entry) {
	t.Helper()
	claimed, err := store.Claim(within(t), inbox.Claim{Subject: subject, Now: start, BusyUntil: start.Add(patience)})
	require.NoError(t, err)
	require.NotZero(t, claimed.Subject.Epoch)
	entries, err := store.Next(t.Context(), subject, 1, 1)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	return claimed, entries[0]
}

func TestAClaimBringsTheFirstEvent(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t, postgres.Options{})
	for _, key := range []string{"1", "2", "3"} {
		_, err := appendOne(t.Context(), store, "redo/a", key, []byte("body "+key))
		require.NoError(t, err)
	}
	claimed, next := claimFirst(t, store, "redo/a")
	require.NotNil(t, claimed.First)
	require.Equal(t, next, *claimed.First)
	require.Equal(t, "body 1", string(claimed.First.Payload.Body))
}

func TestALargeBodyDoesNotComeWithItsClaim(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t, postgres.Options{})
	for subject, size := range map[string]int{"redo/fits": 64 << 10, "redo/large": 64<<10 + 1} {
		_, err := appendOne(t.Context(), store, subject, subject, bytes.Repeat([]byte("x"), size))
		require.NoError(t, err)
		claimed, next := claimFirst(t, store, subject)
		require.Len(t, next.Payload.Body, size)
		require.Equal(t, subject == "redo/fits", claimed.First != nil, subject)
	}
}

func TestAnEventThatHasFailedDoesNotComeWithItsClaim(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t, postgres.Options{})
	receipt, err := appendOne(t.Context(), store, "redo/a", "1", nil)
	require.NoError(t, err)
	claimed, _ := claimFirst(t, store, "redo/a")
	_, err = store.Fail(t.Context(), inbox.Failure{
		Subject: "redo/a", Epoch: claimed.Subject.Epoch, Sequence: receipt.Sequence, Handler: "app", Error: "503", Now: start, NextWake: start,
	})
	require.NoError(t, err)
	again, _ := claimFirst(t, store, "redo/a")
	require.Equal(t, 1, again.Subject.Streak)
	require.Nil(t, again.First, "its recovery reads it")
}

// A claim that waits for a lock sees what was settled under it: the event that was first
// when its statement began is not handled again.
func TestAClaimBringsTheEventThatIsFirstUnderItsLock(t *testing.T) {
	t.Parallel()
	store, url := newStore(t, postgres.Options{})
	var receipts []inbox.Receipt
	for _, key := range []string{"1", "2"} {
		receipt, err := appendOne(t.Context(), store, "redo/a", key, nil)
		require.NoError(t, err)
		receipts = append(receipts, receipt)
	}
	end := hold(t, url, lockOf("redo/a"))
	conn, came := session(t, url), make(chan error, 1)
	var first int64
	go func() {
		came <- conn.QueryRow(within(t), "SELECT f_sequence FROM ("+drainCall("redo/a", "redo/none", 0)+") d WHERE nr = 1").Scan(&first)
	}()
	waitBlocked(t, url, 1)
	end(fmt.Sprintf("UPDATE events SET status = 'delivered', settled_at = now() WHERE sequence = %d", receipts[0].Sequence))
	end("UPDATE subjects SET pending = 1 WHERE id = 'redo/a'")
	end("COMMIT")
	require.NoError(t, <-came)
	require.Equal(t, receipts[1].Sequence, first)
}

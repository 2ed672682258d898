package inboxtest

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

func testNext(t *testing.T, open Opener) {
	t.Helper()
	t.Run("TakesTheFirstInSequenceOrder", func(t *testing.T) {
		b := setup(t, open)
		mine := b.put("redo/a", 5)
		b.put("redo/b", 2)
		entries, err := b.Next(t.Context(), "redo/a", 3, 1<<20)
		require.NoError(t, err)
		require.Len(t, entries, 3)
		for i, entry := range entries {
			require.Equal(t, b.event(mine[i].Sequence), entry.Event)
			payload, err := b.Payload(t.Context(), mine[i].Sequence)
			require.NoError(t, err)
			require.Equal(t, payload, entry.Payload)
		}
	})
	t.Run("StopsWhenTheBodiesAreTooLarge", func(t *testing.T) {
		b := setup(t, open)
		for _, key := range []string{"1", "2", "3", "4"} {
			d := delivery(newEvent("redo/a", key))
			d.Body = bytes.Repeat([]byte("x"), 1000)
			_, err := b.Append(t.Context(), d)
			require.NoError(t, err)
		}
		for maxBytes, want := range map[int]int{0: 1, 10: 1, 999: 1, 1001: 2, 2500: 3, 1 << 20: 4} {
			entries, err := b.Next(t.Context(), "redo/a", 10, maxBytes)
			require.NoError(t, err)
			require.Len(t, entries, want, "with a limit of %d bytes", maxBytes)
		}
	})
	t.Run("SeesEachSettlement", func(t *testing.T) {
		b := setup(t, open)
		receipts := b.put("redo/a", 20)
		owner := b.claim("redo/a", at(1))
		for i, r := range receipts {
			b.deliver(owner, r.Sequence)
			require.Equal(t, sequences(receipts[i+1:]), b.pending("redo/a"))
		}
	})
	t.Run("AnUnknownSubjectHasNothing", func(t *testing.T) {
		b := setup(t, open)
		require.Empty(t, b.pending("redo/nobody"))
	})
}

func testContexts(t *testing.T, open Opener) {
	t.Helper()
	b := alone(t, open)
	receipts := b.put("redo/a", 1)
	owner := b.claim("redo/a", at(1))
	ctx, cancel := contextOf(t)
	cancel()
	for name, call := range map[string]func() error{
		"Append": func() error { _, err := b.Append(ctx, delivery(newEvent("redo/a", "k"))); return err },
		"Claim":  func() error { _, err := b.Claim(ctx, inbox.Claim{Subject: "redo/a", Now: at(1)}); return err },
		"Settle": func() error { _, err := b.Settle(ctx, settlement(owner, receipts[0].Sequence)); return err },
		"Next":   func() error { _, err := b.Next(ctx, "redo/a", 1, 1); return err },
	} {
		require.Error(t, call(), name)
	}
	require.Equal(t, sequences(receipts), b.pending("redo/a"), "what was never begun has not happened")
	require.NoError(t, b.Own(t.Context(), "redo/a", owner.Epoch))
}

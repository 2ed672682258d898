package inboxtest

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

func testAppend(t *testing.T, open Opener) {
	t.Helper()
	t.Run("EverythingIsKept", func(t *testing.T) {
		b := setup(t, open)
		e := newEvent("redox/h1", "k1")
		e.SubjectName, e.Index, e.Related, e.Staging = "redox/patient 1", 3, []string{"redox/a", `redox/"b"`}, true
		body := bytes.Repeat([]byte{0, 1, 255, '\n'}, 1000)
		receipts, err := b.Append(t.Context(), inbox.Delivery{ContentType: "text/x", Body: body, Events: []inbox.NewEvent{e}})
		require.NoError(t, err)
		require.Equal(t, []inbox.Receipt{{
			EventID: e.EventID, Sequence: receipts[0].Sequence, Subject: "redox/h1", Status: inbox.StatusPending, Ring: true,
		}}, receipts)
		want := inbox.Event{
			Sequence: receipts[0].Sequence, EventID: e.EventID, Source: "redo", Provider: "redo", Subject: "redox/h1",
			Type: e.Type, Key: "k1", At: e.At, ReceivedAt: start, Index: 3, Related: e.Related, Staging: true,
			Status: inbox.StatusPending,
		}
		require.Equal(t, want, b.event(receipts[0].Sequence))
		payload, err := b.Payload(t.Context(), receipts[0].Sequence)
		require.NoError(t, err)
		require.Equal(t, inbox.Payload{ContentType: "text/x", Body: body}, payload)
		view := b.subject("redox/patient 1")
		require.Equal(t, inbox.Subject{ID: "redox/h1", Name: "redox/patient 1", Source: "redo", Pending: 1}, view.Subject)
		require.Equal(t, &want, view.Head)
	})
	t.Run("ADeliveryIsAllOrNothing", func(t *testing.T) {
		b := setup(t, open)
		_, err := b.Append(t.Context(), delivery(newEvent("redo/a", "k1"), newEvent("", "k2")))
		require.Error(t, err)
		events, err := b.Events(t.Context(), inbox.EventFilter{})
		require.NoError(t, err)
		require.Empty(t, events)
		_, err = b.Subject(t.Context(), "redo/a")
		require.ErrorIs(t, err, inbox.ErrNotFound)
		require.False(t, b.append(newEvent("redo/a", "k1"))[0].Duplicate, "the key of what was refused is free")
	})
	t.Run("ADeliveryWithoutEventsIsRefused", func(t *testing.T) {
		b := setup(t, open)
		_, err := b.Append(t.Context(), inbox.Delivery{Body: []byte("x")})
		require.Error(t, err)
	})
	t.Run("EventsOfADeliveryShareItsPayload", func(t *testing.T) {
		b := setup(t, open)
		receipts := b.append(newEvent("redo/a", "k1"), newEvent("redo/b", "k2"), newEvent("redo/a", "k3"))
		require.True(t, receipts[0].Ring)
		require.True(t, receipts[1].Ring)
		require.False(t, receipts[2].Ring, "its subject had an event of the same delivery")
		require.Less(t, receipts[0].Sequence, receipts[2].Sequence)
		for _, r := range receipts {
			payload, err := b.Payload(t.Context(), r.Sequence)
			require.NoError(t, err)
			require.JSONEq(t, `{"of":"k1"}`, string(payload.Body))
		}
	})
	t.Run("AnEmptyBodyIsABody", func(t *testing.T) {
		b := setup(t, open)
		receipts, err := b.Append(t.Context(), inbox.Delivery{Events: []inbox.NewEvent{newEvent("redo/a", "k")}})
		require.NoError(t, err)
		payload, err := b.Payload(t.Context(), receipts[0].Sequence)
		require.NoError(t, err)
		require.Empty(t, payload.Body)
		require.Len(t, b.pending("redo/a"), 1)
	})
	t.Run("RingsOnlyWhenNothingWasPending", func(t *testing.T) {
		b := setup(t, open)
		receipts := b.put("redo/a", 3)
		require.Equal(t, []bool{true, false, false}, []bool{receipts[0].Ring, receipts[1].Ring, receipts[2].Ring})
		owner := b.claim("redo/a", at(1))
		for i, r := range receipts {
			require.Equal(t, inbox.Settled{Pending: 2 - i, Next: after(receipts, i)}, b.deliver(owner, r.Sequence))
		}
		require.True(t, b.append(newEvent("redo/a", "again"))[0].Ring)
	})
	t.Run("AQuarantinedEventTouchesNoQueue", func(t *testing.T) {
		b := setup(t, open)
		strange, unknown := newEvent("redo/a", "k1"), newEvent("", "k2")
		strange.Quarantine, unknown.Quarantine = "no such shape", "not JSON"
		receipts := b.append(strange, unknown)
		for i, reason := range []string{"no such shape", "not JSON"} {
			require.False(t, receipts[i].Ring)
			require.Equal(t, inbox.StatusQuarantined, receipts[i].Status)
			event := b.event(receipts[i].Sequence)
			require.Equal(t, inbox.StatusQuarantined, event.Status)
			require.Equal(t, reason, event.Reason)
			require.Equal(t, start, event.SettledAt)
		}
		require.Empty(t, b.pending("redo/a"))
		require.Zero(t, b.subject("redo/a").Pending)
		require.True(t, b.append(newEvent("redo/a", "k3"))[0].Ring)
		again := b.append(strange, unknown)
		for i := range again {
			require.True(t, again[i].Duplicate)
			require.Equal(t, receipts[i].Sequence, again[i].Sequence)
		}
	})
	t.Run("WhatIsNotThereIsNotFound", func(t *testing.T) {
		b := setup(t, open)
		_, err := b.Event(t.Context(), 1)
		require.ErrorIs(t, err, inbox.ErrNotFound)
		_, err = b.Payload(t.Context(), 1)
		require.ErrorIs(t, err, inbox.ErrNotFound)
		_, err = b.Subject(t.Context(), "redo/a")
		require.ErrorIs(t, err, inbox.ErrNotFound)
	})
	t.Run("AnUnknownTimeStaysUnknown", func(t *testing.T) {
		b := setup(t, open)
		e := newEvent("redo/a", "k")
		e.At = time.Time{}
		event := b.event(b.append(e)[0].Sequence)
		require.True(t, event.At.IsZero())
		require.True(t, event.SettledAt.IsZero())
	})
}

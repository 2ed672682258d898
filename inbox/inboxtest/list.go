package inboxtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

func testEvents(t *testing.T, open Opener) {
	t.Helper()
	t.Run("EachFilterSelects", func(t *testing.T) {
		b := setup(t, open)
		// Five events at the minutes 0 to 4: three of redo/a, then two of sandbox/b.
		var all []inbox.Receipt
		for i := range 5 {
			e := newEvent("redo/a", fmt.Sprint(i))
			e.SubjectName, e.ReceivedAt = "redo/order 1", at(i)
			if i >= 3 {
				e.Source, e.Subject, e.SubjectName, e.Type = "sandbox", "sandbox/b", "sandbox/b", "order.paid"
			}
			if i == 4 {
				e.Quarantine = "no such shape"
			}
			all = append(all, b.append(e)[0])
		}
		b.deliver(b.claim("redo/a", at(9)), all[0].Sequence)
		for name, c := range map[string]struct {
			filter inbox.EventFilter
			want   []int
		}{
			"Everything":      {inbox.EventFilter{}, []int{0, 1, 2, 3, 4}},
			"Subject":         {inbox.EventFilter{Subject: "redo/a"}, []int{0, 1, 2}},
			"SubjectByName":   {inbox.EventFilter{Subject: "redo/order 1"}, []int{0, 1, 2}},
			"UnknownSubject":  {inbox.EventFilter{Subject: "redo/nobody"}, nil},
			"Source":          {inbox.EventFilter{Source: "sandbox"}, []int{3, 4}},
			"Type":            {inbox.EventFilter{Type: "order.paid"}, []int{3, 4}},
			"Pending":         {inbox.EventFilter{Status: inbox.StatusPending}, []int{1, 2, 3}},
			"Delivered":       {inbox.EventFilter{Status: inbox.StatusDelivered}, []int{0}},
			"Quarantined":     {inbox.EventFilter{Status: inbox.StatusQuarantined}, []int{4}},
			"Parked":          {inbox.EventFilter{Status: inbox.StatusParked}, nil},
			"From":            {inbox.EventFilter{From: at(3)}, []int{3, 4}},
			"To":              {inbox.EventFilter{To: at(3)}, []int{0, 1, 2}},
			"FromTo":          {inbox.EventFilter{From: at(1), To: at(2)}, []int{1}},
			"After":           {inbox.EventFilter{After: all[1].Sequence}, []int{2, 3, 4}},
			"Limit":           {inbox.EventFilter{Limit: 2}, []int{0, 1}},
			"Before":          {inbox.EventFilter{Before: all[2].Sequence}, []int{0, 1}},
			"Between":         {inbox.EventFilter{After: all[0].Sequence, Before: all[3].Sequence}, []int{1, 2}},
			"Newest":          {inbox.EventFilter{Newest: true, Limit: 2}, []int{3, 4}},
			"NewestOfFew":     {inbox.EventFilter{Newest: true, Limit: 9}, []int{0, 1, 2, 3, 4}},
			"NewestBefore":    {inbox.EventFilter{Newest: true, Limit: 2, Before: all[3].Sequence}, []int{1, 2}},
			"NewestPending":   {inbox.EventFilter{Newest: true, Limit: 2, Status: inbox.StatusPending}, []int{2, 3}},
			"NewestOfSubject": {inbox.EventFilter{Newest: true, Limit: 2, Subject: "redo/a"}, []int{1, 2}},
			"NewestRare":      {inbox.EventFilter{Newest: true, Limit: 2, Status: inbox.StatusQuarantined}, []int{4}},
			"AllTogether":     {inbox.EventFilter{Subject: "redo/a", Source: "redo", Status: inbox.StatusPending, Type: "return.updated", From: start, To: at(9), After: all[0].Sequence, Limit: 1}, []int{1}},
			"NothingMatches":  {inbox.EventFilter{Subject: "redo/a", Source: "sandbox"}, nil},
			"OfAnotherFormat": {inbox.EventFilter{Type: "Order.Paid"}, nil},
		} {
			events, err := b.Events(t.Context(), c.filter)
			require.NoError(t, err, name)
			var want, got []int64
			for _, i := range c.want {
				want = append(want, all[i].Sequence)
			}
			for _, event := range events {
				require.Equal(t, b.event(event.Sequence), event)
				got = append(got, event.Sequence)
			}
			require.Equal(t, want, got, name)
		}
	})
	t.Run("WithoutALimitOneHundred", func(t *testing.T) {
		b := setup(t, open)
		var events []inbox.NewEvent
		for i := range 101 {
			events = append(events, newEvent("redo/a", fmt.Sprint(i)))
		}
		b.append(events...)
		listed, err := b.Events(t.Context(), inbox.EventFilter{})
		require.NoError(t, err)
		require.Len(t, listed, 100)
		newest, err := b.Events(t.Context(), inbox.EventFilter{Newest: true})
		require.NoError(t, err)
		require.Len(t, newest, 100)
		require.Equal(t, listed[1:], newest[:99])
		listed, err = b.Events(t.Context(), inbox.EventFilter{Limit: 1000})
		require.NoError(t, err)
		require.Len(t, listed, 101)
	})
	t.Run("AnIDComesBeforeAName", func(t *testing.T) {
		b := setup(t, open)
		named := newEvent("redo/hashed", "1")
		named.SubjectName = "redo/a"
		b.append(named)
		require.Equal(t, "redo/hashed", b.subject("redo/a").ID)
		b.append(newEvent("redo/a", "2"))
		require.Equal(t, "redo/a", b.subject("redo/a").ID)
	})
}

func testSubjects(t *testing.T, open Opener) {
	t.Helper()
	b := alone(t, open)
	ids := func(f inbox.SubjectFilter) []string {
		t.Helper()
		views, err := b.Subjects(t.Context(), f)
		require.NoError(t, err)
		var found []string
		for _, view := range views {
			require.Equal(t, b.subject(view.ID), view)
			if f.State != "" {
				require.Equal(t, f.State, view.State())
			}
			found = append(found, view.ID)
		}
		return found
	}
	require.Empty(t, ids(inbox.SubjectFilter{}))
	for _, id := range []string{"redo/f", "redo/e", "redo/d", "redo/c", "redo/b", "redo/a"} {
		b.put(id, 2)
	}
	first := func(id string) int64 { return b.pending(id)[0] }
	b.fail(b.claim("redo/b", at(1)), first("redo/b"), nil)
	b.fail(b.claim("redo/c", at(1)), first("redo/c"), &inbox.Hold{Until: at(60)})
	b.deliverAll("redo/d")
	b.deliverAll("redo/e")
	b.operate(pauseOf("redo/e", time.Time{}))

	require.Equal(t, []string{"redo/a", "redo/b", "redo/c", "redo/e", "redo/f"}, ids(inbox.SubjectFilter{}))
	require.Equal(t, []string{"redo/c", "redo/e"}, ids(inbox.SubjectFilter{State: inbox.StateHeld}))
	require.Equal(t, []string{"redo/b"}, ids(inbox.SubjectFilter{State: inbox.StateRetrying}))
	require.Equal(t, []string{"redo/a", "redo/f"}, ids(inbox.SubjectFilter{State: inbox.StatePending}))
	require.Equal(t, []string{"redo/b", "redo/c"}, ids(inbox.SubjectFilter{After: "redo/a", Limit: 2}))
	require.Equal(t, []string{"redo/f"}, ids(inbox.SubjectFilter{State: inbox.StatePending, After: "redo/a"}))
	require.Equal(t, inbox.StateIdle, b.subject("redo/d").State())

	for i := range 101 {
		b.append(newEvent(fmt.Sprintf("redo/many-%03d", i), ""))
	}
	require.Len(t, ids(inbox.SubjectFilter{}), 100)
}

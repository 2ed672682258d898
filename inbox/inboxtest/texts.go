package inboxtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

// awkward are texts that a database may refuse, cut or confuse with each other. What
// is signed is what a sender says it is, and a sender may say any bytes.
var awkward = []string{
	"a", "a\x00", "a\x00b", "\x00", "a\x01", "a\x0100", "a\\x00", "a\\000", "a'; --", "a\u0000b\x00",
	"caf\u00e9", "cafe\u0301", "caf\xe9", "\xff", "\xff\xfe", "\ufffd", "\xed\xa0\x80", "\x80", "A", "a ", "ä", "наряд 7", "\U0001f9ff",
}

func testTexts(t *testing.T, open Opener) {
	t.Helper()
	t.Run("ComeBackByteForByte", func(t *testing.T) {
		b := setup(t, open)
		for i, text := range awkward {
			subject := fmt.Sprintf("redo/%d", i)
			e := newEvent(subject, "k")
			e.EventID, e.SubjectName, e.Type, e.Key = text, text+"name", text, text+"key"
			e.Source, e.Provider, e.Related, e.Digest = text+"source", text, []string{text, "b"}, text
			receipts, err := b.Append(t.Context(), inbox.Delivery{ContentType: text, Body: []byte(text), Events: []inbox.NewEvent{e}})
			require.NoError(t, err, "%q", text)
			stored := b.event(receipts[0].Sequence)
			require.Equal(t, inbox.Event{
				Sequence: receipts[0].Sequence, EventID: text, Source: e.Source, Provider: text, Subject: subject, Type: text,
				Key: e.Key, At: e.At, ReceivedAt: start, Related: e.Related, Status: inbox.StatusPending,
			}, stored, "%q", text)
			payload, err := b.Payload(t.Context(), stored.Sequence)
			require.NoError(t, err)
			require.Equal(t, inbox.Payload{ContentType: text, Body: []byte(text)}, payload)
			require.Equal(t, subject, b.subject(text+"name").ID, "found by its name")
			events, err := b.Events(t.Context(), inbox.EventFilter{Type: text, Source: e.Source, Subject: e.SubjectName})
			require.NoError(t, err)
			require.Equal(t, []inbox.Event{stored}, events)
		}
	})
	t.Run("OfVerbsAndOutcomesToo", func(t *testing.T) {
		b := setup(t, open)
		for i, text := range awkward {
			subject := fmt.Sprintf("redo/%d", i)
			receipts := b.put(subject, 3)
			failed := failure(b.claim(subject, at(1)), receipts[0].Sequence, nil)
			failed.Error, failed.Handler = text, text
			row, err := b.Fail(t.Context(), failed)
			require.NoError(t, err, "%q", text)
			require.Equal(t, text, row.LastError)
			require.Equal(t, text, b.event(receipts[0].Sequence).Reason)
			done := settlement(b.claim(subject, at(5)), receipts[0].Sequence)
			done.Status, done.Reason, done.Handler, done.RunID = inbox.StatusParked, text, text, "run"
			_, err = b.Settle(t.Context(), done)
			require.NoError(t, err, "%q", text)
			event := b.event(receipts[0].Sequence)
			require.Equal(t, []string{text, text}, []string{event.Reason, event.Handler})

			pause := inbox.Verb{RequestID: text, Verb: inbox.VerbPause, Subject: subject, Reason: text, By: text, Now: at(6)}
			view := b.operate(pause)
			require.Equal(t, []string{text, text}, []string{view.HeldReason, view.HeldBy})
			require.Equal(t, view, b.operate(pause), "the same request")
			entries, err := b.Audit(t.Context(), subject, 0)
			require.NoError(t, err)
			require.Len(t, entries, 1)
			require.Equal(t, []string{text, text}, []string{entries[0].Reason, entries[0].By})
		}
	})
	t.Run("AreDifferentSubjects", func(t *testing.T) {
		b := setup(t, open)
		for _, text := range awkward {
			require.True(t, b.append(newEvent("redo/"+text, ""))[0].Ring, "%q", text)
		}
		var want []string
		for _, text := range awkward {
			want = append(want, "redo/"+text)
			view := b.subject("redo/" + text)
			require.Equal(t, []any{"redo/" + text, 1}, []any{view.ID, view.Pending})
			require.Len(t, b.pending("redo/"+text), 1)
		}
		var listed []string
		for f := (inbox.SubjectFilter{Limit: 5}); ; f.After = listed[len(listed)-1] {
			views, err := b.Subjects(t.Context(), f)
			require.NoError(t, err)
			if len(views) == 0 {
				break
			}
			for _, view := range views {
				listed = append(listed, view.ID)
			}
		}
		require.ElementsMatch(t, want, listed, "page by page, each once")
		require.ElementsMatch(t, want, b.unrung(at(5)))
	})
	t.Run("AreDifferentKeysAndDigests", func(t *testing.T) {
		b := setup(t, open)
		for _, digest := range []bool{false, true} {
			for _, again := range []bool{false, true} {
				for _, text := range awkward {
					e := newEvent("redo/a", "k-"+text)
					if digest {
						e.Key, e.Digest = "same", text
					}
					require.Equal(t, again, b.append(e)[0].Duplicate, "%q", text)
				}
			}
		}
	})
	t.Run("MayBeLong", func(t *testing.T) {
		b := setup(t, open)
		long := strings.Repeat("long and longer ", 1000)
		for i, end := range []string{"1", "2"} {
			e := newEvent(fmt.Sprintf("redo/%d", i), long+end)
			e.SubjectName, e.Digest, e.EventID, e.Type = long+"name"+end, long+"digest"+end, "id"+end, long
			first := b.append(e)[0]
			require.False(t, first.Duplicate)
			require.Equal(t, e.Key, b.event(first.Sequence).Key)
			require.Equal(t, e.Subject, b.subject(e.SubjectName).ID)
			require.True(t, b.append(e)[0].Duplicate)
			e.Digest, e.EventID = long+"another digest"+end, "other"+end
			require.Equal(t, inbox.StatusQuarantined, b.append(e)[0].Status)
			require.True(t, b.append(e)[0].Duplicate)
			b.deliverAll(e.Subject)
			require.Equal(t, long, b.operate(inbox.Verb{
				RequestID: long, Verb: inbox.VerbPause, Subject: e.Subject, Reason: long, By: "ann", Until: at(9).Add(time.Hour), Now: at(3),
			}).HeldReason)
		}
		for n := -1; n != 0; {
			var err error
			n, err = b.Prune(t.Context(), at(9), 10)
			require.NoError(t, err)
		}
		require.False(t, b.append(newEvent("redo/0", long+"1"))[0].Duplicate, "its key went with it")
	})
}

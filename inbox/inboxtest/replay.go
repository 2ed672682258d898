package inboxtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

func (b box) replay(r inbox.Replay) inbox.Replayed {
	b.t.Helper()
	r.By, r.Reason, r.Now = "ann", "again", at(10)
	replayed, err := b.Replay(b.t.Context(), r)
	require.NoError(b.t, err)
	return replayed
}

// deliverAll settles all that is pending of a subject.
func (b box) deliverAll(subject string) {
	b.t.Helper()
	owner := b.claim(subject, at(1))
	for _, sequence := range b.pending(subject) {
		b.deliver(owner, sequence)
	}
}

func testReplay(t *testing.T, open Opener) {
	t.Helper()
	t.Run("CopiesInTheOrderOfTheOriginals", func(t *testing.T) {
		b := setup(t, open)
		e := newEvent("redo/a", "k")
		e.Related, e.Staging, e.Index = []string{"redo/z"}, true, 2
		first := b.append(e)[0]
		second := b.put("redo/a", 1)[0]
		b.deliverAll("redo/a")
		original := b.event(first.Sequence)

		replayed := b.replay(inbox.Replay{Sequences: []int64{second.Sequence, first.Sequence, second.Sequence}})
		require.Equal(t, []string{"redo/a"}, replayed.Ring)
		require.Len(t, replayed.Events, 2)
		require.Equal(t, first.Sequence, replayed.Events[0].ReplayOf)
		require.Equal(t, second.Sequence, replayed.Events[1].ReplayOf)
		copied := replayed.Events[0]
		require.Greater(t, copied.Sequence, second.Sequence)
		require.NotEqual(t, original.EventID, copied.EventID)
		require.NotEmpty(t, copied.EventID)
		want := inbox.Event{
			Sequence: copied.Sequence, EventID: copied.EventID, Source: "redo", Provider: "redo", Subject: "redo/a",
			Type: e.Type, Key: "k", At: e.At, ReceivedAt: at(10), Index: 2, Related: e.Related, Staging: true,
			Status: inbox.StatusPending, ReplayOf: first.Sequence,
		}
		require.Equal(t, want, copied)
		require.Equal(t, want, b.event(copied.Sequence))
		require.Equal(t, original, b.event(first.Sequence), "the original is not edited")
		payload, err := b.Payload(t.Context(), copied.Sequence)
		require.NoError(t, err)
		require.JSONEq(t, `{"of":"k"}`, string(payload.Body))
		require.Equal(t, []int64{copied.Sequence, replayed.Events[1].Sequence}, b.pending("redo/a"))

		b.deliverAll("redo/a")
		again := b.replay(inbox.Replay{Sequences: []int64{copied.Sequence}})
		require.Equal(t, copied.Sequence, again.Events[0].ReplayOf, "what was replayed, not its own original")
	})
	t.Run("TheKeyStaysTheOriginals", func(t *testing.T) {
		b := setup(t, open)
		first := b.put("redo/a", 1)[0]
		b.deliverAll("redo/a")
		b.replay(inbox.Replay{Sequences: []int64{first.Sequence}})
		again := b.append(newEvent("redo/a", "redo/a-0"))[0]
		require.True(t, again.Duplicate)
		require.Equal(t, first.Sequence, again.Sequence)
	})
	t.Run("RingsOnlyWhatWasEmpty", func(t *testing.T) {
		b := setup(t, open)
		one, two := b.put("redo/a", 1)[0], b.put("redo/b", 1)[0]
		b.deliverAll("redo/a")
		b.deliverAll("redo/b")
		b.append(newEvent("redo/b", "busy"))
		replayed := b.replay(inbox.Replay{Sequences: []int64{one.Sequence, two.Sequence}})
		require.Equal(t, []string{"redo/a"}, replayed.Ring)
	})
	t.Run("QuarantinedAndParkedOnesComeBack", func(t *testing.T) {
		b := setup(t, open)
		strange := newEvent("redo/a", "q")
		strange.Quarantine = "no such shape"
		quarantined := b.append(strange)[0]
		parked := b.put("redo/a", 1)[0]
		b.operate(parkOf("redo/a", parked.Sequence))
		replayed := b.replay(inbox.Replay{Sequences: []int64{quarantined.Sequence, parked.Sequence}})
		require.Len(t, replayed.Events, 2)
		require.Empty(t, replayed.Events[0].Reason)
		require.Equal(t, 2, b.subject("redo/a").Pending)
	})
	t.Run("IsAllOrNothingWhenNamed", func(t *testing.T) {
		b := setup(t, open)
		done := b.put("redo/a", 1)[0]
		b.deliverAll("redo/a")
		pending := b.append(newEvent("redo/b", "p"))[0]
		strange := newEvent("", "q")
		strange.Quarantine = "not JSON"
		unknown := b.append(strange)[0]
		var refused *inbox.RefusedError
		for _, sequence := range []int64{pending.Sequence, unknown.Sequence} {
			_, err := b.Replay(t.Context(), inbox.Replay{Sequences: []int64{done.Sequence, sequence}, Now: at(10)})
			require.ErrorAs(t, err, &refused)
		}
		_, err := b.Replay(t.Context(), inbox.Replay{Sequences: []int64{done.Sequence, unknown.Sequence + 1000}, Now: at(10)})
		require.ErrorIs(t, err, inbox.ErrNotFound)
		require.Empty(t, b.pending("redo/a"))
	})
	t.Run("ADryRunWritesNothing", func(t *testing.T) {
		b := setup(t, open)
		done := b.put("redo/a", 1)[0]
		b.deliverAll("redo/a")
		replayed := b.replay(inbox.Replay{Sequences: []int64{done.Sequence}, DryRun: true})
		require.Equal(t, []inbox.Event{b.event(done.Sequence)}, replayed.Events)
		require.Empty(t, replayed.Ring)
		require.Empty(t, b.pending("redo/a"))
		entries, err := b.Audit(t.Context(), "redo/a", 0)
		require.NoError(t, err)
		require.Empty(t, entries)
	})
	t.Run("IsAudited", func(t *testing.T) {
		b := setup(t, open)
		done := b.put("redo/a", 1)[0]
		b.deliverAll("redo/a")
		b.replay(inbox.Replay{Sequences: []int64{done.Sequence}})
		entries, err := b.Audit(t.Context(), "redo/a", 0)
		require.NoError(t, err)
		require.Equal(t, []inbox.AuditEntry{
			{At: at(10), Verb: "replay", Subject: "redo/a", Sequence: done.Sequence, Reason: "again", By: "ann"},
		}, entries)
	})
	t.Run("AHeldSubjectStaysHeld", func(t *testing.T) {
		b := setup(t, open)
		done := b.put("redo/a", 1)[0]
		b.deliverAll("redo/a")
		b.operate(pauseOf("redo/a", at(30)))
		b.replay(inbox.Replay{Sequences: []int64{done.Sequence}})
		require.True(t, b.subject("redo/a").Held)
		require.Empty(t, b.unrung(at(29)))
		require.Equal(t, []string{"redo/a"}, b.unrung(at(31)))
	})
}

func testReplayByFilter(t *testing.T, open Opener) {
	t.Helper()
	t.Run("SkipsWhatCannotBeReplayed", func(t *testing.T) {
		b := setup(t, open)
		done := b.put("redo/a", 2)
		b.deliverAll("redo/a")
		b.put("redo/b", 1)
		strange := newEvent("", "q")
		strange.Quarantine = "not JSON"
		b.append(strange)
		for _, dry := range []bool{true, false} {
			replayed := b.replay(inbox.Replay{Filter: inbox.EventFilter{Source: "redo"}, DryRun: dry})
			require.Len(t, replayed.Events, 2)
			require.Equal(t, 2, replayed.Skipped)
			require.Zero(t, replayed.More)
			for i, event := range replayed.Events {
				if dry {
					require.Equal(t, done[i].Sequence, event.Sequence)
				} else {
					require.Equal(t, done[i].Sequence, event.ReplayOf)
				}
			}
		}
	})
	t.Run("GoesOnWithMore", func(t *testing.T) {
		b := setup(t, open)
		done := b.put("redo/a", 5)
		b.deliverAll("redo/a")
		filter := inbox.EventFilter{Subject: "redo/a", Limit: 2, To: at(10)}
		var copied []int64
		for _, want := range []int{2, 2, 1} {
			replayed := b.replay(inbox.Replay{Filter: filter})
			require.Len(t, replayed.Events, want)
			for _, event := range replayed.Events {
				copied = append(copied, event.ReplayOf)
			}
			filter.After = replayed.More
		}
		require.Zero(t, filter.After, "all were seen")
		require.Equal(t, sequences(done), copied)
		require.Len(t, b.pending("redo/a"), 5)
	})
	t.Run("NeverMeetsItsOwnCopies", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 2)
		b.deliverAll("redo/a")
		b.replay(inbox.Replay{})
		b.deliverAll("redo/a")
		require.Len(t, b.replay(inbox.Replay{}).Events, 2, "what is received at the time of the replay is not before it")
	})
}

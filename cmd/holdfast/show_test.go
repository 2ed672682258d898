package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/ingress/operator"
)

func at(d time.Duration) operator.Time { return operator.Time{Time: noon.Add(d)} }

func heldSubject() operator.SubjectJSON {
	return operator.SubjectJSON{
		ID: "redo/r1", Name: "redo/r1", Source: "redo", State: "held", Pending: 4,
		Head: &operator.EventJSON{Sequence: 17, Type: "return.updated", ReceivedAt: at(-10 * time.Minute), Status: "pending", Attempts: 5},
		Held: true, HeldUntil: at(57 * time.Minute), HeldBy: "holdfast", HeldReason: "status 422 from https://app.test/hooks",
		LastError: "status 422 from https://app.test/hooks", FailedAt: at(-3 * time.Minute), Failures: 5, Holds: 1,
	}
}

func TestShowOfAHeldSubjectSaysWhatToDo(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	require.NoError(t, writeSubject(&b, heldSubject(), nil, noon))
	require.Equal(t, `redo/r1 is held, next try in 57m0s

  held by      holdfast
  why          status 422 from https://app.test/hooks
  since        2026-03-14T11:57:00+01:00 (3m0s ago)
  until        2026-03-14T12:57:00+01:00 (in 57m0s)
  pending      4 events
  first event  17, return.updated, received 2026-03-14T11:50:00+01:00 (10m0s ago)
  attempts     5
  last error   status 422 from https://app.test/hooks
  failed       2026-03-14T11:57:00+01:00 (3m0s ago)

What you can do:
  holdfast subjects resume redo/r1
      try event 17 now, with a full retry budget
  holdfast subjects park redo/r1 --sequence 17 --reason '...'
      set event 17 aside and go on with the next
  holdfast events show 17 --payload
      see what came in
  holdfast events list --subject redo/r1
      see all its events
`, b.String())
}

func TestShowOfAPausedSubjectSaysByWhomAndSinceWhen(t *testing.T) {
	t.Parallel()
	sequence := int64(16)
	s := heldSubject()
	s.HeldUntil, s.HeldBy, s.HeldReason, s.LastError, s.FailedAt, s.Head = operator.Time{}, "kim", "deploying", "", operator.Time{}, nil
	var b strings.Builder
	require.NoError(t, writeSubject(&b, s, []operator.AuditEntryJSON{
		{At: at(-2 * time.Minute), Verb: "pause", By: "kim", Reason: "deploying"},
		{At: at(-26 * time.Hour), Verb: "park", By: "lou", Reason: "gone", Sequence: &sequence},
	}, noon))
	require.Contains(t, b.String(), "redo/r1 is held until an operator resumes it\n")
	require.Contains(t, b.String(), "  since    2026-03-14T11:58:00+01:00 (2m0s ago)\n")
	require.Contains(t, b.String(), "  until    an operator resumes it\n")
	require.NotContains(t, b.String(), "subjects park", "there is nothing to park")
	require.True(t, strings.HasSuffix(b.String(), `
What operators did, the newest first:
  2m0s ago  pause    kim  deploying
  1d2h ago  park 16  lou  gone
`), b.String())
}

func TestShowOfASubjectInEachOtherState(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]string{
		"idle":     "redo/r1 is idle: nothing is waiting\n",
		"pending":  "redo/r1 is pending: its events are about to be handled\n",
		"retrying": "redo/r1 is retrying, next try in 30s\n",
	} {
		s := heldSubject()
		s.State, s.Held, s.NextWake = state, false, at(30*time.Second)
		var b strings.Builder
		require.NoError(t, writeSubject(&b, s, nil, noon))
		require.True(t, strings.HasPrefix(b.String(), want), b.String())
		require.Equal(t, state == "retrying", strings.Contains(b.String(), "subjects resume redo/r1"))
		require.Contains(t, b.String(), "holdfast subjects pause redo/r1 --until 2h")
		require.Equal(t, state == "retrying", strings.Contains(b.String(), "subjects park"))
	}
}

// The time of an attempt stays as it is while it is due or under way.
func TestAnAttemptThatIsDueIsNotInThePast(t *testing.T) {
	t.Parallel()
	for _, wake := range []operator.Time{{}, at(-2 * time.Second), at(0)} {
		s := heldSubject()
		s.State, s.Held, s.NextWake = "retrying", false, wake
		var b strings.Builder
		require.NoError(t, writeSubject(&b, s, nil, noon))
		require.True(t, strings.HasPrefix(b.String(), "redo/r1 is retrying, an attempt is due or running\n"), b.String())
		require.NotContains(t, b.String(), "next try")
		b.Reset()
		require.NoError(t, writeSubjects(&b, []operator.SubjectJSON{s}, "", noon))
		require.Regexp(t, `(?m)^redo/r1  retrying  4 +due or running  17 `, b.String())
	}
}

func TestShowOfAParkedEventSaysHowToBringItBack(t *testing.T) {
	t.Parallel()
	original := int64(12)
	var b strings.Builder
	require.NoError(t, writeEvent(&b, operator.EventJSON{
		Sequence: 17, EventID: "evt_1", Source: "redo", Provider: "redo", Subject: "redo/r1", Type: "return.updated", Key: "k1",
		ReceivedAt: at(-10 * time.Minute), Status: "parked", Attempts: 5, Reason: "order was deleted", Handler: "https://app.test/hooks",
		SettledAt: at(-time.Minute), Run: "019aa5c4-5f5e-7d7e-9b51-5c4f3a1f2b60", ReplayOf: &original, Redo: 1, Staging: true, Related: []string{"redo/r2", "redo/r3"},
	}, noon))
	require.Equal(t, `Event 17: return.updated, parked

  subject     redo/r1
  reason      order was deleted
  attempts    5
  handler     https://app.test/hooks
  received    2026-03-14T11:50:00+01:00 (10m0s ago)
  settled     2026-03-14T11:59:00+01:00 (1m0s ago)
  settled by  019aa5c4-5f5e-7d7e-9b51-5c4f3a1f2b60
  replay of   12
  done again  1 time, after a reset in Temporal
  staging     yes: not tried again, never held
  also about  redo/r2, redo/r3
  source      redo (provider redo)
  event id    evt_1
  key         k1

What you can do:
  holdfast events replay 17
      handle it again, as a new event at the end of its subject's queue
  holdfast events show 17 --payload
      see what came in
`, b.String())
}

func TestShowOfAPendingEventPointsToItsSubject(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	require.NoError(t, writeEvent(&b, operator.EventJSON{Sequence: 17, Subject: "redo/r 1", Status: "pending", ReceivedAt: at(0)}, noon))
	require.Contains(t, b.String(), "holdfast subjects show 'redo/r 1'\n")
	require.NotContains(t, b.String(), "replay")
}

func TestEventsSayWhichWayTheyWent(t *testing.T) {
	t.Parallel()
	relieved := operator.EventJSON{Sequence: 3, Status: "delivered", Subject: "redo/r1", ReceivedAt: at(0), Attempts: 1, Run: inbox.ReliefRun("worker-7")}
	var b strings.Builder
	require.NoError(t, writeEvents(&b, []operator.EventJSON{
		{Sequence: 1, Status: "delivered", Subject: "redo/r1", ReceivedAt: at(0), Attempts: 1, Run: "019aa5c4-5f5e-7d7e-9b51-5c4f3a1f2b60"},
		{Sequence: 2, Status: "parked", Subject: "redo/r1", ReceivedAt: at(0), Reason: "poison (parked by kim)"},
		relieved,
	}, noon))
	require.Equal(t, `SEQUENCE  STATUS     SUBJECT  TYPE  RECEIVED  ATTEMPTS  REASON                  SETTLED BY
1         delivered  redo/r1  -     now       1         -                       019aa5c4-5f5e-7d7e-9b51-5c4f3a1f2b60
2         parked     redo/r1  -     now       0         poison (parked by kim)  -
3         delivered  redo/r1  -     now       1         -                       relief lane
`, b.String())
	b.Reset()
	require.NoError(t, writeEvent(&b, relieved, noon))
	require.Contains(t, b.String(), "  settled by  relief lane\n")
	b.Reset()
	require.NoError(t, writeEvent(&b, operator.EventJSON{Sequence: 4, Status: "pending", ReceivedAt: at(0)}, noon))
	require.NotContains(t, b.String(), "settled by")
}

func TestTablesAreAligned(t *testing.T) {
	t.Parallel()
	original := int64(1)
	var b strings.Builder
	require.NoError(t, writeEvents(&b, []operator.EventJSON{
		{Sequence: 1, Status: "delivered", Subject: "redo/r1", Type: "return.created", ReceivedAt: at(-time.Hour), Attempts: 1},
		{Sequence: 20, Status: "quarantined", ReceivedAt: at(-time.Second), Reason: "not understood:\nno id\x1b[2J"},
		{Sequence: 300, Status: "parked", Subject: "redo/r1", Type: "return.created", ReceivedAt: at(0), Attempts: 12, Reason: "gone", ReplayOf: &original},
	}, noon))
	require.Equal(t, `SEQUENCE  STATUS       SUBJECT  TYPE            RECEIVED  ATTEMPTS  REASON
1         delivered    redo/r1  return.created  1h0m ago  1         -
20        quarantined  -        -               1s ago    0         not understood: no id?[2J
300       parked       redo/r1  return.created  now       12        gone (replay of 1)
`, b.String())

	paused := heldSubject()
	paused.ID, paused.HeldUntil, paused.HeldBy, paused.HeldReason, paused.Head = "redo/r2", operator.Time{}, "kim", "", nil
	retrying := heldSubject()
	retrying.ID, retrying.State, retrying.Held, retrying.NextWake, retrying.LastError = "redo/r3", "retrying", false, at(12*time.Second), "connection refused"
	b.Reset()
	require.NoError(t, writeSubjects(&b, []operator.SubjectJSON{heldSubject(), paused, retrying}, "", noon))
	require.Equal(t, `SUBJECT  STATE     PENDING  NEXT TRY      FIRST EVENT        WHY
redo/r1  held      4        in 57m0s      17 return.updated  status 422 from https://app.test/hooks
redo/r2  held      4        when resumed  -                  paused by kim
redo/r3  retrying  4        in 12s        17 return.updated  connection refused
`, b.String())
}

func TestEmptyTablesSaySo(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	require.NoError(t, writeEvents(&b, nil, noon))
	require.NoError(t, writeSubjects(&b, nil, "", noon))
	require.NoError(t, writeSubjects(&b, nil, "held", noon))
	require.Equal(t, "No events match.\nAll subjects are idle: nothing is waiting.\nNo subject is held.\n", b.String())
}

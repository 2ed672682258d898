// Package inboxtest is the suite that every inbox must pass. It knows nothing
// about how a store works; it attacks what the comments of package inbox promise.
//
// To check another store, write an Opener and call Run from a test.
package inboxtest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

// Opener opens a new, empty store and closes it when the test ends. If several
// processes can share such a store, another opens one more handle on the same
// one; else it is nil.
type Opener func(t *testing.T) (store inbox.Inbox, another func() inbox.Inbox)

// Run runs the suite. Each part opens stores of its own and runs in parallel.
func Run(t *testing.T, open Opener) {
	t.Helper()
	for name, part := range map[string]func(t *testing.T, open Opener){
		"Append": testAppend, "Texts": testTexts, "Keys": testKeys, "Next": testNext, "Claim": testClaim, "Hand": testHand, "Reopen": testReopen,
		"Rung": testRung, "Held": testHeld, "Relief": testRelief, "Wake": testWake,
		"Settle": testSettle, "Fail": testFail, "Pause": testPause, "Resume": testResume, "Park": testPark,
		"Audit": testAudit, "Replay": testReplay, "ReplayByFilter": testReplayByFilter, "Unrung": testUnrung, "Sweep": testSweep,
		"Prune": testPrune, "Count": testCount, "Events": testEvents, "Subjects": testSubjects,
		"Races": testRaces, "Contexts": testContexts, "Model": testModel,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			part(t, open)
		})
	}
}

// start is when the suite's events are received; at is so many minutes later.
var start = time.Date(2026, 3, 4, 5, 6, 7, 123456000, time.UTC)

func at(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

// box is a store under test.
type box struct {
	inbox.Inbox
	t       *testing.T
	another func() inbox.Inbox
}

// setup is for a test within a part, alone for a part that has none.
func setup(t *testing.T, open Opener) box {
	t.Helper()
	t.Parallel()
	return alone(t, open)
}

func alone(t *testing.T, open Opener) box {
	t.Helper()
	store, another := open(t)
	return box{Inbox: store, t: t, another: another}
}

// handles returns n handles on the store: other ones if it can be shared.
func (b box) handles(n int) []inbox.Inbox {
	handles := []inbox.Inbox{b.Inbox}
	for len(handles) < n {
		if b.another == nil {
			handles = append(handles, b.Inbox)
		} else {
			handles = append(handles, b.another())
		}
	}
	return handles
}

func newEvent(subject, key string) inbox.NewEvent {
	return inbox.NewEvent{
		EventID: "id-" + subject + "-" + key, Source: "redo", Provider: "redo", Subject: subject, SubjectName: subject,
		Type: "return.updated", Key: key, At: at(-1), ReceivedAt: start,
	}
}

func delivery(events ...inbox.NewEvent) inbox.Delivery {
	return inbox.Delivery{ContentType: "application/json", Body: []byte(`{"of":"` + events[0].Key + `"}`), Events: events}
}

func (b box) append(events ...inbox.NewEvent) []inbox.Receipt {
	b.t.Helper()
	receipts, err := b.Append(b.t.Context(), delivery(events...))
	require.NoError(b.t, err)
	require.Len(b.t, receipts, len(events))
	return receipts
}

// put appends n events of a subject, each with a delivery of its own.
func (b box) put(subject string, n int) []inbox.Receipt {
	b.t.Helper()
	receipts := make([]inbox.Receipt, n)
	for i := range receipts {
		receipts[i] = b.append(newEvent(subject, fmt.Sprintf("%s-%d", subject, i)))[0]
	}
	return receipts
}

func (b box) claim(subject string, now time.Time) inbox.Subject {
	b.t.Helper()
	claimed := b.takeAs("run", subject, now)
	require.Zero(b.t, claimed.Reopened)
	require.True(b.t, claimed.InHandUntil.IsZero())
	return claimed.Subject
}

// takeAs claims for a run that is no reset.
func (b box) takeAs(run, subject string, now time.Time) inbox.Claimed {
	b.t.Helper()
	claimed, err := b.Claim(b.t.Context(), inbox.Claim{
		Subject: subject, Now: now, BusyUntil: now.Add(time.Minute), RunID: run, OriginalRunID: run,
	})
	require.NoError(b.t, err)
	requireFirst(b.t, b.Inbox, claimed)
	return claimed
}

// requireFirst compares an event that came with a claim with the one that Next returns.
func requireFirst(t require.TestingT, store inbox.Drainer, claimed inbox.Claimed) {
	if claimed.First == nil {
		return
	}
	require.NotZero(t, claimed.Subject.Epoch, "nothing was taken")
	entries, err := store.Next(context.Background(), claimed.Subject.ID, 1, 1)
	require.NoError(t, err)
	require.Equal(t, []inbox.Entry{*claimed.First}, entries)
}

func settlement(owner inbox.Subject, sequence int64) inbox.Settlement {
	return inbox.Settlement{
		Subject: owner.ID, Epoch: owner.Epoch, Sequence: sequence, Status: inbox.StatusDelivered,
		Handler: "log", Attempts: 1, Now: at(2), RunID: "run", OriginalRunID: "run",
	}
}

func (b box) deliver(owner inbox.Subject, sequence int64) inbox.Settled {
	b.t.Helper()
	settled, err := b.Settle(b.t.Context(), settlement(owner, sequence))
	require.NoError(b.t, err)
	return settled
}

func failure(owner inbox.Subject, sequence int64, hold *inbox.Hold) inbox.Failure {
	return inbox.Failure{
		Subject: owner.ID, Epoch: owner.Epoch, Sequence: sequence, Handler: "app", Error: "status 500",
		Spent: 3 * time.Second, Now: at(2), Streak: owner.Streak, Holds: owner.Holds, NextWake: at(4), Hold: hold,
	}
}

func (b box) fail(owner inbox.Subject, sequence int64, hold *inbox.Hold) inbox.Subject {
	b.t.Helper()
	after, err := b.Fail(b.t.Context(), failure(owner, sequence, hold))
	require.NoError(b.t, err)
	return after
}

func (b box) operate(v inbox.Verb) inbox.SubjectView {
	b.t.Helper()
	view, err := b.Operate(b.t.Context(), v)
	require.NoError(b.t, err)
	return view
}

func (b box) refused(v inbox.Verb) string {
	b.t.Helper()
	_, err := b.Operate(b.t.Context(), v)
	var refused *inbox.RefusedError
	require.ErrorAs(b.t, err, &refused)
	return refused.Message
}

func pauseOf(subject string, until time.Time) inbox.Verb {
	return inbox.Verb{Verb: inbox.VerbPause, Subject: subject, Reason: "look", By: "ann", Until: until, Now: at(3)}
}

func resumeOf(subject string) inbox.Verb {
	return inbox.Verb{Verb: inbox.VerbResume, Subject: subject, By: "bob", Now: at(5)}
}

func parkOf(subject string, sequence int64) inbox.Verb {
	return inbox.Verb{Verb: inbox.VerbPark, Subject: subject, Sequence: sequence, Reason: "poison", By: "cat", Now: at(6)}
}

func (b box) subject(id string) inbox.SubjectView {
	b.t.Helper()
	view, err := b.Subject(b.t.Context(), id)
	require.NoError(b.t, err)
	return view
}

func (b box) event(sequence int64) inbox.Event {
	b.t.Helper()
	event, err := b.Event(b.t.Context(), sequence)
	require.NoError(b.t, err)
	return event
}

// pending returns the sequences of a subject's pending events as a drain sees them.
func (b box) pending(subject string) []int64 {
	b.t.Helper()
	entries, err := b.Next(b.t.Context(), subject, 1000, 1<<20)
	require.NoError(b.t, err)
	sequences := make([]int64, len(entries))
	for i, entry := range entries {
		sequences[i] = entry.Sequence
	}
	return sequences
}

// unrung returns what the sweeper would ring at a time without any grace.
func (b box) unrung(now time.Time) []string {
	b.t.Helper()
	subjects, err := b.Unrung(b.t.Context(), now, now, 1000)
	require.NoError(b.t, err)
	return subjects
}

// after is the sequence of the event after the i-th, 0 if that is the last.
func after(receipts []inbox.Receipt, i int) int64 {
	if i+1 == len(receipts) {
		return 0
	}
	return receipts[i+1].Sequence
}

func sequences(receipts []inbox.Receipt) []int64 {
	all := make([]int64, len(receipts))
	for i, r := range receipts {
		all[i] = r.Sequence
	}
	return all
}

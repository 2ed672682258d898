package activities_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/relief"
)

// TestWhatFailsInTheLaneIsItsWorkflows: the lane makes the first attempt, Temporal all
// others, and what comes behind that event is the workflow's too. A reset of its run
// does again what the run did, and nothing that the lane did.
func TestWhatFailsInTheLaneIsItsWorkflows(t *testing.T) {
	t.Parallel()
	s := newSink(t, func(w http.ResponseWriter, _ *http.Request, a attempt) {
		if a.sequence == 2 && a.number <= 2 && a.redo == "" {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	f := newFleetIn(t, relief.Always, "*="+s.URL)
	subject := f.subject("r1")
	appendOnly(f, subject, 3)
	f.start()
	f.awaitRest(subject)
	requireInOrder(t, f, s, subject)
	require.Equal(t, []int{1, 3, 1}, attemptsOf(f, subject))
	run := f.runID(subject)
	runs := f.runs(subject)
	require.True(t, inbox.IsRelief(runs[0]))
	require.Equal(t, []string{run, run}, runs[1:])

	f.reset(subject, run, 1)
	f.awaitRest(subject)
	require.Equal(t, []int64{1, 2, 3, 2, 3}, s.delivered(subject))
	require.Equal(t, runs[0], f.runs(subject)[0])
}

// TestAPauseInTheMiddleOfTheLanesDrain: the event in hand is finished, no other begun,
// and the run that the operator's word starts shows the hold and ends with it.
func TestAPauseInTheMiddleOfTheLanesDrain(t *testing.T) {
	t.Parallel()
	f, s, subject, letGo := draining(t, relief.Always, 4, 2)
	require.NoError(t, f.operate(inbox.Verb{Verb: inbox.VerbPause, Subject: subject, Reason: "deploying"}))
	close(letGo)
	require.Equal(t, "deploying", f.awaitStatus(subject, "held").Reason)
	require.Equal(t, "delivered delivered pending pending", f.statuses(subject))
	for _, run := range f.runs(subject)[:2] {
		require.True(t, inbox.IsRelief(run))
	}
	require.NoError(t, f.operate(inbox.Verb{Verb: inbox.VerbResume, Subject: subject}))
	f.awaitRest(subject)
	requireInOrder(t, f, s, subject)
	require.Len(t, s.attempts(subject), 4)
}

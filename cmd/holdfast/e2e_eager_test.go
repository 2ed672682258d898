package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/workflows/temporaltest"
)

// TestE2EAFirstTaskComesWithTheAnswer: in one process, a subject at rest costs the
// server a start and a completion. Runs that linger are signalled.
func TestE2EAFirstTaskComesWithTheAnswer(t *testing.T) {
	t.Parallel()
	destination := newRecorder(t, nil)
	begins := func(t *testing.T, source string, settings map[string]string, want beginning) {
		t.Helper()
		d := startDaemon(t, redoSource(source, destination.url, settings))
		s := newSender(t, d, source)
		n := 0
		// A run that begins before the worker is up begins in neither way.
		until(t, "a run that begins so", func() bool {
			n++
			subject := s.send(t, fmt.Sprint("r", n), 0, 1)[0].Subject
			d.settled(t)
			return beginningOf(t, subject) == want
		})
	}
	t.Run("Usually", func(t *testing.T) {
		t.Parallel()
		begins(t, "eager", nil, beginning{eager: true})
	})
	t.Run("NotWhereRunsLinger", func(t *testing.T) {
		t.Parallel()
		begins(t, "lingering", map[string]string{"HOLDFAST_LINGER": "1s"}, beginning{signalled: true})
	})
}

// beginning is how a run came to its worker: with the answer to its start, or by way
// of the task queue, and whether a signal started it.
type beginning struct{ eager, signalled bool }

func beginningOf(t *testing.T, subject string) beginning {
	t.Helper()
	i := temporaltest.Client(t).GetWorkflowHistory(t.Context(), subject, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	started, err := i.Next()
	require.NoError(t, err)
	second, err := i.Next()
	require.NoError(t, err)
	return beginning{
		eager:     started.GetWorkflowExecutionStartedEventAttributes().GetEagerExecutionAccepted(),
		signalled: second.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
	}
}

func TestWhoStartsEagerly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings processSettings
		eager    bool
	}{
		"IngressAndWorkerDo":      {processSettings{roles: roles{ingress: true, worker: true}}, true},
		"AWorkerDoes":             {processSettings{roles: roles{worker: true}}, true},
		"AnIngressHasNobody":      {processSettings{roles: roles{ingress: true}}, false},
		"AVersionedWorkerDoesNot": {processSettings{roles: roles{worker: true}, versioning: Versioning{Deployment: "holdfast"}}, false},
		"RunsThatLingerAreThere":  {processSettings{roles: roles{worker: true}, work: activities.Config{Linger: time.Second}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.eager, (&process{processSettings: c.settings}).eager() != nil)
		})
	}
}

package activities_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/inbox"
)

func TestTuningIsValidated(t *testing.T) {
	t.Parallel()
	require.NoError(t, activities.Tuning{ConcurrentDrains: 4, ConcurrentRecoveries: 1, MaxPollers: 2}.Validate())
	require.EqualError(t, activities.Tuning{ConcurrentDrains: 3, MaxPollers: 1, CachedRuns: -1}.Validate(),
		"HOLDFAST_CONCURRENT_DRAINS: 3 is less than 4\nHOLDFAST_CONCURRENT_RECOVERIES: 0 is less than 1\n"+
			"HOLDFAST_MAX_POLLERS: 1 is less than 2\nHOLDFAST_CACHED_RUNS: -1 is less than 0")
}

// TestTheLeastTuningStillWorks: with the fewest slots and pollers that are allowed,
// both kinds of work get their turn.
func TestTheLeastTuningStillWorks(t *testing.T) {
	t.Parallel()
	s := newSink(t, func(w http.ResponseWriter, _ *http.Request, a attempt) {
		if a.number == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	f := newFleet(t, "*="+s.URL)
	f.tuning = activities.Tuning{ConcurrentDrains: 4, ConcurrentRecoveries: 1, MaxPollers: 2}
	f.start()
	for n := range 10 {
		f.accept(f.subject(fmt.Sprint("r", n)), 2)
	}
	for n := range 10 {
		subject := f.subject(fmt.Sprint("r", n))
		f.awaitState(subject, inbox.StateIdle)
		requireInOrder(t, f, s, subject)
	}
}

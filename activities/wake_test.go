package activities_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/workflows"
)

// TestARunThatWaitsIsLeftAloneUntilItIsLate: it comes back by itself, so the sweeper
// need not ring it and the relief lane need not take its subject.
func TestARunThatWaitsIsLeftAloneUntilItIsLate(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	var once sync.Once
	s := newSink(t, func(w http.ResponseWriter, r *http.Request, a attempt) {
		once.Do(func() { close(begun) })
		hang(w, r, a)
	})
	f := newFleet(t, "*="+s.URL)
	subject := f.subject("r1")
	appendOnly(f, subject, 1)
	a, _ := f.activities(f.store)
	ctx, end := context.WithCancel(t.Context())
	go func() { <-begun; end() }()
	out, err := a.Drain(ctx, workflows.DrainInput{Subject: subject, RunID: "run", OriginalRunID: "run"})
	require.NoError(t, err)
	require.Equal(t, workflows.OutcomeWait, out.Outcome)

	rung := func(before time.Time) []string {
		t.Helper()
		subjects, err := f.store.Rung(t.Context(), out.Until.Add(time.Hour), before, 10)
		require.NoError(t, err)
		return subjects
	}
	require.Empty(t, rung(out.Until.Add(29*time.Second)))
	require.Equal(t, []string{subject}, rung(out.Until.Add(30*time.Second)))
}

package activities_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
)

// TestAnAnswerThatNeverEndsIsAnAnswer: the status has said it all.
func TestAnAnswerThatNeverEndsIsAnAnswer(t *testing.T) {
	t.Parallel()
	h := destination(t, activities.Config{}, func(w http.ResponseWriter, r *http.Request) {
		drip := time.NewTicker(5 * time.Millisecond)
		defer drip.Stop()
		for r.Context().Err() == nil {
			_, _ = w.Write([]byte("."))
			_ = http.NewResponseController(w).Flush()
			<-drip.C
		}
	})
	require.NoError(t, h.Handle(t.Context(), sampleEvent()))
}

// TestHeadersTellSubjectsApart: what HTTP would trim or cannot carry is encoded,
// and so is what would then look the same.
func TestHeadersTellSubjectsApart(t *testing.T) {
	t.Parallel()
	var got http.Header
	h := destination(t, activities.Config{}, func(_ http.ResponseWriter, r *http.Request) { got = r.Header })
	seen := map[string]string{}
	for _, subject := range []string{"redo/a", "redo/a ", " redo/a", "redo/é", "redo/%C3%A9", "redo%2F%C3%A9", "redo/a%20", "redo/a\tb"} {
		e := sampleEvent()
		e.Subject = subject
		require.NoError(t, h.Handle(t.Context(), e))
		value := got.Get("Holdfast-Subject")
		require.NotContains(t, seen, value, "%q looks like %q", subject, seen[value])
		seen[value] = subject
	}
	require.Contains(t, seen, "redo/a", "an ordinary one is readable")
}

// TestManyRelatedSubjectsFitIntoAHeader: a destination that refuses a delivery
// for its headers would hold the subject for nothing.
func TestManyRelatedSubjectsFitIntoAHeader(t *testing.T) {
	t.Parallel()
	var got http.Header
	h := destination(t, activities.Config{}, func(_ http.ResponseWriter, r *http.Request) { got = r.Header })
	e := sampleEvent()
	for range 100_000 {
		e.Related = append(e.Related, "redox/MR:1")
	}
	require.NoError(t, h.Handle(t.Context(), e))
	related := got.Get("Holdfast-Related-Subjects")
	require.LessOrEqual(t, len(related), 4<<10)
	require.Regexp(t, "^redox%2FMR:a%2Cb(,redox%2FMR:1)+$", related, "whole ones only")
}

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

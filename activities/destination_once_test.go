package activities_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
)

func TestAnAttemptIsOneRequest(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	h := destination(t, activities.Config{}, func(_ http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) > 1 {
			panic(http.ErrAbortHandler)
		}
	})
	require.NoError(t, h.Handle(t.Context(), sampleEvent()), "the connection is kept for the next")
	require.Error(t, h.Handle(t.Context(), sampleEvent()))
	require.Equal(t, int32(2), requests.Load(), "a broken connection is no reason to send it again at once")
}

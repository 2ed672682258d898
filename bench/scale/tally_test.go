package main

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
)

// TestATallyFindsWhatIsWrong: what it says of a run without faults means something.
func TestATallyFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	type delivery struct {
		subject  string
		sequence int64
	}
	right := []delivery{{"a", 1}, {"b", 2}, {"a", 3}, {"a", 5}, {"b", 4}}
	for name, c := range map[string]struct {
		deliveries []delivery
		problem    string // "": none
	}{
		"AllInOrder":    {right, ""},
		"OneIsMissing":  {right[:4], "4 of 5 events were delivered"},
		"OneIsRepeated": {append(right[:5:5], delivery{"a", 5}), "a: event 5 came after event 5"},
		"OutOfOrder":    {[]delivery{{"a", 1}, {"b", 4}, {"a", 3}, {"a", 5}, {"b", 2}}, "b: event 2 came after event 4"},
		"AnotherOne":    {[]delivery{{"a", 1}, {"b", 2}, {"a", 3}, {"a", 6}, {"b", 4}}, "other events were delivered"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tally, err := newTally(t.Context(), len(right))
			require.NoError(t, err)
			defer tally.close()
			var p pending
			for _, d := range right {
				p.events.Add(1)
				p.sequences.Add(d.sequence)
			}
			began := time.Now()
			for _, d := range c.deliveries {
				r := httptest.NewRequest(http.MethodPost, "/", nil)
				r.Header.Set(activities.HeaderSubject, d.subject)
				r.Header.Set(activities.HeaderSequence, strconv.FormatInt(d.sequence, 10))
				tally.ServeHTTP(httptest.NewRecorder(), r)
			}
			if c.problem == "" {
				require.Empty(t, tally.problems(&p))
				require.NoError(t, tally.await(t.Context()))
				require.Len(t, tally.speeds(began), len(right))
				return
			}
			require.NotEmpty(t, tally.problems(&p))
			require.Contains(t, tally.problems(&p)[0], c.problem)
		})
	}
}
